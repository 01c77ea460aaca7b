#include "tuile/core/file/atomic_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "tuile/core/error.hpp"
#include "tuile/core/file/temporaries.hpp"

namespace tuile {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t large_write = 256 * 1024;  // bytes, from which on it pays to hand them to the device at once
constexpr int most_names = 1000;                 // that an earlier life of this process id can have left, by any measure

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

/// Makes a new name in `folder` durable. File systems that cannot flush a folder say EINVAL: theirs are durable without.
void flush_folder(const fs::path& folder) {
  const Descriptor descriptor = open_descriptor(folder.string(), O_RDONLY | O_DIRECTORY);
  // A folder that may be written but not read (a drop box) cannot be flushed; its files are in their place all the same.
  if (!descriptor && errno == EACCES) return;
  if (!descriptor) throw_errno(errno, "open folder", folder.string());
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL && errno != ENOTSUP) throw_errno(errno, "flush folder", folder.string());
}

void rename_over(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw_errno(errno, "publish", to.string());
}

/// False where another run took the new file for abandoned before the lock: it holds the lock, or the name is gone.
/// Where the file system has no locks, the process id in the name alone protects it.
bool hold(int descriptor, const fs::path& path) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  struct stat opened {
  }, named{};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

AtomicFile::AtomicFile(fs::path path, Folders folders) : path_(std::move(path)) {
  checked_path(path_.native());
  if (!path_.has_filename()) throw InvalidArgument("output path '" + path_.string() + "' has no file name");
  const fs::path folder = folder_of(path_);
  if (folders == Folders::create) create_folders(folder);
  for (int attempt = 0; attempt < most_names; ++attempt) {
    temporary_ = folder / temporary_name(path_.filename().string());
    descriptor_ = open_descriptor(temporary_.string(), O_RDWR | O_CREAT | O_EXCL, 0666);
    // Names of this process id can stand there from an earlier life (containers): take the next free one.
    if (!descriptor_ && errno == EEXIST) continue;
    if (!descriptor_) throw_errno(errno, "create", path_.string());
    if (hold(descriptor_.get(), temporary_)) return;
    (void)descriptor_.close();
  }
  throw IoError("cannot create a temporary for " + path_.string() + ": " + std::to_string(most_names) +
                " names are taken; remove the files .*.tmp-* beside it that no run writes any more");
}

AtomicFile::~AtomicFile() {
  if (unpublished_) (void)::unlink(temporary_.c_str());
}

void AtomicFile::leave_creation_to_writer() {
  (void)::unlink(temporary_.c_str());
  (void)descriptor_.close();
}

void AtomicFile::reserve(std::uint64_t size) {
  if (size == 0) return;
  int result = 0;
  do result = ::fallocate(descriptor_.get(), 0, 0, static_cast<off_t>(size));
  while (result != 0 && errno == EINTR);
  if (result == 0) return;
  // A file system without support for it says so in several ways; there the writes themselves find out.
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO) throw_errno(errno, "reserve space for", path_.string());
}

void AtomicFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  write_all_at(descriptor_.get(), offset, bytes, path_.string());
  // The device starts now, while the next rows are made; publish() waits for what is left.
  if (bytes.size() >= large_write)
    (void)::sync_file_range(descriptor_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes.size()), SYNC_FILE_RANGE_WRITE);
}

void AtomicFile::append(std::span<const std::byte> bytes) {
  write_at(appended_, bytes);
  appended_ += bytes.size();
}

void AtomicFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
  if (read_some(descriptor_.get(), offset, bytes, temporary_.string()) != bytes.size())
    throw IoError("cannot read " + temporary_.string() + ": it ends before byte " + std::to_string(offset + bytes.size()) +
                  "; does another program write to it?");
}

void AtomicFile::publish(Durability durability) {
  if (!descriptor_) descriptor_ = open_for_reading(temporary_.string());
  const bool flush = durability == Durability::device;
  if (flush && ::fsync(descriptor_.get()) != 0) throw_errno(errno, "flush", path_.string());
  // Some file systems say only now that a write has failed.
  if (!flush && !descriptor_.close()) throw_errno(errno, "write", path_.string());
  rename_over(temporary_, path_);
  unpublished_ = false;
  (void)descriptor_.close();
  if (flush) flush_folder(folder_of(path_));
}

void write_text_atomically(const fs::path& path, const std::string& text) {
  AtomicFile file(path);
  file.append(bytes_of(text));
  file.publish();
}

void publish_file(const fs::path& from, const fs::path& to) {
  checked_path(to.native());
  rename_over(from, to);
  flush_folder(folder_of(to));
}

void create_folders(const fs::path& folder) {
  checked_path(folder.native());
  std::error_code error;
  std::vector<fs::path> missing;
  for (fs::path at = folder; !at.empty() && !fs::is_directory(at, error); at = at.parent_path()) {
    missing.push_back(at);
    if (at == at.parent_path()) break;
  }
  if (missing.empty()) return;
  fs::create_directories(folder, error);
  if (error) throw_errno(error.value(), "create folder", folder.string());
  // "a/b/" names b twice, and ".." what stands already: flushing once more does no harm.
  for (auto made = missing.rbegin(); made != missing.rend(); ++made) flush_folder(folder_of(*made));
}

}  // namespace tuile
