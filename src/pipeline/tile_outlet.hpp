#pragma once

#include <memory>
#include <string>

#include "pipeline/computed_tile.hpp"
#include "pipeline/run_setup.hpp"
#include "tuile/pipeline/run_summary.hpp"

namespace tuile::pipeline {

/// Where the finished tiles of a run go: to files, or to whoever asked for them.
class TileOutlet {
 public:
  virtual ~TileOutlet() = default;
  /// Once, before the first tile. Throws PermissionDenied, NotFound (a file in its way), IoError for the output folder.
  virtual void prepare() {}
  /// Takes a finished tile; from any writer's thread, several at once. What it throws is the tile's failure.
  virtual void take(const PlannedTile& planned, ComputedTile& computed) = 0;
  /// Where the rows of tiles go that memory does not hold.
  virtual std::string spill_folder() const = 0;
  /// Once, after the last tile, with the whole summary. Throws IoError, PermissionDenied.
  virtual void report(const RunSummary&) {}
};

/// The outlet that the options ask for. setup must outlive it.
std::unique_ptr<TileOutlet> make_outlet(RunSetup& setup);

}  // namespace tuile::pipeline
