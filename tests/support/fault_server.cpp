#include "support/fault_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <list>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "support/fault_answers.hpp"

namespace tuile::test {
namespace {

// Clients here must not ask a proxy of the machine for what is on loopback. Before main: no other thread reads the environment yet.
[[maybe_unused]] const bool without_proxy = ::setenv("no_proxy", "127.0.0.1", 1) == 0;

/// port: wanted, or 0; then the one that it is.
int listen_on_loopback(int& port) {
  // Hosts are remembered by their port for the life of a process: none comes twice.
  static std::mutex mutex;
  static std::set<int> used;
  const std::lock_guard lock(mutex);
  std::vector<int> taken;
  int descriptor = -1;
  for (int tries = 0; tries < 100 && descriptor < 0; ++tries) {
    const int candidate = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const int reuse = 1;  // a port that was named may still remember the connections of who had it before
    if (port != 0) ::setsockopt(candidate, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (candidate < 0 || ::bind(candidate, generic, length) != 0 || ::listen(candidate, 128) != 0 ||
        ::getsockname(candidate, generic, &length) != 0) {
      throw std::runtime_error("cannot listen on 127.0.0.1");
    }
    const int given = ntohs(address.sin_port);
    if (used.insert(given).second || given == port) {
      port = given;
      descriptor = candidate;
    } else {
      taken.push_back(candidate);
    }
  }
  for (const int socket : taken) ::close(socket);
  if (descriptor < 0) throw std::runtime_error("no port was left that this process had not used");
  return descriptor;
}

}  // namespace

struct FaultServer::Impl {
  Impl(Handler good, Rule faults, FaultSettings how) : handler(std::move(good)), rule(std::move(faults)), settings(how) {
    port = settings.port;
    listener = listen_on_loopback(port);
    wake = ::eventfd(0, EFD_CLOEXEC);
    acceptor = std::thread([this] { accept_all(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      for (Connection& connection : connections) {
        if (connection.descriptor >= 0) ::shutdown(connection.descriptor, SHUT_RDWR);
      }
    }
    ::eventfd_write(wake, 1);
    changed.notify_all();
    acceptor.join();
    for (Connection& connection : connections) connection.thread.join();
    if (listener >= 0) ::close(listener);
    ::close(wake);
  }

  struct Connection {
    std::uint64_t number = 0;
    int descriptor = -1;  // guarded by mutex; the thread closes it and sets -1
    std::thread thread;
  };

  void accept_all() {
    while (true) {
      pollfd watched[2] = {{listener, POLLIN, 0}, {wake, POLLIN, 0}};
      if (::poll(watched, 2, -1) < 0 && errno != EINTR) return;
      const std::lock_guard lock(mutex);
      if (stopping) return;
      if (gone) {
        ::close(listener);
        listener = -1;
        return;
      }
      const int descriptor = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) continue;
      const int on = 1;
      ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      Connection& connection = connections.emplace_back();
      connection.number = accepted++;
      connection.descriptor = descriptor;
      connection.thread = std::thread([this, &connection, descriptor] {
        serve(connection.number, descriptor);
        const std::lock_guard closing(mutex);
        connection.descriptor = -1;
        ::close(descriptor);
      });
    }
  }

  void serve(std::uint64_t connection, int descriptor) {
    std::string pending;
    while (true) {
      ServerRequest request;
      if (!read_request(descriptor, pending, request)) return;
      request.connection = connection;
      {
        const std::lock_guard lock(mutex);
        request.number = seen.size();
        request.at = std::chrono::steady_clock::now();
        seen.push_back(request);
        waiting += 1;
        most_waiting = std::max(most_waiting, waiting);
      }
      Fault fault = rule ? rule(request) : Fault::none;
      ServerAnswer answer;
      if (spoils_good_answer(fault)) answer = handler(request);
      answer = faulty_answer(fault, std::move(answer), request, settings);
      const bool go_on = pause(settings.latency);
      {
        const std::lock_guard lock(mutex);
        waiting -= 1;
      }
      if (!go_on || !send_answer(descriptor, fault, answer)) return;
    }
  }

  /// False where the connection ended.
  bool read_request(int descriptor, std::string& pending, ServerRequest& request) {
    std::size_t end = 0;
    while ((end = pending.find("\r\n\r\n")) == std::string::npos) {
      if (!receive(descriptor, pending)) return false;
    }
    std::size_t begin = pending.find("\r\n") + 2;
    const std::string line = pending.substr(0, begin - 2);
    const std::size_t blank = line.find(' '), second = line.rfind(' ');
    if (blank == std::string::npos || second <= blank) return false;
    request.method = line.substr(0, blank);
    request.target = line.substr(blank + 1, second - blank - 1);
    while (begin < end + 2) {
      const std::size_t line_end = pending.find("\r\n", begin);
      const std::string header = pending.substr(begin, line_end - begin);
      const std::size_t colon = header.find(':');
      if (colon != std::string::npos) {
        const std::size_t value = std::min(header.find_first_not_of(' ', colon + 1), header.size());
        request.headers[lower_case(header.substr(0, colon))] = header.substr(value);
      }
      begin = line_end + 2;
    }
    pending.erase(0, end + 4);
    std::size_t length = 0;
    if (const auto found = request.headers.find("content-length"); found != request.headers.end()) {
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), length);
    }
    while (pending.size() < length) {
      if (!receive(descriptor, pending)) return false;
    }
    request.body = pending.substr(0, length);
    pending.erase(0, length);
    const std::size_t mark = std::min(request.target.find('?'), request.target.size());
    request.path = url_decode(request.target.substr(0, mark));
    if (mark < request.target.size()) add_query(request.target.substr(mark + 1), request.query);
    if (request.headers["content-type"].starts_with("application/x-www-form-urlencoded")) add_query(request.body, request.query);
    return true;
  }

  static bool receive(int descriptor, std::string& pending) {
    char bytes[16384];
    ssize_t got = 0;
    while ((got = ::recv(descriptor, bytes, sizeof(bytes), 0)) < 0 && errno == EINTR) {
    }
    if (got <= 0) return false;
    pending.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  static bool send_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// False where the server is being stopped.
  bool pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex);
    return !changed.wait_for(lock, time, [this] { return stopping; });
  }

  /// False where the connection is to end.
  bool send_answer(int descriptor, Fault fault, const ServerAnswer& answer) {
    const std::string& body = answer.body;
    switch (fault) {
      case Fault::silence: {
        // Until the client goes away, or the server does (it shuts the connection down).
        std::string ignored;
        while (receive(descriptor, ignored)) ignored.clear();
        return false;
      }
      case Fault::slow: {
        if (!send_all(descriptor, head_text(answer, body.size()))) return false;
        const std::size_t piece = body.size() / std::max<std::size_t>(settings.slow_pieces, 1) + 1;
        for (std::size_t at = 0; at < body.size(); at += piece) {
          if (!pause(settings.slow_pause) || !send_all(descriptor, std::string_view(body).substr(at, piece))) return false;
        }
        return true;
      }
      case Fault::reset: {
        const linger at_once{1, 0};
        ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        return false;
      }
      case Fault::truncated:
        // One byte more is promised than there is, so that an empty body is cut short as well.
        send_all(descriptor, head_text(answer, body.size() + (body.empty() ? 1 : 0)) + body.substr(0, body.size() / 2));
        return false;
      case Fault::broken_chunks: {
        ServerAnswer chunked = answer;
        chunked.headers.emplace_back("Transfer-Encoding", "chunked");
        char size[24];
        const std::string half = body.substr(0, (body.size() + 1) / 2);
        const auto [end, error] = std::to_chars(size, size + sizeof(size), half.size(), 16);
        const std::string chunk = half.empty() ? "" : std::string(size, end) + "\r\n" + half + "\r\n";
        send_all(descriptor, head_text(chunked, std::string::npos) + chunk + "this is no chunk size\r\n");
        return false;
      }
      case Fault::garbage: send_all(descriptor, "\x16\x03\x01 this is no HTTP\n\n\x80\xFF\n"); return false;
      case Fault::huge: {
        if (!send_all(descriptor, head_text({200, "application/json", "", {}}, settings.huge_bytes))) return false;
        const std::string blanks(65536, ' ');
        for (std::size_t left = settings.huge_bytes; left > 0;) {
          const std::size_t now = std::min(left, blanks.size());
          if (!send_all(descriptor, std::string_view(blanks).substr(0, now))) return false;
          left -= now;
        }
        return true;
      }
      case Fault::gone: {
        {
          const std::lock_guard lock(mutex);
          gone = true;
          for (Connection& connection : connections) {
            if (connection.descriptor >= 0) ::shutdown(connection.descriptor, SHUT_RDWR);
          }
        }
        ::eventfd_write(wake, 1);
        return false;
      }
      default: return send_all(descriptor, head_text(answer, body.size()) + body);
    }
  }

  const Handler handler;
  const Rule rule;
  const FaultSettings settings;
  int port = 0;
  int wake = -1;
  std::thread acceptor;

  std::mutex mutex;
  std::condition_variable changed;
  int listener = -1;  // closed by the acceptor where the fault is `gone`
  bool stopping = false;
  bool gone = false;
  std::list<Connection> connections;  // never shrinks: a test has few
  std::vector<ServerRequest> seen;
  std::uint64_t accepted = 0;
  int waiting = 0, most_waiting = 0;
};

FaultServer::FaultServer(Handler handler, Rule rule, FaultSettings settings)
    : impl_(std::make_unique<Impl>(std::move(handler), std::move(rule), settings)) {}
FaultServer::~FaultServer() = default;

int FaultServer::port() const noexcept { return impl_->port; }
std::string FaultServer::url(const std::string& target) const { return "http://127.0.0.1:" + std::to_string(impl_->port) + target; }

std::vector<ServerRequest> FaultServer::requests() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->seen;
}
std::uint64_t FaultServer::request_count() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->seen.size();
}
std::uint64_t FaultServer::connection_count() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->accepted;
}
int FaultServer::most_at_once() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->most_waiting;
}

}  // namespace tuile::test
