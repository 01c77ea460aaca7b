#pragma once

#include <memory>
#include <stop_token>

#include "prefetch/background_fetch.hpp"
#include "tuile/core/bounds.hpp"
#include "tuile/core/ground_truth.hpp"
#include "tuile/truth/store.hpp"

namespace tuile::prefetch {

/// The ground truth of one tile on its way. What has not begun when the ticket goes is never fetched. Thread-safe; the store must outlive
/// it.
class TruthTicket {
 public:
  ~TruthTicket();
  TruthTicket(const TruthTicket&) = delete;
  TruthTicket& operator=(const TruthTicket&) = delete;
  /// True once nothing is to be waited for any more.
  bool ready() const;
  /// The ground truth, put together once all of its pieces have come; the same object for everybody who asks. Failures of the source are
  /// outcomes. Throws Cancelled and TimeoutError as BackgroundFetch::Ticket::wait, InvalidArgument (bounds that no tile has), and as
  /// TruthStore::load.
  std::shared_ptr<const GroundTruth> wait(std::stop_token stop, BackgroundFetch::Deadline deadline = std::nullopt) const;

 private:
  friend class TruthFetcher;
  struct State;
  explicit TruthTicket(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Fetches ground truth on the threads of a BackgroundFetch: the layers and cells of a tile are tasks of their own, so that they are asked
/// for at the same time. Store and pool must outlive it. Thread-safe.
class TruthFetcher {
 public:
  TruthFetcher(truth::TruthStore& store, BackgroundFetch& pool) : store_(store), pool_(pool) {}
  /// Begins to fetch what a tile with these bounds (metres, in the CRS `epsg`) needs. Returns at once; errors come with wait().
  std::shared_ptr<const TruthTicket> start(const Bounds& box, int epsg) const;

 private:
  truth::TruthStore& store_;
  BackgroundFetch& pool_;
};

}  // namespace tuile::prefetch
