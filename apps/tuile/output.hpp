#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace tuile::app {

/// Nobody reads the standard output any more (`tuile info *.laz | head -1`). No std::exception, so that nothing on its way to main() takes
/// it for the failure of a tile.
struct ReaderGone {};

/// The standard output. Its functions throw ReaderGone, and IoError where it cannot be written.
class Output {
 public:
  explicit Output(bool quiet) : quiet_(quiet) {}

  /// What the command was asked for.
  void result(std::string_view text);
  void json(const nlohmann::ordered_json& value);
  /// What it says of its work; nothing with --quiet.
  void report(std::string_view text);

  void flush();

 private:
  bool quiet_;
};

}  // namespace tuile::app
