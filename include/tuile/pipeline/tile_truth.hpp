#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/config/config.hpp"
#include "tuile/core/bounds.hpp"
#include "tuile/core/ground_truth.hpp"

namespace tuile::pipeline {

/// What was fetched for one tile.
struct TileTruth {
  std::string source, edition;
  Bounds bounds;  ///< of the tile, metres
  int epsg = 0;
  struct Layer {
    std::string name;
    Outcome outcome = Outcome::not_requested;
    std::uint64_t features = 0;
    std::string reason;  ///< where the outcome is truncated or failed
  };
  std::vector<Layer> layers;
};

/// Fetches the ground-truth layers of a tile, as `config.ground_truth` says (its source must not be none), and writes them to a GeoPackage,
/// for a look in QGIS: the features as the source has them, unfiltered, in the tile's CRS. A layer whose outcome is not sound is left out,
/// so that it cannot be taken for an empty one. Throws as reading the tile's header, as making the services, Cancelled, InvalidArgument
/// (CRS unknown), IoError for the output.
TileTruth write_tile_truth(const config::Config& config, const std::string& tile, const std::string& output,
                           const std::function<void(const std::string&)>& log, std::stop_token stop);

}  // namespace tuile::pipeline
