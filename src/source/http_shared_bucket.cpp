#include "source/http_shared_bucket.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "source/http_wait.hpp"
#include "tuile/core/file/descriptor.hpp"

namespace tuile::source {
namespace {

constexpr std::string_view signature = "tuile-bucket 1 ";
// "tuile-bucket 1 NEXT CLOSED\n", both numbers of 20 digits: a rewrite covers the text before it exactly.
constexpr std::size_t text_size = 15 + 20 + 1 + 20 + 1;

bool parse_number(std::string_view text, std::int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0;
}

SharedTimes parse(std::string_view text) {
  SharedTimes times;
  const bool sound = text.size() == text_size && text.starts_with(signature) && text[35] == ' ' && text.back() == '\n' &&
                     parse_number(text.substr(15, 20), times.next_due) && parse_number(text.substr(36, 20), times.closed_until);
  return sound ? times : SharedTimes{};
}

/// The file, created where it is not there; the folder too (it may be new, or was removed meanwhile). Nothing where it cannot be.
Descriptor open_shared(const std::string& path, const std::string& folder) {
  const auto open = [&] { return open_descriptor(path, O_RDWR | O_CREAT, 0644); };
  Descriptor descriptor = open();
  if (descriptor || errno != ENOENT) return descriptor;
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  return open();
}

std::string problem(const char* what, const std::string& path, int error) {
  return std::string("cannot ") + what + " " + path + ": " + std::generic_category().message(error);
}

}  // namespace

std::string update_shared_times(const std::string& folder, const std::string& origin, const std::function<void(SharedTimes&)>& change,
                                const std::stop_token& stop) {
  std::string name = "http-";
  for (const char c : origin) name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' ? c : '_';
  const std::string path = (std::filesystem::path(folder) / (name + ".bucket")).string();
  const Descriptor file = open_shared(path, folder);  // and with it goes the lock
  const int descriptor = file.get();
  if (descriptor < 0) return problem("open", path, errno);

  // Holders need microseconds; one that was stopped in the middle must not stop everybody.
  const Clock::time_point patience = Clock::now() + std::chrono::seconds(1);
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return problem("lock", path, errno);
    if (Clock::now() > patience) return problem("lock", path, EWOULDBLOCK);
    wait_until(Clock::now() + std::chrono::milliseconds(1), stop, "the bucket that processes share");
  }
  std::array<char, text_size + 1> text{};
  const ssize_t got = ::pread(descriptor, text.data(), text.size(), 0);
  if (got < 0) return problem("read", path, errno);
  const SharedTimes before = parse({text.data(), static_cast<std::size_t>(got)});
  SharedTimes times = before;
  change(times);
  if (times.next_due == before.next_due && times.closed_until == before.closed_until) return {};
  std::snprintf(text.data(), text.size(), "tuile-bucket 1 %020lld %020lld\n", static_cast<long long>(times.next_due),
                static_cast<long long>(times.closed_until));
  // What cannot be written (a full disk) costs the others their knowledge of this one request.
  if (::pwrite(descriptor, text.data(), text_size, 0) == static_cast<ssize_t>(text_size) && got > static_cast<ssize_t>(text_size)) {
    static_cast<void>(::ftruncate(descriptor, static_cast<off_t>(text_size)));
  }
  return {};
}

}  // namespace tuile::source
