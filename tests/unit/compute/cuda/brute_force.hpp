#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <vector>

#include "features/neighbourhood_values.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/features/plan.hpp"

/// What the definitions say, by comparing all pairs in integers of 128 bits.
namespace tuile::test {

__extension__ using Int128 = __int128;

struct Offset {
  Int128 d2;
  std::int64_t dx, dy, dz;
  auto key() const { return std::tie(d2, dx, dy, dz); }
};

inline std::vector<Offset> offsets_from(const std::vector<GridPoint>& points, const GridPoint& from) {
  std::vector<Offset> all;
  all.reserve(points.size());
  for (const GridPoint& p : points) {
    Offset o{0, std::int64_t{p.x} - from.x, std::int64_t{p.y} - from.y, std::int64_t{p.z} - from.z};
    o.d2 = Int128{o.dx} * o.dx + Int128{o.dy} * o.dy + Int128{o.dz} * o.dz;
    all.push_back(o);
  }
  return all;
}

/// The `most` nearest, of those within the limit where that is not negative.
inline std::vector<Offset> nearest(const std::vector<GridPoint>& points, const GridPoint& from, std::size_t most, Int128 limit = -1) {
  std::vector<Offset> all = offsets_from(points, from);
  if (limit >= 0) std::erase_if(all, [&](const Offset& o) { return o.d2 > limit; });
  const auto before = [](const Offset& a, const Offset& b) { return a.key() < b.key(); };
  if (all.size() > most) {
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(most), all.end(), before);
    all.resize(most);
  }
  return all;
}

struct Exact {
  Int128 n = 0, x = 0, y = 0, z = 0, xx = 0, xy = 0, xz = 0, yy = 0, yz = 0, zz = 0, reach2 = 0;
  std::int64_t top = 0, bottom = 0;

  explicit Exact(const std::vector<Offset>& neighbours) : n(static_cast<Int128>(neighbours.size())) {
    for (const Offset& o : neighbours) {
      x += o.dx;
      y += o.dy;
      z += o.dz;
      xx += Int128{o.dx} * o.dx;
      xy += Int128{o.dx} * o.dy;
      xz += Int128{o.dx} * o.dz;
      yy += Int128{o.dy} * o.dy;
      yz += Int128{o.dy} * o.dz;
      zz += Int128{o.dz} * o.dz;
      reach2 = std::max(reach2, o.d2);
      top = std::max(top, o.dz);
      bottom = std::min(bottom, o.dz);
    }
  }
  /// The values of a neighbourhood with these sums.
  features::NeighbourhoodValues values(double scale) const {
    const auto moment = [&](Int128 product, Int128 a, Int128 b) { return static_cast<double>(n * product - a * b); };
    features::NeighbourhoodValues v{};
    v.n = static_cast<double>(n);
    v.zz = moment(zz, z, z);
    v.shape =
        features::shape_of(v.n, moment(xx, x, x), moment(xy, x, y), moment(xz, x, z), moment(yy, y, y), moment(yz, y, z), v.zz, scale);
    v.unit = features::ratio_unit(v.n, v.shape);
    v.reach2 = static_cast<double>(reach2);
    v.z_span = static_cast<double>(top - bottom);
    v.scale = scale;
    return v;
  }
};

inline float value_of(features::Feature feature, const features::NeighbourhoodValues& v) {
  float value = 0;
  features::with_neighbourhood_feature(
      feature, [&]<features::Feature which>() { value = static_cast<float>(features::neighbourhood_value<which>(v)); });
  return value;
}

}  // namespace tuile::test
