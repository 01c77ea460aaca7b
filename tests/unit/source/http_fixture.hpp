#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/fault_server.hpp"
#include "tuile/core/error.hpp"
#include "tuile/source/http.hpp"

namespace tuile::source {

using test::Fault;
using test::FaultServer;
using test::FaultSettings;
using test::ServerAnswer;
using test::ServerRequest;
using TestClock = std::chrono::steady_clock;

/// Options whose delays a test can afford: no rate limit, pauses of milliseconds, Retry-After obeyed for 20 ms.
inline HttpOptions quick_options() {
  HttpOptions options;
  options.requests_per_second = 0;
  options.timeout = 10;
  options.retries = 3;
  options.retry_delay = 0.001;
  options.longest_delay = 0.02;
  options.breaker_failures = 1000;
  return options;
}

/// Collects log lines from any thread.
class LogBook {
 public:
  std::function<void(const std::string&)> writer() {
    return [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
    };
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  int count(const std::string& part) const {
    int found = 0;
    for (const std::string& line : lines()) found += line.find(part) != std::string::npos ? 1 : 0;
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// Waits until `condition` holds, half a minute at most.
template <class Condition>
bool eventually(Condition&& condition) {
  const auto end = TestClock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (TestClock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

/// What `call` throws, as text; empty where it throws nothing. Fails the test where it is of another type.
template <class Expected, class Call>
std::string thrown_by(Call&& call) {
  try {
    call();
  } catch (const Expected& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type of error: " << error.what();
    return {};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace tuile::source
