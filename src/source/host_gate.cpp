#include "source/host_gate.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "source/http_shared_bucket.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::source {
namespace {

using std::chrono::duration;
using std::chrono::duration_cast;
using std::chrono::nanoseconds;

std::string seconds_text(Clock::duration time) {
  return std::to_string(std::max(1L, std::lround(std::ceil(duration<double>(time).count())))) + " s";
}

void say(const GateRules& rules, const std::string& line) {
  if (rules.log) rules.log(line);
}

}  // namespace

double HostGate::burst(double requests_per_second) noexcept { return std::max(1.0, std::min(5.0, std::floor(requests_per_second / 4))); }

void HostGate::with_shared(const GateRules& rules, const std::stop_token& stop, const std::function<void(Clock::time_point)>& change) {
  if (rules.shared_folder.empty()) {
    const MutexLock lock(mutex_);
    change(Clock::now());
    return;
  }
  // What is farther ahead than anybody can have put it comes from a clock that was wrong, or from a damaged file.
  const double interval = rules.requests_per_second > 0 ? 1 / rules.requests_per_second : 0;
  const nanoseconds sane = duration_cast<nanoseconds>(from_seconds(std::max({120.0, 2 * rules.longest_delay, 64 * interval})));
  const std::string problem = update_shared_times(
      rules.shared_folder, origin_,
      [&](SharedTimes& times) {
        const MutexLock lock(mutex_);
        const Clock::time_point now = Clock::now();
        const std::int64_t wall = duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
        const auto merge = [&](Clock::time_point& ours, std::int64_t theirs) {
          if (theirs > wall && theirs - wall < sane.count())
            ours = std::max(ours, now + duration_cast<Clock::duration>(nanoseconds(theirs - wall)));
        };
        merge(next_due_, times.next_due);
        merge(closed_until_, times.closed_until);
        change(now);
        const auto share = [&](Clock::time_point ours, std::int64_t& theirs) {
          const std::int64_t value = wall + duration_cast<nanoseconds>(ours - now).count();
          // Unless ours came from there: conversions would let it creep.
          if (theirs - wall >= sane.count() || (ours > now && std::abs(value - theirs) > 1000)) theirs = ours > now ? value : wall;
        };
        share(next_due_, times.next_due);
        share(closed_until_, times.closed_until);
      },
      stop);
  if (problem.empty()) return;
  bool first = false;
  {
    const MutexLock lock(mutex_);
    change(Clock::now());
    first = !std::exchange(unshared_said_, true);
  }
  if (first) say(rules, "the request rate of " + origin_ + " is not shared with other processes: " + problem);
}

HostGate::Turn HostGate::take_turn(const GateRules& rules, const std::stop_token& stop) {
  Turn turn{};
  with_shared(rules, stop, [&](Clock::time_point now) REQUIRES(mutex_) {
    if (closed_until_ > now) {
      turn = {closed_until_, true};
      return;
    }
    turn = {now, false};
    if (rules.requests_per_second <= 0) return;
    const Clock::duration interval = from_seconds(1 / rules.requests_per_second);
    const Clock::duration early = from_seconds((burst(rules.requests_per_second) - 1) / rules.requests_per_second);
    turn.at = std::max(now, next_due_ - early);
    next_due_ = std::max(now, next_due_) + interval;
  });
  return turn;
}

HostGate::Pass HostGate::enter(const GateRules& rules, const std::stop_token& stop) {
  while (true) {
    refuse_if_open();
    const Turn turn = take_turn(rules, stop);
    if (turn.at > Clock::now()) {
      wait_until(turn.at, stop, "the request rate that the host allows");
      // It may have been closed meanwhile. The slot is then lost: kept ones would all come at once when it opens.
      bool closed = turn.closed;
      if (!closed) with_shared(rules, stop, [&](Clock::time_point now) REQUIRES(mutex_) { closed = closed_until_ > now; });
      if (closed) continue;
    }
    throw_if_stopped(stop, "the request rate that the host allows");
    return claim(rules);
  }
}

HostGate::Pass HostGate::claim(const GateRules& rules) {
  const MutexLock lock(mutex_);
  throw_if_open(Clock::now());
  const bool probe = open_;
  probing_ = probing_ || probe;
  return Pass(*this, probe, rules);
}

void HostGate::refuse_if_open() const {
  const MutexLock lock(mutex_);
  throw_if_open(Clock::now());
}

void HostGate::throw_if_open(Clock::time_point now) const {
  if (!open_ || (now >= open_until_ && !probing_)) return;
  throw BreakerOpen(
      origin_ + " failed " + std::to_string(failures_) + " times in a row and is not asked " +
      (now < open_until_ ? "for another " + seconds_text(open_until_ - now) : "until one request has shown that it answers again") +
      "; check the network and the state of the service, then run the same command again");
}

void HostGate::close_for(double seconds, const GateRules& rules, const std::stop_token& stop) {
  const Clock::duration time = from_seconds(std::min(seconds, rules.longest_delay));
  with_shared(rules, stop, [&](Clock::time_point now) REQUIRES(mutex_) { closed_until_ = std::max(closed_until_, now + time); });
  say(rules, origin_ + " wants to be left alone for " + seconds_text(from_seconds(seconds)) +
                 (seconds > rules.longest_delay ? ", is for " + seconds_text(time) : ""));
}

void HostGate::report(bool probe, bool answered, const GateRules& rules) {
  std::string line;
  {
    const MutexLock lock(mutex_);
    if (probe) probing_ = false;
    if (answered) {
      failures_ = 0;
      if (std::exchange(open_, false)) line = origin_ + " answers again";
    } else {
      failures_ += 1;
      if ((probe && open_) || (!open_ && failures_ >= rules.breaker_failures)) {
        open_ = true;
        const Clock::duration pause = from_seconds(rules.breaker_pause);
        open_until_ = Clock::now() + pause;
        line = origin_ + " failed " + std::to_string(failures_) + " times in a row and is not asked for " + seconds_text(pause);
      }
    }
  }
  if (!line.empty()) say(rules, line);
}

void HostGate::abandon() {
  const MutexLock lock(mutex_);
  probing_ = false;
}

HostGate::Pass::~Pass() {
  if (gate_ != nullptr && probe_) gate_->abandon();
}
void HostGate::Pass::answered() {
  if (HostGate* const gate = std::exchange(gate_, nullptr)) gate->report(probe_, true, *rules_);
}
void HostGate::Pass::failed() {
  if (HostGate* const gate = std::exchange(gate_, nullptr)) gate->report(probe_, false, *rules_);
}

HostGate& gate_of(const std::string& origin) {
  // Never destroyed: a client may outlive any static object.
  static auto& mutex = *new Mutex;
  static auto& gates = *new std::map<std::string, std::unique_ptr<HostGate>>;
  const MutexLock lock(mutex);
  std::unique_ptr<HostGate>& gate = gates[origin];
  if (!gate) gate = std::make_unique<HostGate>(origin);
  return *gate;
}

}  // namespace tuile::source
