#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <system_error>

#include "descriptor.hpp"
#include "temporary_lock.hpp"
#include "temporary_name.hpp"
#include "tuile/write/atomic_file.hpp"

namespace tuile::write {

namespace {

constexpr const char* marker = ".tmp-";

/// The number after the last '-' of `text`, which is cut off; nothing where there is none.
std::optional<long> take_number(std::string& text) {
  const std::size_t dash = text.rfind('-');
  if (dash == std::string::npos || dash + 1 == text.size() || text.size() - dash > 16) return std::nullopt;
  long number = 0;
  for (std::size_t i = dash + 1; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.resize(dash);
  return number;
}

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

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  std::string host(name);
  if (host.size() > 64) host.resize(64);
  for (char& c : host) {
    const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    if (!safe) c = '_';
  }
  return host;
}

std::string temporary_name(const std::string& file_name) {
  static std::atomic<unsigned> counter{0};
  const std::string end = marker + host_name() + "-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
  std::string name(1, '.');
  name.append(file_name, 0, NAME_MAX - 1 - end.size());
  return name + end;
}

std::optional<TemporaryOwner> temporary_owner(const std::string& file_name) {
  if (file_name.empty() || file_name[0] != '.') return std::nullopt;
  const std::size_t start = file_name.rfind(marker);
  if (start == std::string::npos || start == 0) return std::nullopt;
  std::string rest = file_name.substr(start + std::string(marker).size());
  if (!take_number(rest)) return std::nullopt;
  const std::optional<long> process = take_number(rest);
  if (!process || rest.empty()) return std::nullopt;
  return TemporaryOwner{rest, *process};
}

bool is_temporary_name(const std::string& file_name) { return temporary_owner(file_name).has_value(); }

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
