#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "tuile/core/executor.hpp"
#include "tuile/core/host_memory.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::source {
class Store;
}

namespace tuile::prefetch {

struct TileReaderOptions {
  FieldSet fields;                                    ///< attributes to decode besides coordinates and classification
  std::size_t strip_budget = std::size_t{256} << 20;  ///< bytes kept for later loads; what is large and wanted late leaves first
  source::Store* store = nullptr;                     ///< opens the files; null: one of its own
  std::shared_ptr<HostMemory> memory = nullptr;       ///< where the points of whole tiles are to lie; null: on the heap
};

/// What the reader did so far.
struct ReaderStatistics {
  std::uint64_t bytes_read = 0;      ///< that files and servers gave
  std::uint64_t points_decoded = 0;  ///< over the points of the input this is the decode amplification
  std::uint64_t full_decodes = 0;
  std::uint64_t partial_decodes = 0;  ///< COPC: only the nodes that touch the box
  std::uint64_t strips_reused = 0;    ///< partial loads served without decoding
  double read_seconds = 0;            ///< waiting for bytes, summed over reads
  double decode_seconds = 0;          ///< wall time in the decoder
};

/// The load function of the pipeline: bytes → PointBlock, decoding each tile about once although several tiles need its border.
///
/// `expect` tells it which loads will come. Of parts, which halos ask for: a full decode leaves those border strips behind, and the partial
/// load takes them. Of whole tiles: a halo that decodes one first leaves the whole block for that load, as long as there is room. It is
/// called in the order in which the loads will come: what is wanted last leaves the store first. Without a
/// strip a partial load reads only the octree nodes that touch the box (COPC), or decodes the whole file. Thread-safe; a load waits for
/// another one of the same file, never for anything else.
class TileReader {
 public:
  TileReader(TileReaderOptions options, Executor& executor);
  ~TileReader();
  TileReader(const TileReader&) = delete;
  TileReader& operator=(const TileReader&) = delete;

  /// A load will come: of a part, for which a decode of the whole tile keeps the points inside its box, or of the whole tile.
  void expect(const TileRequest& request);
  /// It will not come any more, or has come: drops what was kept for it.
  void forget(const TileRequest& request);

  /// Loads a tile or a part of it. Throws as las::read_info and las::decode, with the path before the message.
  Tile load(const TileRequest& request, std::stop_token stop);

  ReaderStatistics statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuile::prefetch
