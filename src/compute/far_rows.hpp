#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <vector>

#include "compute/blocks.hpp"

namespace tuile::compute {

/// Rows whose neighbourhoods reach beyond their block, and a ball that holds every point of them.
struct FarGroup {
  std::vector<std::uint32_t> rows;  ///< increasing; indices of points
  GridPoint centre{};
  double radius = 0;  ///< units; infinite where all points together are too few
  bool holds(const GridPoint& point) const noexcept;
  bool touches(const TilePoints::Run& run) const noexcept;
};

struct FarWish {
  std::size_t most = 0;       ///< points that a group's ball should hold at most
  double reach = 0;           ///< units: the largest radius searched within
  std::uint32_t nearest = 0;  ///< neighbours of the widest search for the nearest
};

/// Parts the rows until each group's ball is small: any point of a group has its k nearest within the k-th distance from the ball's centre
/// and twice the group's own radius of that centre. rows: valid points, any order, each once. Throws Cancelled.
std::vector<FarGroup> group_far_rows(const TilePoints& points, std::vector<std::uint32_t> rows, const FarWish& wish, Executor& executor,
                                     const std::stop_token& stop);

}  // namespace tuile::compute
