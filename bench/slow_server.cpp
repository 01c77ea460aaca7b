#include "slow_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string_view>

#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t largest_head = 16384;
constexpr double seconds_per_piece = 0.004;

bool send_all(int client, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string head_of(const char* status, std::string_view type, std::uint64_t length, const std::string& more = {}) {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: " + std::string(type) + "\r\nContent-Length: " + std::to_string(length) +
         "\r\n" + more + "\r\n";
}

/// Value of a header, its name in lower case; "" where it is absent.
std::string header_value(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    const bool same = std::equal(name.begin(), name.end(), line.begin(),
                                 [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b); });
    if (!same) continue;
    const std::size_t begin = line.find_first_not_of(' ', name.size() + 1);
    return begin == line.npos ? std::string() : std::string(line.substr(begin));
  }
  return {};
}

/// [begin, end) of "bytes=a-b", "bytes=a-" and "bytes=-n"; begin >= end where it cannot be satisfied.
std::pair<std::uint64_t, std::uint64_t> parse_range(std::string_view range, std::uint64_t size) {
  range.remove_prefix(std::min<std::size_t>(range.size(), 6));
  const std::size_t dash = std::min(range.find('-'), range.size());
  const auto number = [](std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  const std::string_view first = range.substr(0, dash), last = dash < range.size() ? range.substr(dash + 1) : std::string_view();
  if (first.empty()) return {size - std::min(size, number(last)), size};
  return {number(first), last.empty() ? size : std::min(size, number(last) + 1)};
}

constexpr std::string_view capabilities =
    "<?xml version=\"1.0\"?><wfs:WFS_Capabilities version=\"2.0.0\" xmlns:wfs=\"http://www.opengis.net/wfs/2.0\"></wfs:WFS_Capabilities>";
constexpr std::string_view nothing = R"({"type":"FeatureCollection","features":[],"numberMatched":0,"numberReturned":0})";

}  // namespace

SlowServer::SlowServer(Options options, std::map<std::string, std::string> files) : options_(options), files_(std::move(files)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    const int failed = errno;
    if (listener_ >= 0) ::close(listener_);
    throw_errno(failed, "listen on", "127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

SlowServer::~SlowServer() {
  {
    const MutexLock lock(mutex_);
    stop_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    for (const int client : clients_) ::shutdown(client, SHUT_RDWR);
  }
  stopped_.notify_all();
  acceptor_.join();
  for (std::thread& thread : served_) thread.join();
  ::close(listener_);
}

std::string SlowServer::url(const std::string& name) const { return "http://127.0.0.1:" + std::to_string(port_) + "/" + name; }

std::uint64_t SlowServer::requests() const {
  const MutexLock lock(mutex_);
  return requests_;
}

void SlowServer::accept_all() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0 && errno == EINTR) continue;
    const MutexLock lock(mutex_);
    if (stop_ || client < 0) {
      if (client >= 0) ::close(client);
      return;
    }
    clients_.insert(client);
    served_.emplace_back([this, client] { serve(client); });
  }
}

void SlowServer::serve(int client) {
  const int at_once = 1;
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  std::string text;
  std::array<char, 4096> piece;
  while (text.size() < largest_head) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end == text.npos) {
      const ssize_t count = ::recv(client, piece.data(), piece.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      text.append(piece.data(), static_cast<std::size_t>(count));
      continue;
    }
    {
      const MutexLock lock(mutex_);
      ++requests_;
    }
    if (!pause(options_.latency)) break;
    answer(client, text.substr(0, end + 2));
    text.erase(0, end + 4);
  }
  const MutexLock lock(mutex_);
  clients_.erase(client);
  ::close(client);
}

void SlowServer::answer(int client, const std::string& head) {
  const std::size_t method_end = head.find(' ');
  const std::size_t begin = method_end == head.npos ? head.size() : method_end + 1;
  const std::string target = head.substr(begin, head.find_first_of(" \r", begin) - begin);
  const bool body = !head.starts_with("HEAD ");
  const std::string name =
      target.substr(std::min<std::size_t>(target.size(), 1), target.find('?') == target.npos ? target.npos : target.find('?') - 1);
  if (name == "wfs") {
    const bool about = target.find("REQUEST=GetCapabilities") != target.npos;
    const std::string_view text = about ? capabilities : nothing;
    send_all(client,
             head_of("200 OK", about ? "text/xml" : "application/json", text.size()) + std::string(body ? text : std::string_view()));
  } else if (const auto file = files_.find(name); file != files_.end()) {
    answer_file(client, head, file->second, body);
  } else {
    send_all(client, head_of("404 Not Found", "text/plain", 0));
  }
}

void SlowServer::answer_file(int client, const std::string& head, const std::string& path, bool body) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) {
    if (file >= 0) ::close(file);
    send_all(client, head_of("404 Not Found", "text/plain", 0));
    return;
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::string range = header_value(head, "range");
  const auto [begin, end] = range.empty() ? std::pair(std::uint64_t{0}, size) : parse_range(range, size);
  std::string more = "Accept-Ranges: bytes\r\nETag: \"" + std::to_string(size) + "\"\r\n";
  if (begin >= end && size > 0) {
    send_all(client, head_of("416 Range Not Satisfiable", "text/plain", 0, "Content-Range: bytes */" + std::to_string(size) + "\r\n"));
  } else {
    if (!range.empty())
      more += "Content-Range: bytes " + std::to_string(begin) + "-" + std::to_string(end - 1) + "/" + std::to_string(size) + "\r\n";
    const bool sent =
        send_all(client, head_of(range.empty() ? "200 OK" : "206 Partial Content", "application/octet-stream", end - begin, more));
    // A body that breaks off must not be followed by another answer.
    if (sent && body && !send_paced(client, file, begin, end)) ::shutdown(client, SHUT_RDWR);
  }
  ::close(file);
}

bool SlowServer::pause(double seconds) {
  MutexLock lock(mutex_);
  if (seconds > 0) stopped_.wait_for(lock, std::chrono::duration<double>(seconds), [this]() REQUIRES(mutex_) { return stop_; });
  return !stop_;
}

bool SlowServer::send_paced(int client, int file, std::uint64_t begin, std::uint64_t end) {
  const double rate = options_.bytes_per_second;
  const auto piece_size = static_cast<std::size_t>(rate > 0 ? std::clamp(rate * seconds_per_piece, 1024.0, 1048576.0) : 1048576.0);
  std::vector<char> piece(piece_size);
  auto due = Clock::now();
  while (begin < end) {
    const std::size_t wanted = std::min<std::uint64_t>(piece_size, end - begin);
    const ssize_t count = ::pread(file, piece.data(), wanted, static_cast<off_t>(begin));
    if (count <= 0) return false;
    // What goes out now should have taken its time before: a body is there at its rate, never sooner.
    if (rate > 0) {
      due += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(static_cast<double>(count) / rate));
      if (!pause(std::chrono::duration<double>(due - Clock::now()).count())) return false;
    }
    if (!send_all(client, {piece.data(), static_cast<std::size_t>(count)})) return false;
    begin += static_cast<std::uint64_t>(count);
  }
  return true;
}

}  // namespace tuile::bench
