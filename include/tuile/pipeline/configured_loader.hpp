#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "tuile/config/config.hpp"
#include "tuile/core/bounds.hpp"
#include "tuile/core/ground_truth.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/label/label.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::pipeline {

struct ConfiguredLoaderOptions {
  /// What is loaded from where: crs, ground_truth, imagery, prefetch.retries and .timeout, memory.budget, threads; the rest is not used.
  config::Config config;
  FieldSet fields = {0xF};                       ///< attributes to decode where a file has them
  int num_workers = 2;                           ///< I/O threads; 0: loads run in get
  std::size_t cache_size = 3;                    ///< tiles kept
  bool keep_preloaded = false;                   ///< as prefetch::LoaderOptions
  std::function<void(const std::string&)> warn;  ///< one line each, from any thread
};

/// A tile and its ground truth; null where none was asked for or none of its layers can be had.
struct LoadedTile {
  prefetch::TileHandle tile;
  Bounds bounds;  ///< metres: the header's, cut by the box that was asked for
  int epsg = 0;   ///< 0: unknown
  std::shared_ptr<const GroundTruth> truth;
  std::string truth_failure;  ///< why ground truth that was asked for is null, or which of its layers are not sound; else empty
};

/// The loader's statistics and those of the ground truth that came with its tiles.
struct ConfiguredLoaderStatistics {
  prefetch::LoaderStatistics loader;
  std::uint64_t wfs_fetches = 0;   ///< tiles whose ground truth came, every layer of it sound
  std::uint64_t wfs_failures = 0;  ///< tiles whose ground truth was asked for and cannot be had, or not all of it
  /// The statistics as a block of text, one item a line.
  std::string text() const;
};

/// An AsyncTileLoader with everything that stands behind it: files and servers, decoder, ground truth and imagery as a configuration says.
/// What the library's users load tiles with when they do not run the main job. Thread-safe.
class ConfiguredLoader {
 public:
  /// Throws InvalidArgument, ConfigError (ground truth or imagery that cannot be used).
  explicit ConfiguredLoader(ConfiguredLoaderOptions options);
  ~ConfiguredLoader();
  ConfiguredLoader(const ConfiguredLoader&) = delete;
  ConfiguredLoader& operator=(const ConfiguredLoader&) = delete;

  /// Returns within 1 ms. with_truth: its ground truth is fetched beside the decode; without effect where the configuration has none.
  prefetch::TileFuture preload(const std::string& path, std::optional<Bounds> bbox = std::nullopt, bool with_truth = true);

  /// As AsyncTileLoader::get_tile, and then waits for the ground truth, too, within the same timeout; a failed fetch is no error. Where the
  /// tile was loaded without, the fetch begins now. Throws Cancelled after `stop` was requested (the load goes on).
  LoadedTile get(const std::string& path, std::optional<std::chrono::duration<double>> timeout = std::nullopt,
                 std::optional<Bounds> bbox = std::nullopt, bool with_truth = true, std::stop_token stop = {});

  /// As TileFuture::ready of this request.
  bool is_ready(const std::string& path, std::optional<Bounds> bbox = std::nullopt) const;
  /// How the configuration's layers label points; null where it names no source. As long as this lives.
  const label::LabelPlan* label_plan() const noexcept;
  bool has_ground_truth() const noexcept;  ///< whether the configuration names a source
  prefetch::AsyncTileLoader& loader() noexcept;
  ConfiguredLoaderStatistics statistics() const;
  /// As AsyncTileLoader::shutdown, of everything.
  void shutdown();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuile::pipeline
