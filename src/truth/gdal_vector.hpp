#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/truth/features.hpp"

// Reading vector data, without a GDAL type.
namespace tuile::truth::ogr {

/// The bounding box of one feature, in the CRS of its layer, rounded outwards.
struct Envelope {
  float min_x, min_y, max_x, max_y;
  std::int64_t fid;
  bool touches(const Bounds& box) const noexcept {
    return double{min_x} <= box.max_x && box.min_x <= double{max_x} && double{min_y} <= box.max_y && box.min_y <= double{max_y};
  }
};

/// One open dataset. For one thread at a time. What fails throws CorruptData (or IoError, OutOfMemory, Unsupported), naming the path.
class Reader {
 public:
  /// Throws ConfigError where GDAL takes the file for no vector data.
  explicit Reader(const std::string& path);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::vector<std::string> layers() const;
  /// Whether a layer is one of many that a file of this format can hold, so that its own name counts more than the file's.
  bool holds_many() const;
  /// The box around everything in a layer, in the CRS `epsg`; empty where there is nothing. From the file's own records where it has them.
  Bounds extent(std::size_t layer, int epsg);
  /// `box` of the CRS `epsg` in the CRS of the layer, a little larger where they differ.
  Bounds in_layer(std::size_t layer, const Bounds& box, int epsg);
  /// Whether features_by_box works: the file has an index of bounding boxes that can be asked.
  bool has_index(std::size_t layer);
  /// The bounding boxes of all features, by reading through the layer.
  std::vector<Envelope> envelopes(std::size_t layer, const std::stop_token& stop);

  /// Features whose bounding box touches `box`, all in the CRS `epsg`. Those that are damaged or cannot be moved there are left out and
  /// counted. A layer without a CRS is taken to be in the one asked for. Needs has_index.
  std::vector<Feature> features_by_box(std::size_t layer, const Bounds& box, int epsg, const std::stop_token& stop, std::uint64_t& invalid);
  /// The same among those with these fids (increasing).
  std::vector<Feature> features_by_fid(std::size_t layer, std::span<const std::int64_t> fids, const Bounds& box, int epsg,
                                       const std::stop_token& stop, std::uint64_t& invalid);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// `wkb` without curves and surfaces that are no plain polygons: arcs as chords of 4 degrees, TIN and polyhedral surface as a multipolygon.
/// Empty where the bytes are no geometry.
std::string linear_wkb(const std::string& wkb);

}  // namespace tuile::truth::ogr
