#pragma once

#include <memory>
#include <vector>

#include "areas_wkb.hpp"

namespace tuile::truth {

/// Polygon operations by GEOS, without its types. One thread at a time; never prints. Results are in GEOS's normal form, so that the same
/// places give the same bits however they came about; where GEOS fails, empty.
class GeosPolygons {
 public:
  GeosPolygons();
  ~GeosPolygons();
  GeosPolygons(const GeosPolygons&) = delete;
  GeosPolygons& operator=(const GeosPolygons&) = delete;

  /// Valid by OGC: so rings neither cross nor overlap, and counting crossings tells inside from outside.
  bool is_valid(const std::vector<Rings>& polygons);
  /// Valid polygons that cover what the rings cover (a bow-tie: both halves; parts that overlap: their union).
  std::vector<Rings> mended(const std::vector<Rings>& polygons);
  /// All places within `distance` of the lines (joins are round), and what valid `polygons` cover. Arcs are chords of 11.25 degrees.
  std::vector<Rings> buffered(const std::vector<Ring>& lines, double distance, bool flat_caps, const std::vector<Rings>& polygons);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuile::truth
