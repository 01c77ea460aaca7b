#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tuile::truth {

/// What a service says instead of an answer: an ows:ExceptionReport, a ServiceExceptionReport, or their JSON form.
struct ExceptionReport {
  std::string code, locator, text;

  /// "InvalidParameterValue (typeNames): Feature type … unknown"
  std::string message() const;
  /// The service does not know the layer asked for.
  bool is_unknown_layer() const;
  /// It cannot sort as asked.
  bool is_unsortable() const;
  /// The request itself is refused: asking again cannot help. Everything else (a busy database behind the service) may pass.
  bool is_final() const;
};

/// Nothing where `text` is no report. Damaged reports count as far as they go.
std::optional<ExceptionReport> read_exception_report(std::string_view text);

}  // namespace tuile::truth
