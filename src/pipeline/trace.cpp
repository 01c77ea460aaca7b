#include "tuile/pipeline/trace.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>

#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::pipeline {

void Trace::add(const char* stage, const std::string& tile, Clock::time_point begin, Clock::time_point end) {
  const auto micros = [](Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); };
  const MutexLock lock(mutex_);
  events_.push_back({stage, tile, micros(begin - start_), micros(end - begin), static_cast<int>(::gettid())});
}

void Trace::add_device(int device, const char* what, Clock::time_point begin, Clock::time_point end) {
  const auto micros = [](Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); };
  // No thread of Linux has an id as high (and viewers take none below 0).
  constexpr int first_row = (1 << 22) + 1;
  const int row = first_row + 3 * device + (*what == 'u' ? 0 : *what == 'c' ? 1 : 2);
  const MutexLock lock(mutex_);
  events_.push_back({what, what, micros(begin - start_), micros(end - begin), row, "GPU " + std::to_string(device) + " " + what});
}

void Trace::save(const std::string& path) const {
  nlohmann::json events = nlohmann::json::array();
  {
    const MutexLock lock(mutex_);
    std::map<int, std::string> rows;
    for (const Event& e : events_) {
      if (!e.row.empty()) rows.emplace(e.thread, e.row);
      events.push_back({{"name", e.tile},
                        {"cat", e.stage},
                        {"ph", "X"},
                        {"ts", e.begin_us},
                        {"dur", e.duration_us},
                        {"pid", ::getpid()},
                        {"tid", e.thread},
                        {"args", {{"stage", e.stage}}}});
    }
    for (const auto& [thread, name] : rows)
      events.push_back({{"name", "thread_name"}, {"ph", "M"}, {"pid", ::getpid()}, {"tid", thread}, {"args", {{"name", name}}}});
  }
  const nlohmann::json document{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}};
  const std::string text = document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  // In its place, not beside it: the trace may go to a pipe or to /dev/stdout.
  const Descriptor file = open_descriptor(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (!file) throw_errno(errno, "create", path);
  write_all(file.get(), bytes_of(text), path);
}

}  // namespace tuile::pipeline
