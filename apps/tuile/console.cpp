#include "console.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "tuile/core/mutex.hpp"

namespace tuile::app {

namespace {
bool colours_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  return no_color == nullptr || *no_color == '\0';
}
}  // namespace

Console::Console() : terminal_(::isatty(STDERR_FILENO) == 1), colours_(terminal_ && colours_wanted()) {}
Console::~Console() { progress(""); }

void Console::line(const char* prefix, const char* colour, const std::string& text, Level needed) {
  if (level_ < needed) return;
  const MutexLock lock(mutex_);
  erase_progress();
  if (colours_ && *colour != '\0') {
    std::fprintf(stderr, "%s%s\033[0m%s\n", colour, prefix, text.c_str());
  } else {
    std::fprintf(stderr, "%s%s\n", prefix, text.c_str());
  }
  if (!progress_.empty()) std::fputs(progress_.c_str(), stderr);
}

void Console::progress(const std::string& text) {
  if (!terminal_ || level_ == Level::quiet) return;
  const MutexLock lock(mutex_);
  erase_progress();
  progress_ = text;
  std::fputs(progress_.c_str(), stderr);
  std::fflush(stderr);
}

void Console::erase_progress() {
  if (!progress_.empty()) std::fputs("\r\033[K", stderr);
}

}  // namespace tuile::app
