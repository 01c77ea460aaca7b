#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tuile::write {

/// A published output file.
struct WrittenFile {
  std::string name;  ///< file name; its folder is the sidecar's
  std::uint64_t size = 0;
  std::string checksum;  ///< "xxh3:" and 16 hexadecimal digits: XXH3-64 of the bytes
  bool operator==(const WrittenFile&) const = default;
};

/// A file that appears at its place complete or not at all: written under a temporary name beside it, flushed, then renamed.
/// The temporary carries host and process id (".NAME.tmp-HOST-PID-COUNTER") and is locked (flock) while it is being written.
/// An object destroyed before publish() removes its temporary. write_at and read_at may be called from several threads at once.
class AtomicFile {
 public:
  /// Creates the folders of `path` and the temporary. Throws PermissionDenied, IoError, InvalidArgument (no file name).
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Where the bytes are until publish(): for writers that open files themselves. They must keep the inode (truncate, not replace).
  const std::filesystem::path& temporary_path() const noexcept { return temporary_; }

  /// Asks the file system for `size` bytes at once, so that a full disk shows before the work. Throws IoError.
  void reserve(std::uint64_t size);
  /// Throws IoError (full disk: with the remedy).
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Throws IoError, also where the file is shorter.
  void read_at(std::uint64_t offset, std::span<std::byte> bytes) const;

  /// Checksum, flush to the device, rename over whatever stands at path(), flush the folder. Once.
  WrittenFile publish();

 private:
  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

/// A small file, its text given whole, published as AtomicFile does. Throws as AtomicFile.
void write_text_atomically(const std::filesystem::path& path, const std::string& text);

/// Checksum of a file's bytes as in WrittenFile. Throws NotFound, PermissionDenied, IoError.
std::string file_checksum(const std::filesystem::path& path);

/// True for the names that AtomicFile gives to its temporaries.
bool is_temporary_name(const std::string& file_name);

/// Removes the temporaries in `directory` (not below it) that this host's dead processes left, and those of this process id that nobody
/// holds (a container starts every run with the same id). Others' are never touched. Returns what was removed; a missing folder has none.
std::vector<std::filesystem::path> remove_stale_temporaries(const std::filesystem::path& directory);

}  // namespace tuile::write
