#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/cases.hpp"
#include "unit/compute/clouds.hpp"

namespace tuile::conformance {

using test::block_of;
using test::Cloud;
using test::coloured;
using test::tile_of;
using test::town;

/// As many points as an emulator computes in a moment, or as a card is worth starting for.
inline std::size_t many(Scale scale, std::size_t on_emulator) { return scale == Scale::card ? on_emulator * 20 : on_emulator; }

/// A kind of cloud that has broken a search, or could.
struct Shape {
  std::string name;
  double unit;  ///< metres
  Cloud (*make)(std::size_t points);
};
std::vector<Shape> shapes();

/// Uniform in a cube of ±reach units.
Cloud random_points(std::size_t count, std::int32_t reach, std::uint32_t seed);
/// A town with points alone in the sky and below the ground, with copies, and some of them of classes 65 and 66.
Cloud noisy_town(std::size_t count, std::int32_t side, std::uint32_t seed);
void append(Cloud& cloud, const Cloud& more);
/// The part of a cloud inside the bounds, or outside.
Cloud part(const Cloud& cloud, const GridBounds& bounds, bool inside);

}  // namespace tuile::conformance
