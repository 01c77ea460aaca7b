#include "write/sidecar.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <span>

#include "read_text.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"

namespace tuile::write {

namespace {

/// Far above any sidecar (a few kB): what is larger is not read into memory.
constexpr std::uint64_t largest_sidecar = 64U << 20;

}  // namespace

std::string read_json_text(const std::filesystem::path& path) {
  const Descriptor file = open_for_reading(path.string());
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_errno(errno, "read the size of", path.string());
  if (!S_ISREG(status.st_mode)) throw CorruptData("sidecar " + path.string() + " is not a file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > largest_sidecar)
    throw CorruptData("sidecar " + path.string() + " has " + std::to_string(size) + " bytes; at most " + std::to_string(largest_sidecar) +
                      " are expected");
  std::string text(size, '\0');
  text.resize(read_some(file.get(), 0, std::as_writable_bytes(std::span(text)), path.string()));
  return text;
}

FileIdentity identify(const std::string& path) {
  struct stat status {};
  if (::stat(checked_path(path).c_str(), &status) != 0) throw_errno(errno, "read the size of", path);
  return {path, static_cast<std::uint64_t>(status.st_size),
          static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec};
}

void write_sidecar(const std::filesystem::path& path, const Sidecar& sidecar) { write_text_atomically(path, to_json(sidecar)); }

Sidecar read_sidecar(const std::filesystem::path& path) {
  const std::string text = read_json_text(path);
  try {
    return sidecar_from_json(text);
  } catch (const CorruptData& error) {
    throw CorruptData(path.string() + ": " + error.what());
  }
}

}  // namespace tuile::write
