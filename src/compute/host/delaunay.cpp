#include "compute/host/delaunay.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <string>
#include <utility>

#include "compute/host/large_pages.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute {
namespace {

/// Positive where d lies inside the circle through a, b, c (which turn left). Differences of at most 2^30 make every 2×2 minor and
/// every lift at most 2^61, so they fit 64 bits, and the determinant, at most 3·2^122, fits 128.
Int128 in_circle(const GridPoint& a, const GridPoint& b, const GridPoint& c, const GridPoint& d) noexcept {
  const std::int64_t ax = std::int64_t{a.x} - d.x, ay = std::int64_t{a.y} - d.y;
  const std::int64_t bx = std::int64_t{b.x} - d.x, by = std::int64_t{b.y} - d.y;
  const std::int64_t cx = std::int64_t{c.x} - d.x, cy = std::int64_t{c.y} - d.y;
  return Int128{ax * ax + ay * ay} * (bx * cy - by * cx) + Int128{bx * bx + by * by} * (cx * ay - cy * ax) +
         Int128{cx * cx + cy * cy} * (ax * by - ay * bx);
}

/// in_circle for four cocircular points, once lifts are perturbed: the lexicographically largest point rises the most and decides.
/// Raising d puts it outside; raising a vertex of the triangle lifts its plane on that vertex's side of the opposite edge.
/// No three of four distinct cocircular points are collinear, so the first decision is never a tie.
bool perturbed_in_circle(const GridPoint& a, const GridPoint& b, const GridPoint& c, const GridPoint& d) noexcept {
  const GridPoint* largest = &a;
  for (const GridPoint* other : {&b, &c, &d}) {
    if (lexicographically_less(*largest, *other)) largest = other;
  }
  if (largest == &d) return false;
  if (largest == &a) return orient2d(d, b, c) > 0;
  if (largest == &b) return orient2d(a, d, c) > 0;
  return orient2d(a, b, d) > 0;
}

struct Extent {
  std::int32_t min_x, min_y, max_x, max_y;
};

Extent extent_of(const std::vector<GridPoint>& points) noexcept {
  Extent extent{points[0].x, points[0].y, points[0].x, points[0].y};
  for (const GridPoint& point : points) {
    extent.min_x = std::min(extent.min_x, point.x);
    extent.min_y = std::min(extent.min_y, point.y);
    extent.max_x = std::max(extent.max_x, point.x);
    extent.max_y = std::max(extent.max_y, point.y);
  }
  return extent;
}

/// The Hilbert curve of order 16, four bits of both coordinates at a time: in a square, the curve runs as in the whole, but for both
/// coordinates being mirrored, swapped, or both.
class Hilbert {
 public:
  constexpr Hilbert() {
    for (std::uint32_t turn = 0; turn < 4; ++turn) {
      for (std::uint32_t cell = 0; cell < 256; ++cell) {
        std::uint32_t x = cell >> 4, y = cell & 15U, now = turn, position = 0;
        for (int bit = 3; bit >= 0; --bit) {
          std::uint32_t qx = ((x >> bit) & 1U) ^ (now & 1U), qy = ((y >> bit) & 1U) ^ (now & 1U);
          if ((now & 2U) != 0) std::swap(qx, qy);
          position = (position << 2) | ((3U * qx) ^ qy);
          if (qy == 0) now ^= 2U | qx;
        }
        steps_[turn][cell] = static_cast<std::uint16_t>((position << 2) | now);
      }
    }
  }

  /// Position of (x, y), 16 bits each.
  constexpr std::uint32_t operator()(std::uint32_t x, std::uint32_t y) const noexcept {
    std::uint32_t position = 0, turn = 0;
    for (int low = 12; low >= 0; low -= 4) {
      const std::uint32_t step = steps_[turn][(((x >> low) & 15U) << 4) | ((y >> low) & 15U)];
      position = (position << 8) | (step >> 2);
      turn = step & 3U;
    }
    return position;
  }

 private:
  std::uint16_t steps_[4][256] = {};  ///< by turn (bit 0 mirrored, bit 1 swapped) and cell: position, then the next turn
};
constexpr Hilbert hilbert;

/// Rounds of a biased randomised insertion order: each holds about eight times the points of the one before, drawn by a hash of the
/// coordinates. A spatial order alone is quadratic on points along a few long lines, each new point meeting a fan of long triangles.
constexpr std::uint32_t rounds = 8;
std::uint32_t round_of(std::uint32_t x, std::uint32_t y) noexcept {
  std::uint64_t hash = ((std::uint64_t{x} << 32) | y) * 0x9E3779B97F4A7C15U;
  hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93U;
  const auto zeros = static_cast<std::uint32_t>(std::countr_zero((hash >> 40) | (std::uint64_t{1} << 24)));
  return rounds - 1 - std::min(rounds - 1, zeros / 3);
}

/// A position among the points takes so many bits beside the key that they are sorted by.
constexpr int position_bits = 29;
constexpr std::size_t most_points = std::size_t{1} << position_bits;

void check_count(std::size_t points) {
  if (points <= most_points) return;
  throw Unsupported(std::to_string(points) + " points in one triangulation; at most 2^29 are possible: cut the tile with --bbox");
}

}  // namespace

Delaunay::Delaunay(std::vector<GridPoint> points, const std::shared_ptr<HostMemory>& memory) : points_(std::move(points)) {
  if (points_.size() < 3) return;
  check_extent();
  std::size_t third = 2;
  while (third < points_.size() && orient2d(points_[0], points_[1], points_[third]) == 0) ++third;
  if (third == points_.size()) return;
  // n vertices and the infinite one triangulate a sphere: 2 (n + 1) - 4 triangles.
  triangles_ = Buffer<Triangle>(2 * points_.size() - 2, memory);
  if (memory == nullptr) prefer_large_pages(triangles_.data(), triangles_.bytes());
  const auto apex = static_cast<std::int32_t>(third);
  orient2d(points_[0], points_[1], points_[third]) > 0 ? start_with(0, 1, apex) : start_with(1, 0, apex);
  for (std::int32_t vertex = 2; vertex < static_cast<std::int32_t>(points_.size()); ++vertex) {
    if (vertex != apex) insert(vertex);
  }
  cavity_ = {};
  stack_ = {};
  rim_ = {};
}

void Delaunay::check_extent() const {
  check_count(points_.size());
  const Extent extent = extent_of(points_);
  const std::int64_t widest = std::max(std::int64_t{extent.max_x} - extent.min_x, std::int64_t{extent.max_y} - extent.min_y);
  if (widest > largest_extent) {
    throw Unsupported("ground points span " + std::to_string(widest) + " grid units; at most " + std::to_string(largest_extent) +
                      " are possible: remove stray class-2 points or cut the tile with --bbox");
  }
}

void Delaunay::start_with(std::int32_t a, std::int32_t b, std::int32_t c) {
  triangle(0) = {{a, b, c}, {1, 2, 3}};
  triangle(1) = {{c, b, infinite_vertex}, {3, 2, 0}};
  triangle(2) = {{a, c, infinite_vertex}, {1, 3, 0}};
  triangle(3) = {{b, a, infinite_vertex}, {2, 1, 0}};
  count_ = 4;
  last_ = 0;
}

bool Delaunay::conflicts(const Triangle& candidate, const GridPoint& point) const noexcept {
  if (is_unbounded(candidate)) {
    const int slot = infinite_slot(candidate);
    const GridPoint& a = at(candidate.vertex[next_slot(slot)]);
    const GridPoint& b = at(candidate.vertex[previous_slot(slot)]);
    const Int128 side = orient2d(a, b, point);
    if (side != 0) return side > 0;
    // On the hull edge's line: in conflict only between its ends.
    return lexicographically_less(a, point) == lexicographically_less(point, b);
  }
  const GridPoint &a = at(candidate.vertex[0]), &b = at(candidate.vertex[1]), &c = at(candidate.vertex[2]);
  const Int128 inside = in_circle(a, b, c, point);
  return inside != 0 ? inside > 0 : perturbed_in_circle(a, b, c, point);
}

void Delaunay::insert(std::int32_t vertex) {
  const GridPoint point = at(vertex);
  const std::int32_t first = locate(point, last_);

  // The triangles in conflict form a tree around `first`. Taking their edges depth first, turning left, gives the rim in order.
  cavity_.clear();
  rim_.clear();
  stack_.clear();
  cavity_.push_back(first);
  for (const int slot : {2, 1, 0}) stack_.push_back({first, slot});
  while (!stack_.empty()) {
    const Edge edge = stack_.back();
    stack_.pop_back();
    const Triangle& inner = triangle(edge.triangle);
    const std::int32_t across = inner.neighbour[edge.slot];
    const Triangle& outer = triangle(across);
    const int back = outer.neighbour[0] == edge.triangle ? 0 : outer.neighbour[1] == edge.triangle ? 1 : 2;
    if (conflicts(outer, point)) {
      cavity_.push_back(across);
      stack_.push_back({across, previous_slot(back)});
      stack_.push_back({across, next_slot(back)});
    } else {
      rim_.push_back({inner.vertex[next_slot(edge.slot)], inner.vertex[previous_slot(edge.slot)], across, back});
    }
  }

  // One new triangle per rim edge: two more than were emptied.
  cavity_.push_back(count_++);
  cavity_.push_back(count_++);
  const std::size_t size = rim_.size();
  for (std::size_t i = 0; i < size; ++i) {
    const Rim& rim = rim_[i];
    const std::int32_t after = cavity_[i + 1 == size ? 0 : i + 1], before = cavity_[i == 0 ? size - 1 : i - 1];
    triangle(cavity_[i]) = {{rim.from, rim.to, vertex}, {after, before, rim.outside}};
    triangle(rim.outside).neighbour[rim.outside_slot] = cavity_[i];
  }
  last_ = cavity_[0];
}

std::vector<GridPoint> spatial_order(std::vector<GridPoint> points) {
  check_count(points.size());
  if (points.empty()) return {};
  const Extent extent = extent_of(points);
  const auto widest =
      static_cast<std::uint32_t>(std::max(std::int64_t{extent.max_x} - extent.min_x, std::int64_t{extent.max_y} - extent.min_y));
  int shift = 0;
  while ((widest >> shift) > 0xFFFFU) ++shift;

  // A key of 35 bits above a position of 29: half the memory of keys beside points.
  std::vector<std::uint64_t> entries(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto x = static_cast<std::uint32_t>(std::int64_t{points[i].x} - extent.min_x);
    const auto y = static_cast<std::uint32_t>(std::int64_t{points[i].y} - extent.min_y);
    const std::uint64_t key = (std::uint64_t{round_of(x, y)} << 32) | hilbert(x >> shift, y >> shift);
    entries[i] = (key << position_bits) | i;
  }
  {
    // Radix sort of the keys, 12 bits at a time.
    constexpr int digits = 3;
    std::vector<std::array<std::size_t, 4096>> starts(digits);
    for (const std::uint64_t entry : entries) {
      for (int digit = 0; digit < digits; ++digit)
        ++starts[static_cast<std::size_t>(digit)][(entry >> (position_bits + 12 * digit)) & 4095U];
    }
    std::vector<std::uint64_t> sorted(points.size());
    for (int digit = 0; digit < digits; ++digit) {
      std::array<std::size_t, 4096>& start = starts[static_cast<std::size_t>(digit)];
      std::exclusive_scan(start.begin(), start.end(), start.begin(), std::size_t{0});
      for (const std::uint64_t entry : entries) sorted[start[(entry >> (position_bits + 12 * digit)) & 4095U]++] = entry;
      entries.swap(sorted);
    }
  }
  std::vector<GridPoint> ordered(points.size());
  std::transform(entries.begin(), entries.end(), ordered.begin(), [&](std::uint64_t entry) { return points[entry & (most_points - 1)]; });
  return ordered;
}

}  // namespace tuile::compute
