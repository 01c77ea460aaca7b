#include <fcntl.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "tuile/core/buffer.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"
#include "tuile/write/written_file.hpp"

namespace tuile::write {

namespace {

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

}  // namespace

WrittenFile publish_output(AtomicFile& file) {
  const std::string temporary = file.temporary_path().string();
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) throw_errno(errno, "read the size of", temporary);
  // The device starts on the pages while the checksum reads them; whatever is left waits in publish().
  (void)::sync_file_range(file.descriptor(), 0, 0, SYNC_FILE_RANGE_WRITE);
  WrittenFile written{file.path().filename().string(), static_cast<std::uint64_t>(status.st_size), checksum(file.descriptor(), temporary)};
  file.publish();
  return written;
}

std::string file_checksum(const std::filesystem::path& path) { return checksum(open_for_reading(path.string()).get(), path.string()); }

}  // namespace tuile::write
