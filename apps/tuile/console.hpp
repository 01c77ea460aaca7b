#pragma once

#include <string>

#include "tuile/core/mutex.hpp"

namespace tuile::app {

/// stderr: log lines and a progress line that do not tear each other. Colours only on a terminal and without NO_COLOR. Thread-safe.
class Console {
 public:
  enum class Level { quiet, normal, verbose };
  Console();
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void set_level(Level level) { level_ = level; }
  bool terminal() const noexcept { return terminal_; }

  void error(const std::string& text) { line("error: ", "\033[31m", text, Level::quiet); }
  void warn(const std::string& text) { line("warning: ", "\033[33m", text, Level::normal); }
  void info(const std::string& text) { line("", "", text, Level::normal); }
  void detail(const std::string& text) { line("", "", text, Level::verbose); }

  /// Replaces the progress line (on a terminal only); "" removes it.
  void progress(const std::string& text);

 private:
  void line(const char* prefix, const char* colour, const std::string& text, Level needed);
  void erase_progress() REQUIRES(mutex_);

  const bool terminal_, colours_;
  Level level_ = Level::normal;
  Mutex mutex_;
  std::string progress_ GUARDED_BY(mutex_);
};

}  // namespace tuile::app
