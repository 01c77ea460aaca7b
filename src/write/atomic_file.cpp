#include "tuile/write/atomic_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "checksum.hpp"
#include "descriptor.hpp"
#include "temporary_lock.hpp"
#include "temporary_name.hpp"
#include "tuile/core/error.hpp"

namespace tuile::write {

namespace {

constexpr std::size_t large_write = 256 * 1024;  // bytes, from which on it pays to hand them to the device at once

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// Makes a rename in `folder` durable. File systems that cannot flush a folder say EINVAL: theirs are durable without.
void flush_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor) throw_errno(errno, "open folder", folder.string());
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL && errno != ENOTSUP) throw_errno(errno, "flush folder", folder.string());
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  if (!path_.has_filename()) throw InvalidArgument("output path '" + path_.string() + "' has no file name");
  const std::filesystem::path folder = folder_of(path_);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw_errno(error.value(), "create folder", folder.string());
  // Held until the file is locked, so that remove_stale_temporaries never sees it in between.
  const std::lock_guard guard(temporary_mutex());
  // Names of this process id can stand there from an earlier life (containers): take the next free one.
  do {
    temporary_ = folder / temporary_name(path_.filename().string());
    descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) throw_errno(errno, "create", path_.string());
  // Where the file system has no locks, the process id in the name alone protects it.
  (void)::flock(descriptor_, LOCK_EX | LOCK_NB);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  (void)::unlink(temporary_.c_str());
  (void)::close(descriptor_);
}

void AtomicFile::reserve(std::uint64_t size) {
  if (size == 0) return;
  int result = 0;
  do result = ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size));
  while (result != 0 && errno == EINTR);
  if (result == 0) return;
  // A file system without support for it says so in several ways; there the writes themselves find out.
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO) throw_errno(errno, "reserve space for", path_.string());
}

void AtomicFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  const std::size_t size = bytes.size();
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(errno, "write", path_.string());
    done += static_cast<std::size_t>(count);
  }
  // The device starts now, while the next rows are made; publish() waits for what is left.
  if (size >= large_write)
    (void)::sync_file_range(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE);
}

void AtomicFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
  if (read_some(descriptor_, offset, bytes, temporary_.string()) != bytes.size())
    throw IoError("cannot read " + temporary_.string() + ": it ends before byte " + std::to_string(offset + bytes.size()) +
                  "; does another program write to it?");
}

WrittenFile AtomicFile::publish() {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) throw_errno(errno, "read the size of", temporary_.string());
  // The device starts on the pages while the checksum reads them; whatever is left waits in fsync.
  (void)::sync_file_range(descriptor_, 0, 0, SYNC_FILE_RANGE_WRITE);
  WrittenFile written{path_.filename().string(), static_cast<std::uint64_t>(status.st_size), checksum(descriptor_, temporary_.string())};
  if (::fsync(descriptor_) != 0) throw_errno(errno, "flush", path_.string());
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw_errno(errno, "publish", path_.string());
  const Descriptor closed(std::exchange(descriptor_, -1));
  flush_folder(folder_of(path_));
  return written;
}

void write_text_atomically(const std::filesystem::path& path, const std::string& text) {
  AtomicFile file(path);
  file.write_at(0, std::as_bytes(std::span(text)));
  file.publish();
}

}  // namespace tuile::write
