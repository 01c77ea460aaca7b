#include "tuile/core/file/temporaries.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <ctime>
#include <string_view>
#include <system_error>

#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"

namespace tuile {

namespace {

constexpr std::string_view marker = ".tmp-";

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

/// Whether a live writer would hold a file of this owner; the lock has the last word.
struct Suspicion {
  bool dead = false;  ///< the process is gone
  bool own = false;   ///< this process, or an earlier one of its id
};

Suspicion suspicion_of(const TemporaryOwner& owner) {
  if (owner.host != host_name()) return {};
  const bool dead = owner.process > 0 && ::kill(static_cast<pid_t>(owner.process), 0) != 0 && errno == ESRCH;
  return {dead, owner.process == static_cast<long>(::getpid())};
}

bool is_older(int descriptor, std::chrono::seconds age) {
  struct stat about {};
  return ::fstat(descriptor, &about) == 0 && std::time(nullptr) - about.st_mtim.tv_sec > age.count();
}

/// Removes the file unless a writer may still want it. The name goes while we hold the lock, so that a writer who has just created it
/// either has the lock before us or finds its name gone.
bool remove_if_stale(const std::filesystem::path& path, const TemporaryOwner& owner, std::optional<std::chrono::seconds> others_after) {
  const Suspicion suspicion = suspicion_of(owner);
  if (!suspicion.dead && !suspicion.own && !others_after) return false;
  const Descriptor descriptor = open_descriptor(path.string(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!descriptor) return suspicion.dead && errno != ENOENT && ::unlink(path.c_str()) == 0;
  const bool old = others_after && is_older(descriptor.get(), *others_after);
  if (!suspicion.dead && !suspicion.own && !old) return false;
  // The lock tells more than the id: it is seen across containers that share a host name, and after an id was used again.
  if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || !(suspicion.dead || old))) return false;
  return ::unlink(path.c_str()) == 0;
}

}  // namespace

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
  const std::string end = std::string(marker) + host_name() + "-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
  std::string name(1, '.');
  name.append(file_name, 0, NAME_MAX - 1 - end.size());
  return name + end;
}

std::optional<TemporaryOwner> temporary_owner(const std::string& file_name) {
  if (file_name.empty() || file_name[0] != '.') return std::nullopt;
  const std::size_t start = file_name.rfind(marker);
  if (start == std::string::npos || start == 0) return std::nullopt;
  std::string rest = file_name.substr(start + marker.size());
  if (!take_number(rest)) return std::nullopt;
  const std::optional<long> process = take_number(rest);
  if (!process || rest.empty()) return std::nullopt;
  return TemporaryOwner{rest, *process};
}

bool is_temporary_name(const std::string& file_name) { return temporary_owner(file_name).has_value(); }

std::vector<std::filesystem::path> remove_stale_temporaries(const std::filesystem::path& directory,
                                                            std::optional<std::chrono::seconds> others_after) {
  std::vector<std::filesystem::path> removed;
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return removed;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::filesystem::path path = entries->path();
    std::error_code type_error;
    const std::optional<TemporaryOwner> owner = temporary_owner(path.filename().string());
    if (!owner || entries->is_symlink(type_error) || !entries->is_regular_file(type_error)) continue;
    if (remove_if_stale(path, *owner, others_after)) removed.push_back(path);
  }
  if (error) throw_errno(error.value(), "list", directory.string());
  return removed;
}

}  // namespace tuile
