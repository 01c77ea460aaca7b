#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <system_error>

#include "descriptor.hpp"
#include "temporary_lock.hpp"
#include "temporary_name.hpp"
#include "tuile/write/atomic_file.hpp"

namespace tuile::write {

namespace {

/// Whether a live writer holds the file. Where locks are not supported, `otherwise`.
bool is_locked(const std::filesystem::path& path, bool otherwise) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor) return otherwise;
  if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) == 0) return false;
  return errno == EWOULDBLOCK || otherwise;
}

bool is_stale(const std::filesystem::path& path) {
  const std::optional<TemporaryOwner> owner = temporary_owner(path.filename().string());
  if (!owner || owner->host != host_name()) return false;
  const bool own = owner->process == static_cast<long>(::getpid());
  const bool dead = owner->process > 0 && ::kill(static_cast<pid_t>(owner->process), 0) != 0 && errno == ESRCH;
  // The lock tells more than the id: it is seen across containers that share a host name, and after an id was used again.
  return (own || dead) && !is_locked(path, own);
}

}  // namespace

std::mutex& temporary_mutex() {
  static std::mutex mutex;
  return mutex;
}

std::vector<std::filesystem::path> remove_stale_temporaries(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> removed;
  std::error_code error;
  const std::lock_guard guard(temporary_mutex());
  std::filesystem::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return removed;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::filesystem::path path = entries->path();
    std::error_code type_error;
    if (!entries->is_regular_file(type_error) || entries->is_symlink(type_error) || !is_stale(path)) continue;
    if (::unlink(path.c_str()) == 0) removed.push_back(path);
  }
  if (error) throw_errno(error.value(), "list", directory.string());
  return removed;
}

}  // namespace tuile::write
