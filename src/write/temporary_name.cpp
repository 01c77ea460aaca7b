#include "temporary_name.hpp"

#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstddef>
#include <string_view>

#include "tuile/write/atomic_file.hpp"

namespace tuile::write {

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

}  // namespace tuile::write
