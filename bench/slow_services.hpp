#pragma once

#include <string>
#include <vector>

#include "pipeline_run.hpp"
#include "slow_server.hpp"

namespace tuile::bench {

/// The tiles behind a connection so slow that waiting for a tile takes as long as computing it.
class SlowStore {
 public:
  /// seconds_per_tile: that a tile's bytes take on a connection of their own, on the average.
  SlowStore(const std::vector<std::string>& tiles, double seconds_per_tile);
  const std::vector<std::string>& urls() const noexcept { return urls_; }

 private:
  SlowServer server_;
  std::vector<std::string> urls_;
};

/// Ground truth from a WFS on loopback: cells of 250 m, so that every tile waits for its own; kept in memory only, asked without a limit of
/// rate, four requests at a time as by default.
Adjust use_wfs(const SlowServer& server);

/// Requests that may be under way at once with use_wfs.
inline constexpr int wfs_lanes = 4;

}  // namespace tuile::bench
