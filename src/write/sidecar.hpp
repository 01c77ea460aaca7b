#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/core/ground_truth.hpp"
#include "tuile/write/written_file.hpp"
#include "write/statistics.hpp"

namespace tuile::write {

/// An input file as it was read.
struct FileIdentity {
  std::string path;           ///< or URL
  std::uint64_t size = 0;     ///< bytes
  std::int64_t mtime_ns = 0;  ///< last modification, nanoseconds since 1970; 0 where unknown
  bool operator==(const FileIdentity&) const = default;
};

/// The file as it is now: `path` as given, size and modification time. Two answers that differ mean that it changed in between.
/// Throws NotFound, PermissionDenied, IoError.
FileIdentity identify(const std::string& path);

/// A neighbour that could not be used.
struct MissingHaloTile {
  FileIdentity file;
  std::string reason;
  std::string kind = "io";  ///< name of the ErrorKind, as to_string gives it: says whether another try can help
};

/// What became of one ground-truth layer.
struct LayerReport {
  std::string layer;
  Outcome outcome = Outcome::not_requested;
  std::uint64_t objects = 0;   ///< that touch the tile
  std::uint64_t repaired = 0;  ///< of the fetched ones, geometries mended
  std::uint64_t points = 0;    ///< labelled by it
  std::string reason;          ///< where truncated or failed
  std::string kind;            ///< likewise: name of the ErrorKind, says whether another try can help; else empty
};

/// The ground truth of the tile; `source` is empty where none was asked for.
struct GroundTruthReport {
  std::string source, edition;
  bool remote = false;                                 ///< a service was asked: what it did not give it may give another time
  bool labelled = false;                               ///< outputs hold labels
  std::vector<LayerReport> layers;                     ///< in the configured order
  std::uint64_t from_file = 0;                         ///< points that keep the file's class
  std::uint64_t from_ndvi = 0;                         ///< points changed by NDVI
  std::vector<std::pair<int, std::uint64_t>> classes;  ///< points per label, by label
};

/// The imagery of the tile; `source` is empty where colours are the file's, or none.
struct ImageryReport {
  std::string source;
  bool remote = false;  ///< as of ground truth
  Outcome rgb = Outcome::not_requested, nir = Outcome::not_requested;
  std::uint64_t rgb_unknown = 0, nir_unknown = 0;  ///< points without colour where the image was got
  std::string reason, kind;                        ///< where one failed
};

/// Rows that each step of preprocessing marked; 0 of a step that is off.
struct PreprocessReport {
  std::uint64_t exclude_classes = 0, statistical_outliers = 0, radius_outliers = 0, voxel = 0;
  bool operator==(const PreprocessReport&) const = default;
};

/// Everything about one tile's outputs that is not in them: docs/sidecar.schema.json says the same of its JSON form.
/// Holds no times: the same run gives the same sidecar. So `device` must not vary from run to run either (no thread count).
struct Sidecar {
  std::string version;      ///< of tuile
  std::string config_hash;  ///< of the configuration as far as it changes output bytes
  std::string backend;      ///< resolved: "cpu", "cuda"
  std::string device;       ///< e.g. "cpu, AVX2"

  FileIdentity input;
  std::uint64_t input_points = 0;
  Bounds input_bounds;  ///< metres; empty for no points
  int crs_epsg = 0;     ///< 0 where unknown
  std::string crs_name;

  double halo_width = 0;  ///< metres
  std::vector<FileIdentity> halo_used;
  std::vector<MissingHaloTile> halo_missing;

  double grid_scale = 0;  ///< metres per unit of the common grid
  bool rounded = false;   ///< some coordinate was not on that grid

  std::uint64_t rows = 0;  ///< rows of the outputs: input_points, or fewer where a box cuts
  std::uint64_t valid_points = 0, invalid_points = 0;
  std::uint64_t degenerate_neighbourhoods = 0, truncated_neighbourhoods = 0;
  std::optional<PreprocessReport> preprocess;  ///< none where it is off
  std::vector<FeatureStatistics> features;
  std::vector<std::string> missing_columns;
  GroundTruthReport ground_truth;
  ImageryReport imagery;
  std::vector<std::string> warnings;
  std::vector<WrittenFile> outputs;
};

/// JSON text, keys in a fixed order, numbers that read back to the same bits, NaN and infinities as null, bytes that are not UTF-8
/// reversibly in paths and file names (U+FFFD and two hexadecimal digits each), as U+FFFD in other texts.
std::string to_json(const Sidecar& sidecar);

/// Throws CorruptData naming the key: not JSON, a key missing, unknown, or of another type or range than the schema says.
Sidecar sidecar_from_json(const std::string& text);

/// DIR/NAME.json for DIR/NAME.npz and its like.
/// Written atomically, after all outputs (TileWriter does that). Throws IoError, PermissionDenied.
void write_sidecar(const std::filesystem::path& path, const Sidecar& sidecar);

/// Throws NotFound, PermissionDenied, IoError, CorruptData.
Sidecar read_sidecar(const std::filesystem::path& path);

}  // namespace tuile::write
