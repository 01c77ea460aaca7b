#include "pipeline/load_chain.hpp"

#include <chrono>
#include <utility>

namespace tuile::pipeline {

namespace {

/// The share of a tile's time that its images get: what is left is for the points, which the tile can't go without.
constexpr double image_share = 0.8;

prefetch::TileReaderOptions with_store(prefetch::TileReaderOptions options, const Services& services) {
  options.store = services.store.get();
  return options;
}

}  // namespace

LoadChain::LoadChain(const Services& services, Executor& executor, Options options)
    : services_(services),
      executor_(executor),
      options_(std::move(options)),
      reader_(with_store(options_.reader, services), executor),
      truth_threads_(services.truth && !options_.sequential ? services.truth->threads : 0),
      image_threads_(services.imagery && !options_.sequential ? services.imagery->threads : 0) {
  if (services.truth) truth_.emplace(*services.truth->store, truth_threads_);
}

prefetch::Tile LoadChain::load(const prefetch::TileRequest& request, const prefetch::TileAnnotator::Place& place, bool with_truth,
                               std::stop_token stop) {
  const prefetch::TileAnnotator annotator(reader_, executor_,
                                          {.truth = truth_ && with_truth ? &*truth_ : nullptr,
                                           .images = services_.imagery ? services_.imagery->source.get() : nullptr,
                                           .image_threads = &image_threads_,
                                           .colours = options_.colours,
                                           .patience = std::chrono::duration<double>(image_share * options_.timeout)});
  return annotator.load(request, place, std::move(stop));
}

prefetch::Tile LoadChain::load_halo(const prefetch::TileRequest& request, std::stop_token stop) {
  return reader_.load(request, std::move(stop));
}

void LoadChain::shutdown() {
  truth_threads_.shutdown();
  image_threads_.shutdown();
}

}  // namespace tuile::pipeline
