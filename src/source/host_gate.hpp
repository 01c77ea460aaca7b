#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "source/http_wait.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::source {

using LogLine = std::function<void(const std::string&)>;

/// How a client wants its host to be treated; the state itself is the host's.
struct GateRules {
  double requests_per_second = 0;  ///< 0: no limit
  double longest_delay = 60;       ///< seconds that a Retry-After is obeyed for
  int breaker_failures = 12;
  double breaker_pause = 30;  ///< seconds
  std::string shared_folder;  ///< empty: this process only
  LogLine log;
};

/// Not sent: the breaker of the host is open.
class BreakerOpen : public Error {
 public:
  explicit BreakerOpen(const std::string& message) : Error(ErrorKind::io, message) {}
};

/// The way to one host, for all clients of the process: a token bucket, the time until which the host wants to be left alone, and a circuit
/// breaker. Thread-safe.
///
/// The bucket is kept as one number, the time at which the next request would be due were they evenly spaced (GCRA, ITU-T I.371 annex A):
/// a request may come up to (burst − 1) intervals before it is due, and moves it by one interval.
class HostGate {
 public:
  explicit HostGate(std::string origin) : origin_(std::move(origin)) {}
  HostGate(const HostGate&) = delete;
  HostGate& operator=(const HostGate&) = delete;

  /// The right to send one request. Tell what became of it; one that is told nothing (cancelled) says nothing of the host.
  class Pass {
   public:
    Pass(HostGate& gate, bool probe, const GateRules& rules) : gate_(&gate), rules_(&rules), probe_(probe) {}
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    /// The host answered, well or not.
    void answered();
    /// No sound answer came, or a 5xx.
    void failed();

   private:
    HostGate* gate_;  // null once told
    const GateRules* rules_;
    bool probe_;
  };

  /// Waits for a slot of the bucket and for the end of a Retry-After. `rules` must outlive the pass. Throws BreakerOpen, Cancelled.
  Pass enter(const GateRules& rules, const std::stop_token& stop);
  /// Throws BreakerOpen where enter() would, without waiting.
  void refuse_if_open() const;
  /// Nobody enters for `seconds` (at most rules.longest_delay), in other processes either where a folder is shared.
  void close_for(double seconds, const GateRules& rules, const std::stop_token& stop);

  /// Requests that may come at once after a pause: a quarter of a second's worth, 1 to 5.
  static double burst(double requests_per_second) noexcept;

 private:
  struct Turn {
    Clock::time_point at;
    bool closed;  ///< no slot was taken: the gate is closed until then
  };
  Turn take_turn(const GateRules& rules, const std::stop_token& stop);
  Pass claim(const GateRules& rules);
  void throw_if_open(Clock::time_point now) const REQUIRES(mutex_);
  void report(bool probe, bool answered, const GateRules& rules);
  void abandon();
  /// Exchanges the bucket's state with the shared file, if any, around `change` (called once, with mutex_ held).
  void with_shared(const GateRules& rules, const std::stop_token& stop, const std::function<void(Clock::time_point now)>& change)
      EXCLUDES(mutex_);

  const std::string origin_;
  mutable Mutex mutex_;
  Clock::time_point next_due_ GUARDED_BY(mutex_){};
  Clock::time_point closed_until_ GUARDED_BY(mutex_){};
  int failures_ GUARDED_BY(mutex_) = 0;  // in a row
  bool open_ GUARDED_BY(mutex_) = false;
  bool probing_ GUARDED_BY(mutex_) = false;
  Clock::time_point open_until_ GUARDED_BY(mutex_){};
  bool unshared_said_ GUARDED_BY(mutex_) = false;
};

/// The gate of "scheme://host:port", one for the life of the process.
HostGate& gate_of(const std::string& origin);

}  // namespace tuile::source
