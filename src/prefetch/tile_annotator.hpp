#pragma once

#include <chrono>
#include <memory>
#include <stop_token>

#include "imagery/imagery.hpp"
#include "prefetch/background_fetch.hpp"
#include "prefetch/truth_fetcher.hpp"
#include "tuile/core/bounds.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"
#include "tuile/prefetch/tile_reader.hpp"

namespace tuile::prefetch {

/// Loads tiles with what belongs to them from elsewhere. The fetches begin with the load and go on beside the decode, on threads of their
/// own: ground truth is wanted last and stays a ticket in Tile::truth, colours are part of the points, so a load waits for its images after
/// the decode. Thread-safe.
class TileAnnotator {
 public:
  struct Options {
    TruthFetcher* truth = nullptr;                ///< null: none
    imagery::ImagerySource* images = nullptr;     ///< null: the tile's own colours, as the reader's fields say
    BackgroundFetch* image_threads = nullptr;     ///< with images
    FieldSet colours;                             ///< with images: rgb and nir, as wanted
    std::chrono::duration<double> patience{240};  ///< from the beginning of a load; images that are not there by then have failed
  };
  /// All of them must outlive the annotator.
  TileAnnotator(TileReader& reader, Executor& executor, Options options) : reader_(reader), executor_(executor), options_(options) {}

  /// Where a tile lies, as its header says.
  struct Place {
    Bounds bounds;                 ///< metres
    int epsg = 0;                  ///< 0: unknown
    bool counts_in_metres = true;  ///< the CRS itself; in another unit, nothing can be asked for by its code and our metres
  };
  /// A tile with its annotations; errors as TileReader::load, and InvalidArgument where ground truth is asked for and the CRS is unknown,
  /// Unsupported where it does not count in metres. An image that cannot be had is no error: Tile::colours says what became of it.
  Tile load(const TileRequest& request, const Place& place, std::stop_token stop) const;

 private:
  TileReader& reader_;
  Executor& executor_;
  const Options options_;
};

}  // namespace tuile::prefetch
