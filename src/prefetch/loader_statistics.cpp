#include <cmath>
#include <string>

#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::prefetch {

namespace {

/// "90.0%"; made from integers so that the process's locale cannot turn the point into a comma.
std::string percent(double ratio) {
  const auto tenths = std::llround(ratio * 1000.0);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "%";
}

std::string milliseconds(double value) { return std::to_string(std::llround(value)) + "ms"; }

}  // namespace

std::string LoaderStatistics::text() const {
  std::string text = "🔄 AsyncTileLoader Statistics:\n";
  text += "   Tiles Loaded: " + std::to_string(tiles_loaded) + "\n";
  if (loads_failed > 0 || retries > 0) {
    text += "   Loads Failed: " + std::to_string(loads_failed) + " (retries=" + std::to_string(retries) + ")\n";
  }
  text += "   Cache Hit Rate: " + percent(cache_hit_rate()) + " (hits=" + std::to_string(hits_ready + hits_in_flight) +
          ", misses=" + std::to_string(misses) + ")\n";
  text += "   Avg I/O Time: " + milliseconds(avg_io_time_ms()) + "\n";
  text += "   Avg Wait Time: " + milliseconds(avg_wait_time_ms()) + "\n";
  return text;
}

}  // namespace tuile::prefetch
