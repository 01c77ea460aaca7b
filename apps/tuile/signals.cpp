#include "signals.hpp"

#include <unistd.h>

#include <csignal>
#include <ctime>

#include "command.hpp"

namespace tuile::app {

SignalStop::SignalStop() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A file-size limit or a closed pipe is an error to report, not a reason to die.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  watcher_ = std::jthread([this, signals](const std::stop_token& end) {
    const timespec tick{0, 100'000'000};
    while (!end.stop_requested()) {
      if (sigtimedwait(&signals, nullptr, &tick) <= 0) continue;
      if (requester_.joinable()) ::_exit(interrupted);
      // On a thread of its own: what the request wakes may take its time, and the next signal must still be heard.
      requester_ = std::jthread([this] { source_.request_stop(); });
    }
  });
}

}  // namespace tuile::app
