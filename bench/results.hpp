#pragma once

#include <filesystem>
#include <string>

#include "machine.hpp"
#include "suite.hpp"

namespace tuile::bench {

/// What a results file says besides its rows.
struct ResultsHead {
  std::string version, commit;  ///< of tuile; commit may be empty
  std::string date;             ///< UTC, e.g. "2026-01-31T12:00:00Z"
  Machine machine;
  Sizes sizes;
};

/// The rows and what was left out as one JSON object (text), as `tuile bench --json` prints it.
std::string rows_json(const Outcome& outcome);

/// The same with the head: what bench/plot.py reads. A figure that is no number becomes null.
std::string results_json(const ResultsHead& head, const Outcome& outcome);

/// Writes results_json to `<folder>/<day>-<machine>.json`, replacing one of the same day and machine. Returns its path. Throws IoError,
/// PermissionDenied.
std::filesystem::path write_results(const std::filesystem::path& folder, const ResultsHead& head, const Outcome& outcome);

}  // namespace tuile::bench
