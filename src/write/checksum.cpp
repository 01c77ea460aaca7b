#include "checksum.hpp"

#include <xxhash.h>

#include <cstdio>
#include <memory>

#include "descriptor.hpp"
#include "tuile/core/buffer.hpp"
#include "tuile/write/atomic_file.hpp"

namespace tuile::write {

std::string checksum(int descriptor, const std::string& path) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  if (!state) throw OutOfMemory("cannot allocate the checksum state for " + path);
  XXH3_64bits_reset(state.get());
  Buffer<std::byte> block(std::size_t{1} << 20);
  for (std::uint64_t offset = 0;;) {
    const std::size_t count = read_some(descriptor, offset, block.span(), path);
    if (count == 0) break;
    XXH3_64bits_update(state.get(), block.data(), count);
    offset += count;
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(XXH3_64bits_digest(state.get())));
  return std::string("xxh3:") + digits;
}

std::string file_checksum(const std::filesystem::path& path) { return checksum(open_for_reading(path.string()).get(), path.string()); }

}  // namespace tuile::write
