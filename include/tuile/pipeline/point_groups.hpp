#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "tuile/core/buffer.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::pipeline {

/// Points of a tile in groups that lie together. Every point that was asked for is in one group.
struct PointGroups {
  Buffer<std::uint32_t> points;               ///< positions in the block, group after group, increasing within each
  std::vector<std::size_t> begin{0};          ///< groups + 1: group g holds points[begin[g]] to points[begin[g + 1] - 1]
  std::vector<std::array<double, 3>> origin;  ///< per group, metres: middle in x and y, lowest z; on the block's grid
  std::size_t size() const noexcept { return origin.size(); }
};

/// Groups of at most `most` points, whose sizes differ by one at the most: the tile is halved across its longer side until they are small
/// enough. Which points stand together depends on the points alone. use: one value per point, 0: left out; empty: all.
/// Throws InvalidArgument (most is 0, a wrong number of values), Cancelled.
PointGroups compact_groups(const PointBlock& block, std::span<const std::uint8_t> use, std::size_t most, std::stop_token stop = {});

/// One group for each square of `side` metres that holds points, row by row from the south-west; squares are anchored at coordinate 0, and
/// hold their western and southern border. The origin is the square's centre. Otherwise as compact_groups.
/// Throws InvalidArgument (side: 0.01 to 100 000 m are expected), Cancelled.
PointGroups square_groups(const PointBlock& block, std::span<const std::uint8_t> use, double side, std::stop_token stop = {});

}  // namespace tuile::pipeline
