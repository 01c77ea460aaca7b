#include "source/http_partial_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tuile/core/error.hpp"

namespace tuile::source {
PartialFile::PartialFile(std::string path, std::string url)
    : path_(std::move(path)), validator_path_(path_ + ".etag"), url_(std::move(url)) {
  descriptor_ = open_descriptor(path_, O_RDWR | O_CREAT, 0644);
  if (!descriptor_) throw_errno(errno, "create", path_);
  struct stat status {};
  const bool held = ::flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;  // some file systems have no locks
  // Of the inode that we hold: a download that came to nothing may have removed the file before we had the lock.
  const bool regular = ::fstat(descriptor_.get(), &status) == 0 && S_ISREG(status.st_mode);
  if (!regular || held || status.st_nlink == 0) {
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
}

void PartialFile::restart(const std::string& validator) {
  // In this order: a file that is killed in between is empty, never the beginning of one thing with the validator of another.
  if (::ftruncate(descriptor_.get(), 0) != 0) throw_errno(errno, "truncate", path_);
  size_ = 0;
  validator_.clear();
  std::error_code ignored;
  std::filesystem::remove(validator_path_, ignored);
  if (validator.empty()) return;
  const Descriptor beside = open_descriptor(validator_path_, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (!beside) throw_errno(errno, "create", validator_path_);
  write_all(beside.get(), bytes_of(validator + "\n" + url_ + "\n"), validator_path_);
  validator_ = validator;
}

void PartialFile::append(std::span<const char> bytes) {
  write_all_at(descriptor_.get(), size_, std::as_bytes(bytes), path_);
  size_ += bytes.size();
}

void PartialFile::finish() {
  if (::fsync(descriptor_.get()) != 0) throw_errno(errno, "flush", path_);
  std::error_code ignored;
  std::filesystem::remove(validator_path_, ignored);
  finished_ = true;
}

}  // namespace tuile::source
