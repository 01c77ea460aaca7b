#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include "pipeline/services.hpp"
#include "prefetch/background_fetch.hpp"
#include "prefetch/tile_annotator.hpp"
#include "prefetch/truth_fetcher.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/host_memory.hpp"
#include "tuile/prefetch/tile_reader.hpp"

namespace tuile::pipeline {

/// What stands behind a loader's loads: the decoder, and what fetches ground truth and images beside it. Thread-safe.
class LoadChain {
 public:
  struct Options {
    prefetch::TileReaderOptions reader;  ///< its store is that of the services
    FieldSet colours;                    ///< that images are asked for
    bool sequential = false;             ///< fetches one after the other, on the thread that waits for them
    double timeout = 300;                ///< prefetch.timeout, seconds
  };
  /// services and executor must outlive it.
  LoadChain(const Services& services, Executor& executor, Options options);

  /// A tile with its colours and, `with_truth`, a ticket for its ground truth. Errors as TileAnnotator::load.
  prefetch::Tile load(const prefetch::TileRequest& request, const prefetch::TileAnnotator::Place& place, bool with_truth,
                      std::stop_token stop);
  /// A neighbour's part: points alone. Errors as TileReader::load.
  prefetch::Tile load_halo(const prefetch::TileRequest& request, std::stop_token stop);

  prefetch::TileReader& reader() noexcept { return reader_; }
  /// The ground truth of a place; services.truth is not null.
  std::shared_ptr<const prefetch::TruthTicket> start_truth(const Bounds& box, int epsg) { return truth_->start(box, epsg); }
  double truth_wait_seconds() const { return truth_threads_.statistics().waited_seconds; }
  double image_wait_seconds() const { return image_threads_.statistics().waited_seconds; }
  /// Ends the fetches.
  void shutdown();

 private:
  const Services& services_;
  Executor& executor_;
  const Options options_;
  prefetch::TileReader reader_;
  prefetch::BackgroundFetch truth_threads_, image_threads_;
  std::optional<prefetch::TruthFetcher> truth_;
};

}  // namespace tuile::pipeline
