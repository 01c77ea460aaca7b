#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/catalog/inputs.hpp"
#include "tuile/core/bounds.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::source {
class Store;
}

namespace tuile::catalog {

/// What a run knows of a tile before it is loaded. Small: half a million of them are normal.
struct TileEntry {
  std::string path;  ///< as found below the INPUT, or the URL
  std::string name;  ///< output name without extension, with the sub-path below an INPUT directory
  std::uint64_t file_size = 0;
  std::int64_t modified_ns = 0;  ///< modification time, nanoseconds since the epoch; of URLs see source::ByteSource::modified_ns
  std::uint64_t points = 0;
  Bounds bounds;             ///< the header's, metres
  double grid_scale = 0.01;  ///< the file's own grid (las::FileInfo::grid_scale)
  int epsg = 0;              ///< 0: unknown
  std::string crs_name;      ///< for people; may be empty
  double crs_unit = 1;       ///< metres per unit of the CRS
  bool copc = false;
  int point_format = 0;
  FieldSet fields;
  std::vector<std::string> warnings;
};

/// A tile to compute: its entry and its halo tiles.
struct TileJob {
  std::size_t tile = 0;                 ///< index into Catalog::tiles
  std::vector<std::size_t> neighbours;  ///< indices of the tiles within the halo, by path; copies of the tile itself are left out
};

/// An input that cannot be a job.
struct FailedInput {
  std::string path;
  std::string name;
  ErrorKind kind;
  std::string message;
};

/// `--shard I/N`: the I-th of N contiguous parts of the order, so that a shard's halos stay local.
struct Shard {
  std::size_t index = 0;
  std::size_t count = 1;
};

struct CatalogOptions {
  double halo = 10;    ///< metres
  int crs = 0;         ///< EPSG code that replaces what the files say; 0: the files' own
  int io_threads = 8;  ///< threads that read headers
  Shard shard;
  std::optional<Bounds> bbox;      ///< only tiles that touch it become jobs; all remain neighbours
  source::Store* store = nullptr;  ///< opens the inputs; null: one for this call
};

/// The tiles of a run, in a locality-preserving order.
struct Catalog {
  std::vector<TileEntry> tiles;     ///< every readable input
  std::vector<TileJob> jobs;        ///< of this shard, in the order to compute (Hilbert curve over tile centres, one CRS after the other)
  std::vector<FailedInput> failed;  ///< inputs whose header cannot be used; each is reported, none stops the others. Shard 0 only
  std::vector<std::string> notes;   ///< duplicates and overlaps
};

/// Reads all headers in parallel and plans the jobs. Throws ConfigError where two inputs have one output name (both named), InvalidArgument
/// for a bad shard, Cancelled. A tile in degrees, unreadable or damaged goes to `failed`.
Catalog build_catalog(const std::vector<InputFile>& inputs, const CatalogOptions& options, std::stop_token stop = {});

/// Parses "I/N" with 0 ≤ I < N. Throws ConfigError.
Shard parse_shard(const std::string& text);

}  // namespace tuile::catalog
