#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/core/ground_truth.hpp"
#include "tuile/truth/features.hpp"
#include "tuile/truth/layer.hpp"

namespace tuile::truth {

/// The areas of one layer in one grid cell: the unit that is fetched, cached and shared.
struct CellAreas {
  Outcome outcome = Outcome::failed;
  std::string reason;
  ErrorKind kind = ErrorKind::io;
  std::uint64_t repaired = 0;
  LayerAreas areas;
  std::size_t bytes() const noexcept { return sizeof(CellAreas) + areas.bytes(); }
};
using CellHandle = std::shared_ptr<const CellAreas>;

/// Exact counts since construction. An asker that was cancelled while it waited counts as neither hit nor miss.
struct CacheStatistics {
  std::uint64_t hits = 0, misses = 0, evictions = 0;
  std::uint64_t joined = 0;  ///< hits on a fetch in flight (counted in hits)
  std::size_t bytes = 0;     ///< held now; on disk: as far as this process knows what others wrote since it last listed the folder
  std::size_t entries = 0;   ///< likewise
};

/// Areas in memory: LRU by bytes, for the whole process; concurrent requests for one key make one fetch. A cell beyond the limit is given,
/// not kept. Thread-safe.
class MemoryCache {
 public:
  explicit MemoryCache(std::size_t limit);
  ~MemoryCache();
  MemoryCache(const MemoryCache&) = delete;
  MemoryCache& operator=(const MemoryCache&) = delete;
  /// The cell of `key`; `make` runs once for all that ask meanwhile, in one of their threads. What it returns is kept where its outcome is
  /// sound, and given to those who waited in any case; if it throws (Cancelled of its own asker), another waiter makes it. `make` must not
  /// ask for the same key. Throws Cancelled where `stop` comes while waiting, else what `make` throws.
  CellHandle get(const std::string& key, const std::function<CellHandle()>& make, std::stop_token stop);
  void set_limit(std::size_t bytes);
  void clear();
  CacheStatistics statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
/// The cache that every store of the process shares, kept to the end of the process; the largest limit asked for counts.
std::shared_ptr<MemoryCache> process_memory_cache(std::size_t limit);

/// Features on disk, one file a key (FOLDER/<2 hex>/<hash>.tuile-truth), safe for several processes: written atomically, checked on read (a
/// damaged or outdated entry is removed and fetched anew), the least recently used leave beyond `limit`. Processes that share a folder
/// learn of each other's entries each time they wrote an eighth of the limit, so together they can pass it by as much for each of them, for
/// that long. Other files in the folder are left alone. Thread-safe. A disk that is full or not writable costs a warning, never an answer.
class DiskCache {
 public:
  struct Options {
    std::string folder;                             ///< created with the first entry; taken as it is ('~' means nothing here)
    std::uint64_t limit = std::uint64_t{10} << 30;  ///< bytes; a larger entry is not kept
    double max_age_days = 90;                       ///< since an entry was written
  };
  /// Lists the folder, and clears it of what writers that died left an hour ago or longer. Throws InvalidArgument (no folder named).
  explicit DiskCache(Options options);
  ~DiskCache();
  DiskCache(const DiskCache&) = delete;
  DiskCache& operator=(const DiskCache&) = delete;
  /// Whether there is a sound result for `key`; then it is in `result`, and the entry the most recently used.
  bool get(const std::string& key, FetchResult& result);
  /// Keeps a result, if it is sound.
  void put(const std::string& key, const FetchResult& result);
  CacheStatistics statistics() const;
  /// Why entries could not be written or read, the first time; empty where all went well.
  std::string problem() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct StoreOptions {
  double cell = 2000;  ///< metres, 1 or more: side of the grid that remote sources are asked on, so that neighbours share answers
  std::shared_ptr<MemoryCache> memory;  ///< must be set
  std::shared_ptr<DiskCache> disk;      ///< null: none; used for remote sources only
};

struct StoreStatistics {
  std::uint64_t fetches = 0;     ///< layer and cell asked of the source
  std::uint64_t failures = 0;    ///< of these: outcome truncated or failed
  CacheStatistics memory, disk;  ///< of the caches, which other stores may share
};

/// Ground truth by tile, out of cells of a coarse grid. Thread-safe.
///
/// A remote source is asked for whole cells of a grid anchored at coordinate 0, each with a margin of the layer's reach, at least 1 m. A
/// tile needs the cells that its box shares an area with; passing a border by 1 mm does not count (tiles end *on* borders: 20 tiles on one
/// cell are one request a layer). The margin makes that lossless: points on a border, or beyond it by the tolerance, lie inside the box
/// that was asked for, so every area that holds them is known. A local source is asked for the tile's own box with the margin of the
/// layer's reach: a cell could stick out of a file's coverage, which is a failure. Where only the margin does, those pieces
/// of it that are covered count.
class TruthStore {
 public:
  /// Throws InvalidArgument (no source or memory cache, a cell of no size).
  TruthStore(std::shared_ptr<FeatureSource> source, std::vector<Layer> layers, StoreOptions options);
  ~TruthStore();

  /// A piece of a tile's ground truth.
  struct Unit {
    std::size_t layer;  ///< index into layers()
    Bounds cell;
    int epsg;
  };
  /// What a tile with these bounds needs, layer by layer, cells in a fixed order; nothing for an empty box.
  /// Throws InvalidArgument (bounds beyond a million kilometres, or more than 4096 cells: no tile has them).
  std::vector<Unit> units(const Bounds& box, int epsg) const;
  /// One unit: from memory, disk or the source. Blocks. Failures are outcomes; throws Cancelled, OutOfMemory, ConfigError.
  CellHandle load(const Unit& unit, std::stop_token stop);
  /// Joins the cells of units(box, epsg), in that order, into the ground truth of the tile: objects whose box touches `box`, each once, by
  /// id. A layer's outcome is the worst of its cells' (failed, truncated, data, confirmed empty), with the reason of the first such cell;
  /// unless it is sound there are no areas, so that half a layer is not taken for all of it. An empty box is confirmed empty. `repaired`
  /// counts by cell, so it may include neighbours.
  GroundTruth assemble(const Bounds& box, std::span<const Unit> units, std::span<const CellHandle> cells) const;
  /// All of it, one unit after the other.
  GroundTruth get(const Bounds& box, int epsg, std::stop_token stop);
  /// The features themselves (not areas) that touch `box`, as the source has them: from disk or the source, by the same cells. By id, each
  /// once. Where the outcome is unsound: those that could be had. Errors as units() and load().
  FetchResult features(std::size_t layer, const Bounds& box, int epsg, std::stop_token stop);

  const std::vector<Layer>& layers() const noexcept;
  StoreStatistics statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuile::truth
