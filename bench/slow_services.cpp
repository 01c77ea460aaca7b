#include "slow_services.hpp"

#include <filesystem>

namespace fs = std::filesystem;

namespace tuile::bench {

namespace {

constexpr double store_latency = 0.02;  // seconds per request, as within a country

std::string served_name(std::size_t i, const std::string& path) { return std::to_string(i) + "_" + fs::path(path).filename().string(); }

std::map<std::string, std::string> served(const std::vector<std::string>& tiles) {
  std::map<std::string, std::string> files;
  for (std::size_t i = 0; i < tiles.size(); ++i) files.emplace(served_name(i, tiles[i]), tiles[i]);
  return files;
}

double mean_size(const std::vector<std::string>& tiles) {
  double bytes = 0;
  for (const std::string& tile : tiles) bytes += static_cast<double>(fs::file_size(tile));
  return bytes / static_cast<double>(tiles.size());
}

}  // namespace

SlowStore::SlowStore(const std::vector<std::string>& tiles, double seconds_per_tile)
    : server_({.latency = store_latency, .bytes_per_second = mean_size(tiles) / seconds_per_tile}, served(tiles)) {
  for (std::size_t i = 0; i < tiles.size(); ++i) urls_.push_back(server_.url(served_name(i, tiles[i])));
}

Adjust use_wfs(const SlowServer& server) {
  return [url = server.url("wfs")](config::Config& config) {
    config.ground_truth.source = "wfs";
    config.ground_truth.wfs.url = url;
    config.ground_truth.wfs.service.requests_per_second = 10000;
    config.ground_truth.wfs.service.max_in_flight = wfs_lanes;
    config.ground_truth.cache.disk.reset();
    config.ground_truth.cache.cell = 250;
  };
}

}  // namespace tuile::bench
