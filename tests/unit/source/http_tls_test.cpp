// That a host whose certificate nobody vouches for is refused, against the server of the openssl program.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "http_fixture.hpp"
#include "support/temporary_folder.hpp"

namespace tuile::source {
namespace {

/// `openssl s_server` on a free port of 127.0.0.1, ended by the destructor.
class TlsServer {
 public:
  explicit TlsServer(const std::string& certificate) {
    int ends[2];
    if (::pipe(ends) != 0) return;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclose(&actions, ends[0]);
    const char* const arguments[] = {"openssl",           "s_server", "-accept",           "127.0.0.1:0", "-cert",
                                     certificate.c_str(), "-key",     certificate.c_str(), "-www",        nullptr};
    if (::posix_spawnp(&child_, "openssl", &actions, nullptr, const_cast<char**>(arguments), environ) != 0) child_ = -1;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    std::string said;
    char byte = 0;
    while (port_ == 0 && ::read(ends[0], &byte, 1) == 1) {
      said += byte;
      if (byte != '\n') continue;
      if (const std::size_t at = said.find("ACCEPT 127.0.0.1:"); at != std::string::npos) port_ = std::atoi(said.c_str() + at + 17);
      said.clear();
    }
    output_ = ends[0];  // open until the end: what the server says must have somewhere to go
  }
  ~TlsServer() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    if (output_ >= 0) ::close(output_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  int port() const noexcept { return port_; }

 private:
  pid_t child_ = -1;
  int output_ = -1;
  int port_ = 0;
};

TEST(HttpTls, AHostThatNobodyVouchesForIsRefusedAndNotRetried) {
  const test::TemporaryFolder folder;
  const std::string pair = folder / "pair.pem";
  const std::string command =
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout '" + pair +
      "' -out '" + pair + ".crt' >/dev/null 2>&1 && cat '" + pair + ".crt' >> '" + pair + "'";
  if (std::system(command.c_str()) != 0) GTEST_SKIP() << "the openssl program is not there";
  const TlsServer server(pair);
  if (server.port() == 0) GTEST_SKIP() << "openssl s_server does not say where it listens";
  HttpClient client(quick_options());
  const std::string url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  const std::string message = thrown_by<PermissionDenied>([&] { client.fetch({.url = url}, {}, {}); });
  EXPECT_TRUE(contains(message, url)) << message;
  EXPECT_TRUE(contains(message, "certificate")) << message;
  EXPECT_EQ(client.statistics().requests, 1U);
}

TEST(HttpTls, AServerThatSpeaksNoTlsIsAnIoError) {
  const FaultServer server([](const ServerRequest&) { return ServerAnswer{}; });
  HttpOptions options = quick_options();
  options.timeout = 2;
  options.retries = 0;
  HttpClient client(options);
  EXPECT_THROW(client.fetch({.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/"}, {}, {}), IoError);
}

}  // namespace
}  // namespace tuile::source
