#include "tuile/pipeline/trace.hpp"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tuile/core/error.hpp"

namespace tuile::pipeline {

void Trace::add(const char* stage, const std::string& tile, Clock::time_point begin, Clock::time_point end) {
  const auto micros = [](Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); };
  const std::lock_guard lock(mutex_);
  events_.push_back({stage, tile, micros(begin - start_), micros(end - begin), static_cast<int>(::gettid())});
}

void Trace::save(const std::string& path) const {
  nlohmann::json events = nlohmann::json::array();
  {
    const std::lock_guard lock(mutex_);
    for (const Event& e : events_) {
      events.push_back({{"name", e.tile},
                        {"cat", e.stage},
                        {"ph", "X"},
                        {"ts", e.begin_us},
                        {"dur", e.duration_us},
                        {"pid", ::getpid()},
                        {"tid", e.thread},
                        {"args", {{"stage", e.stage}}}});
    }
  }
  std::ofstream file(path);
  if (!file) throw_errno(errno, "create", path);
  file << nlohmann::json{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}}.dump(-1, ' ', false,
                                                                                             nlohmann::json::error_handler_t::replace)
       << '\n';
  file.flush();
  if (!file) throw IoError("cannot write the trace to " + path + "; is the disk full?");
}

}  // namespace tuile::pipeline
