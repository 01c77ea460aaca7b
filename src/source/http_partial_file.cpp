#include "source/http_partial_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "tuile/core/error.hpp"

namespace tuile::source {
namespace {

void write_all(int descriptor, std::uint64_t offset, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      throw_errno(errno, "write", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

}  // namespace

PartialFile::PartialFile(std::string path, std::string url)
    : path_(std::move(path)), validator_path_(path_ + ".etag"), url_(std::move(url)) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw_errno(errno, "create", path_);
  struct stat status {};
  const bool held = ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;  // some file systems have no locks
  // Of the inode that we hold: a download that came to nothing may have removed the file before we had the lock.
  const bool regular = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  if (!regular || held || status.st_nlink == 0) {
    ::close(descriptor_);
    if (!regular) throw InvalidArgument("cannot download into " + path_ + ": it is not a regular file");
    throw IoError("cannot download into " + path_ + ": another download holds it; let that end first");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
  std::ifstream beside(validator_path_);
  std::string validator, its_url;
  if (std::getline(beside, validator) && std::getline(beside, its_url) && its_url == url_ && size_ > 0) validator_ = validator;
}

PartialFile::~PartialFile() {
  if (size_ == 0 && !finished_) {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    std::filesystem::remove(validator_path_, ignored);
  }
  ::close(descriptor_);
}

void PartialFile::restart(const std::string& validator) {
  // In this order: a file that is killed in between is empty, never the beginning of one thing with the validator of another.
  if (::ftruncate(descriptor_, 0) != 0) throw_errno(errno, "truncate", path_);
  size_ = 0;
  validator_.clear();
  std::error_code ignored;
  std::filesystem::remove(validator_path_, ignored);
  if (validator.empty()) return;
  const int beside = ::open(validator_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (beside < 0) throw_errno(errno, "create", validator_path_);
  try {
    write_all(beside, 0, validator + "\n" + url_ + "\n", validator_path_);
  } catch (...) {
    ::close(beside);
    throw;
  }
  ::close(beside);
  validator_ = validator;
}

void PartialFile::append(std::span<const char> bytes) {
  write_all(descriptor_, size_, {bytes.data(), bytes.size()}, path_);
  size_ += bytes.size();
}

void PartialFile::finish() {
  if (::fsync(descriptor_) != 0) throw_errno(errno, "flush", path_);
  std::error_code ignored;
  std::filesystem::remove(validator_path_, ignored);
  finished_ = true;
}

}  // namespace tuile::source
