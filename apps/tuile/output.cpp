#include "output.hpp"

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>

#include "tuile/core/error.hpp"

namespace tuile::app {

namespace {

/// After a write that failed.
[[noreturn]] void fail(int error) {
  if (error == EPIPE) throw ReaderGone{};
  throw IoError("cannot write to the standard output: " + std::generic_category().message(error));
}

}  // namespace

void Output::result(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail(errno);
  flush();  // a reader that has enough shall be noticed now
}

void Output::json(const nlohmann::ordered_json& value) {
  result(value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void Output::report(std::string_view text) {
  if (!quiet_) result(text);
}

void Output::flush() {
  errno = 0;
  if (std::fflush(stdout) != 0) fail(errno);
}

}  // namespace tuile::app
