#include "tuile/core/unfinished_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "tuile/core/error.hpp"

namespace tuile {

namespace {

constexpr std::string_view marker = ".part-";

/// False where another run took the new file for abandoned before the lock: it holds the lock, or the name is gone.
/// A file system without locks leaves the file as it is.
bool hold(int descriptor, const std::string& path) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  struct stat opened {
  }, named{};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

UnfinishedFile::UnfinishedFile(std::filesystem::path place) : place_(std::move(place)) {
  static std::atomic<unsigned> counter{0};
  while (true) {
    path_ = place_.string() + ".part-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno == EEXIST) continue;  // of an earlier life of this process id
    if (descriptor_ < 0) throw_errno(errno, "create", place_.string());
    if (hold(descriptor_, path_)) return;
    ::close(descriptor_);
  }
}

UnfinishedFile::~UnfinishedFile() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

void UnfinishedFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(errno, "write", place_.string());
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void UnfinishedFile::publish() {
  if (::fsync(descriptor_) != 0) throw_errno(errno, "flush", place_.string());
  if (::rename(path_.c_str(), place_.c_str()) != 0) throw_errno(errno, "publish", place_.string());
  ::close(std::exchange(descriptor_, -1));
  // The rename itself becomes durable with its folder; file systems that cannot flush one say EINVAL and need it not.
  const std::string folder = place_.has_parent_path() ? place_.parent_path().string() : ".";
  const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool flushed = opened >= 0 && (::fsync(opened) == 0 || errno == EINVAL || errno == ENOTSUP);
  const int failure = errno;
  if (opened >= 0) ::close(opened);
  if (!flushed) throw_errno(failure, "flush folder", folder);
}

void remove_abandoned(const std::filesystem::path& folder, std::string_view prefix) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    std::error_code ignored;
    if (!name.starts_with(prefix) || name.find(marker) == std::string::npos || !entries->is_regular_file(ignored)) continue;
    const int descriptor = ::open(entries->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(entries->path().c_str());
    ::close(descriptor);
  }
  if (error) throw_errno(error.value(), "list", folder.string());
}

}  // namespace tuile
