#pragma once

#include <stop_token>
#include <thread>

namespace tuile::app {

/// Turns SIGINT and SIGTERM into a stop request; a second one ends the process at once with status 130.
/// Create it before any other thread: they inherit its signal mask.
class SignalStop {
 public:
  SignalStop();
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread requester_;  ///< the watcher's own until that is joined
  std::jthread watcher_;    ///< last: uses the others
};

}  // namespace tuile::app
