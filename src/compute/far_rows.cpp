#include "compute/far_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute {

namespace {

/// Below, parting a group further costs more than it saves.
constexpr std::size_t small_ball = 16384;
/// A ball of so many points per row is searched as it is.
constexpr std::size_t points_per_row = 64;

double squared_distance(const GridPoint& a, const GridPoint& b) noexcept {
  const double x = static_cast<double>(a.x) - b.x, y = static_cast<double>(a.y) - b.y, z = static_cast<double>(a.z) - b.z;
  return x * x + y * y + z * z;
}

double box_distance(const TilePoints::Run& run, const GridPoint& at) noexcept {
  const auto gap = [](double low, double high, double value) { return std::max({low - value, value - high, 0.0}); };
  const double x = gap(run.low.x, run.high.x, at.x), y = gap(run.low.y, run.high.y, at.y), z = gap(run.low.z, run.high.z, at.z);
  return x * x + y * y + z * z;
}

/// The k-th smallest squared distance from `centre`; infinite where there are fewer points.
double kth_distance(const TilePoints& points, const GridPoint& centre, std::size_t k) {
  using Near = std::pair<double, const TilePoints::Run*>;
  std::vector<Near> queue;
  queue.reserve(points.runs().size());
  for (const TilePoints::Run& run : points.runs()) queue.emplace_back(box_distance(run, centre), &run);
  const auto farther = [](const Near& a, const Near& b) { return a.first > b.first; };
  std::make_heap(queue.begin(), queue.end(), farther);
  std::vector<double> nearest;  // a heap, the farthest in front
  while (!queue.empty() && (nearest.size() < k || queue.front().first < nearest.front())) {
    points.for_each_of(*queue.front().second, [&](const GridPoint& point, std::uint32_t) {
      const double distance = squared_distance(point, centre);
      if (nearest.size() == k) {
        if (distance >= nearest.front()) return;
        std::pop_heap(nearest.begin(), nearest.end());
        nearest.pop_back();
      }
      nearest.push_back(distance);
      std::push_heap(nearest.begin(), nearest.end());
    });
    std::pop_heap(queue.begin(), queue.end(), farther);
    queue.pop_back();
  }
  return nearest.size() < k ? std::numeric_limits<double>::infinity() : nearest.front();
}

struct Cube {
  GridPoint low, high;
};

Cube cube_of(const TilePoints& points, const std::vector<std::uint32_t>& rows) {
  Cube cube{points.point(rows[0]), points.point(rows[0])};
  for (const std::uint32_t row : rows) {
    const GridPoint& p = points.point(row);
    cube.low = {std::min(cube.low.x, p.x), std::min(cube.low.y, p.y), std::min(cube.low.z, p.z)};
    cube.high = {std::max(cube.high.x, p.x), std::max(cube.high.y, p.y), std::max(cube.high.z, p.z)};
  }
  return cube;
}

std::size_t count_in(const TilePoints& points, const FarGroup& ball, std::size_t limit) {
  std::size_t count = 0;
  for (const TilePoints::Run& run : points.runs()) {
    if (count > limit || !ball.touches(run)) continue;
    points.for_each_of(run, [&](const GridPoint& point, std::uint32_t) { count += ball.holds(point) ? 1 : 0; });
  }
  return count;
}

/// Sets the group's ball. True where the group is to be searched as it is.
bool settle(const TilePoints& points, FarGroup& group, const Cube& cube, const FarWish& wish) {
  const auto middle = [](std::int32_t low, std::int32_t high) { return static_cast<std::int32_t>(low + (std::int64_t{high} - low) / 2); };
  group.centre = {middle(cube.low.x, cube.high.x), middle(cube.low.y, cube.high.y), middle(cube.low.z, cube.high.z)};
  double own = 0;
  for (const std::uint32_t row : group.rows) own = std::max(own, squared_distance(points.point(row), group.centre));
  own = std::sqrt(own);
  double radius = wish.reach + own;
  if (wish.nearest > 0) radius = std::max(radius, std::sqrt(kth_distance(points, group.centre, wish.nearest)) + 2 * own);
  group.radius = radius * (1 + 1e-9) + 2;  // what rounding may have lost
  // Parting rows that lie close together beside what they reach for would only search nearly the same ball twice.
  if (4 * own <= radius) return true;
  const std::size_t limit = std::min(wish.most, std::max(small_ball, points_per_row * group.rows.size()));
  return count_in(points, group, limit) <= limit;
}

/// Moves the upper half of the rows, by position along the cube's longest side, to the group returned.
FarGroup split(const TilePoints& points, FarGroup& group, const Cube& cube) {
  const std::int64_t x = std::int64_t{cube.high.x} - cube.low.x, y = std::int64_t{cube.high.y} - cube.low.y,
                     z = std::int64_t{cube.high.z} - cube.low.z;
  const auto axis = x >= y && x >= z ? &GridPoint::x : (y >= z ? &GridPoint::y : &GridPoint::z);
  const auto middle = group.rows.begin() + static_cast<std::ptrdiff_t>(group.rows.size() / 2);
  std::nth_element(group.rows.begin(), middle, group.rows.end(), [&](std::uint32_t a, std::uint32_t b) {
    const std::int32_t at_a = points.point(a).*axis, at_b = points.point(b).*axis;
    return at_a != at_b ? at_a < at_b : a < b;
  });
  FarGroup upper;
  upper.rows.assign(middle, group.rows.end());
  group.rows.erase(middle, group.rows.end());
  return upper;
}

}  // namespace

bool FarGroup::holds(const GridPoint& point) const noexcept { return squared_distance(point, centre) <= radius * radius; }
bool FarGroup::touches(const TilePoints::Run& run) const noexcept { return box_distance(run, centre) <= radius * radius; }

std::vector<FarGroup> group_far_rows(const TilePoints& points, std::vector<std::uint32_t> rows, const FarWish& wish, Executor& executor,
                                     const std::stop_token& stop) {
  Guarded<std::vector<FarGroup>> done;
  std::vector<FarGroup> left;
  if (!rows.empty()) left.push_back({std::move(rows), {}, 0});
  while (!left.empty()) {
    Guarded<std::vector<FarGroup>> next;
    executor.for_each(left.size(), [&](std::size_t i) {
      if (stop.stop_requested()) throw Cancelled("stopped while looking for far neighbours");
      FarGroup& group = left[i];
      const Cube cube = cube_of(points, group.rows);
      if (settle(points, group, cube, wish)) {
        std::sort(group.rows.begin(), group.rows.end());
        done.with([&](std::vector<FarGroup>& groups) { groups.push_back(std::move(group)); });
        return;
      }
      FarGroup upper = split(points, group, cube);
      next.with([&](std::vector<FarGroup>& groups) {
        groups.push_back(std::move(upper));
        groups.push_back(std::move(group));
      });
    });
    left = next.take();
  }
  return done.take();
}

}  // namespace tuile::compute
