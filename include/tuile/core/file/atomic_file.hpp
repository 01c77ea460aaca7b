#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "tuile/core/file/descriptor.hpp"

namespace tuile {

/// What happens to the folder of a new file that is not there.
enum class Folders {
  create,  ///< as create_folders
  expect,  ///< an error: a mistyped path shall not make a tree of folders
};

/// What a published file outlives. Data that nobody can make again, or that something else vouches for, goes to the device before its name
/// appears; the rename follows with its folder, and a new folder with its parent. A cache whose entries are checked when they are read
/// needs none of this: there each flush would only cost time (some 5 ms on a disk).
enum class Durability { device, process };

/// A file that appears at its place complete or not at all: written under a temporary name beside it, then renamed.
/// The temporary carries host and process id (temporaries.hpp) and is locked (flock) while it is being written.
/// An object destroyed before publish() removes its temporary. write_at and read_at may be called from several threads at once.
class AtomicFile {
 public:
  /// Creates the temporary, empty. Throws PermissionDenied, IoError, NotFound (no folder), InvalidArgument (no file name, or a NUL).
  explicit AtomicFile(std::filesystem::path path, Folders folders = Folders::create);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Where the bytes are until publish(): for writers that open files themselves. They must keep the inode (truncate, not replace).
  const std::filesystem::path& temporary_path() const noexcept { return temporary_; }
  /// For a writer that insists on a name that is free: removes the temporary again, and with it its lock; until publish(), which takes what
  /// the writer has made there, the process id in its name alone protects it.
  void leave_creation_to_writer();
  int descriptor() const noexcept { return descriptor_.get(); }

  /// Asks the file system for `size` bytes at once, so that a full disk shows before the work. Throws IoError.
  void reserve(std::uint64_t size);
  /// Throws IoError (full disk: with the remedy).
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// After what was appended before; one thread. Throws IoError.
  void append(std::span<const std::byte> bytes);
  /// Throws IoError, also where the file is shorter.
  void read_at(std::uint64_t offset, std::span<std::byte> bytes) const;

  /// Renames over whatever stands at path(). Once. Throws the typed error of errno.
  void publish(Durability durability = Durability::device);

 private:
  std::filesystem::path path_, temporary_;
  Descriptor descriptor_;
  std::uint64_t appended_ = 0;
  bool unpublished_ = true;
};

/// A small file, its text given whole, published as AtomicFile does. Throws as AtomicFile.
void write_text_atomically(const std::filesystem::path& path, const std::string& text);

/// Renames a finished, flushed file over `to` and flushes the folder. Throws the typed error of errno.
void publish_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Creates the folders of a path that are not there; each is flushed into its parent, or a file published inside could be lost with it.
/// Throws PermissionDenied, IoError, InvalidArgument (NUL).
void create_folders(const std::filesystem::path& folder);

}  // namespace tuile
