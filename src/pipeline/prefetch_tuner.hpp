#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace tuile::pipeline {

/// What a run has measured so far; everything is a sum since its start.
struct TuningSample {
  std::uint64_t loads = 0;     ///< loads that ended, parts of neighbours counted too
  double wait_seconds = 0;     ///< that loads waited for bytes; decoding does not count, more loads at once would not make it faster
  double oldest_wait = 0;      ///< seconds that a load has waited which is still under way; 0 where that is not known
  std::uint64_t tiles = 0;     ///< computed
  double compute_seconds = 0;  ///< in the compute stage
};

/// What is tuned.
struct Tuning {
  int workers = 2;  ///< loads at once
  int ahead = 3;    ///< tiles loaded beyond the batch being computed
  int batch = 1;    ///< tiles computed together
  bool operator==(const Tuning&) const = default;
};

/// Where tuning begins, and what it may choose.
struct TuningLimits {
  std::optional<int> workers, ahead, batch;  ///< set: that value, whatever is measured
  int first_workers = 2, first_ahead = 8;
  int most_workers = 16, most_ahead = 32, most_batch = 1;
  double loads_per_tile = 1;  ///< a tile and the parts of its neighbours
  double likely_compute = 1;  ///< seconds that a tile may take to compute, as long as none has been
};

/// Chooses workers, depth and batch from measured times.
///
/// Compute never starves where as many loads wait at once as a load waits longer than a tile computes: wait / compute, a quarter more for
/// their differences, and one that decodes. A load that has waited longer than those before it counts like one that ended: a slow store
/// shows before its first answer. As many tiles as workers are under way, and one batch is ready: that is the depth. Tiles that compute in
/// a few milliseconds leave processors idle at their ends; several are computed together.
///
/// Judges by the last few tiles, so that it follows a store that becomes slower or faster. No state but what it was told; not thread-safe.
class PrefetchTuner {
 public:
  explicit PrefetchTuner(const TuningLimits& limits);

  /// Takes a sample in (they come in the order of time) and says what to do from now on.
  Tuning update(const TuningSample& sample);
  const Tuning& current() const noexcept { return current_; }
  /// How often update() changed its mind.
  int changes() const noexcept { return changes_; }
  /// Of a tile, over the last few, seconds: waiting for its bytes, computing it. 0 where nothing is known.
  double wait_seconds() const noexcept { return wait_; }
  double compute_seconds() const noexcept { return compute_; }

 private:
  void measure(const TuningSample& sample);

  /// `wanted` at once where it is more, and step by step where it is less: too many cost memory, too few cost time.
  int approach(int now, int wanted) const noexcept { return wanted >= now ? wanted : now - (has_new_tile_ ? 1 : 0); }

  const TuningLimits limits_;
  std::deque<TuningSample> window_;  ///< the first is the one that the last is compared with
  Tuning current_;
  double wait_ = 0, compute_ = 0;
  bool has_new_tile_ = false;  ///< since the sample before
  int changes_ = 0;
};

}  // namespace tuile::pipeline
