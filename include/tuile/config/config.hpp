#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuile/core/truth_layer.hpp"

namespace tuile::config {

/// A value that may be left to the program: empty means `auto`, resolved at start from the machine and the input.
template <class T>
using Auto = std::optional<T>;

/// What happens to a column whose input the tile lacks (no colour, no ground).
enum class Missing { nan, drop, error };
/// Compression of the arrays inside an NPZ file.
enum class NpzCompression { none, deflate };
/// Where a label goes in a LAZ file.
enum class LazLabels { extra_bytes, classification };
/// Where colours come from.
enum class ImagerySource { tile, none, wms, files };
/// What happens to a tile one of whose ground-truth layers could not be fetched.
enum class OnFailure { fail_tile, unlabelled };

/// A further neighbourhood: exactly one of the two is set.
struct Scale {
  std::optional<int> k;
  std::optional<double> radius;  ///< metres
  bool operator==(const Scale&) const = default;
};

// Meaning, unit, range and cost of every key stand in one table (src/config/keys*.cpp), from which docs/configuration.md is made; the
// comments here only say how the value is held.

struct Features {
  std::string set = "lod2";        ///< name of a set; not used where `names` is not empty
  std::vector<std::string> names;  ///< the columns wanted, in this order; empty: those of `set`
  int k = 20;
  std::optional<double> radius;  ///< metres
  int max_neighbors = 200;
  Missing missing = Missing::nan;
  std::vector<Scale> scales;
  int color_depth = 16;  ///< 16 or 8
  bool operator==(const Features&) const = default;
};

struct StatisticalOutliers {
  bool enabled = false;
  int k = 12;
  double std = 2.0;
  bool operator==(const StatisticalOutliers&) const = default;
};
struct RadiusOutliers {
  bool enabled = false;
  double radius = 1.0;  ///< metres
  int min_neighbors = 4;
  bool operator==(const RadiusOutliers&) const = default;
};
struct Voxel {
  bool enabled = false;
  double size = 0.5;  ///< metres
  bool operator==(const Voxel&) const = default;
};
struct Preprocess {
  std::vector<std::uint8_t> exclude_classes{65, 66};  ///< ascending, without repeats
  StatisticalOutliers statistical_outliers;
  RadiusOutliers radius_outliers;
  Voxel voxel;
  bool operator==(const Preprocess&) const = default;
};

/// How a service is asked.
struct Service {
  double requests_per_second = 20;
  int max_in_flight = 4;
  double timeout = 60;  ///< seconds
  int retries = 5;
  bool operator==(const Service&) const = default;
};
struct Wfs {
  std::string url = "https://data.geopf.fr/wfs/ows";
  Service service;
  std::string prefix = "BDTOPO_V3:";
  int page_size = 5000;
  std::string sort_by = "cleabs";  ///< may be empty
  bool operator==(const Wfs&) const = default;
};
struct TruthCache {
  std::uint64_t memory = std::uint64_t{500} << 20;  ///< bytes
  std::optional<std::string> disk = "~/.cache/tuile";
  std::uint64_t disk_size = std::uint64_t{10} << 30;  ///< bytes
  double max_age_days = 90;
  double cell = 2000;  ///< metres
  bool operator==(const TruthCache&) const = default;
};
struct LabelRule {
  int asprs_class = 0;
  std::string where;  ///< a condition over features; empty: always
  bool operator==(const LabelRule&) const = default;
};
struct TruthLayer {
  std::string layer;
  std::vector<AttributeTest> only;
  std::optional<LineBuffer> buffer;
  std::vector<LabelRule> rules;
  std::vector<std::string> attributes;
  bool operator==(const TruthLayer&) const = default;
};
/// The layers of BD TOPO that are labelled with where the configuration names none.
const std::vector<TruthLayer>& default_layers();

struct GroundTruth {
  std::string source = "none";  ///< none, wfs or a path
  Wfs wfs;
  TruthCache cache;
  OnFailure on_failure = OnFailure::fail_tile;
  std::vector<TruthLayer> layers = default_layers();
  bool operator==(const GroundTruth&) const = default;
};
struct Wms {
  std::string url = "https://data.geopf.fr/wms-r/wms";
  Service service;
  std::string rgb_layer = "HR.ORTHOIMAGERY.ORTHOPHOTOS";
  std::string irc_layer = "ORTHOIMAGERY.ORTHOPHOTOS.IRC";
  double resolution = 0.2;  ///< metres
  int max_pixels = 5000;
  bool operator==(const Wms&) const = default;
};
struct Imagery {
  ImagerySource source = ImagerySource::tile;
  std::vector<std::string> files;  ///< with ImagerySource::files
  Wms wms;
  bool operator==(const Imagery&) const = default;
};

struct Prefetch {
  Auto<int> workers;  ///< 0: sequential, nothing is loaded ahead
  Auto<int> ahead;    ///< tiles
  Auto<std::size_t> cache_tiles;
  int retries = 2;
  double timeout = 300;  ///< seconds
  bool operator==(const Prefetch&) const = default;
};
struct Memory {
  Auto<std::uint64_t> budget;  ///< bytes
  bool operator==(const Memory&) const = default;
};
struct Batch {
  Auto<int> size;  ///< tiles
  bool operator==(const Batch&) const = default;
};

struct Npz {
  NpzCompression compression = NpzCompression::none;
  bool operator==(const Npz&) const = default;
};
struct Laz {
  LazLabels labels = LazLabels::extra_bytes;  ///< features always go to extra bytes
  bool operator==(const Laz&) const = default;
};
struct Patches {
  bool enabled = false;
  double size = 50;  ///< metres
  double overlap = 0.1;
  int points = 16384;
  std::uint64_t seed = 0;
  bool operator==(const Patches&) const = default;
};
struct Write {
  std::vector<std::string> formats{"npz"};  ///< names of rows of output_formats(), in the table's order
  Npz npz;
  Laz laz;
  Patches patches;
  bool operator==(const Write&) const = default;
};

/// A validated configuration: every value lies in its range and names something that this version does.
struct Config {
  std::vector<std::string> input;
  std::string output = "out";
  std::string backend = "auto";    ///< auto, cpu or cuda
  Auto<std::vector<int>> devices;  ///< cuda device ids
  Features features;
  double halo = 10.0;  ///< metres
  Auto<int> crs;       ///< EPSG code
  Auto<int> threads;
  Preprocess preprocess;
  GroundTruth ground_truth;
  Imagery imagery;
  Prefetch prefetch;
  Memory memory;
  Batch batch;
  Write write;
  std::optional<std::string> trace;  ///< path
  /// Where a key's value comes from ("c.yaml:12", "--set", "--k", "preset ml"), by dotted path; a key that is not here has its default.
  std::map<std::string, std::string> origins;
};

}  // namespace tuile::config
