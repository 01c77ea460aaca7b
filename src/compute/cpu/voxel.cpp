#include "compute/cpu/voxel.hpp"

#include <algorithm>
#include <bit>
#include <tuple>
#include <vector>

#include "compute/cells.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute::cpu {

namespace {

/// Cells that lie together, so many along each axis, are thinned by one task: their points mostly lie together in memory too.
constexpr int bundle_shift = 3;
/// Points of a part whose table stays in a processor's own cache.
constexpr std::size_t points_per_part = 8192;
constexpr std::size_t most_parts = 4096, most_pieces = 256;

struct Cell {
  std::int64_t x, y, z;
  bool operator==(const Cell&) const = default;
};

/// A hash whose upper bits are good.
std::uint64_t hash_of(const Cell& cell) noexcept {
  // Odd constants without a pattern: the fractions of the golden ratio, √2 and √3. Source: Knuth, The Art of Computer Programming 6.4.
  std::uint64_t hash = static_cast<std::uint64_t>(cell.x) * 0x9e3779b97f4a7c15U;
  hash = (hash ^ hash >> 32U ^ static_cast<std::uint64_t>(cell.y)) * 0x6a09e667f3bcc909U;
  return (hash ^ hash >> 32U ^ static_cast<std::uint64_t>(cell.z)) * 0xbb67ae8584caa73bU;
}

class Thinning {
 public:
  Thinning(const TilePoints& points, const Grid& grid, double size) : points_(points) {
    GridPoint low = points.runs().front().low;
    for (const TilePoints::Run& run : points.runs()) {
      low = {std::min(low.x, run.low.x), std::min(low.y, run.low.y), std::min(low.z, run.low.z)};
    }
    x_ = cell_axis(grid.origin[0], low.x, grid.scale, size);
    y_ = cell_axis(grid.origin[1], low.y, grid.scale, size);
    z_ = cell_axis(grid.origin[2], low.z, grid.scale, size);
    const std::size_t parts = std::bit_ceil(std::min(points.size() / points_per_part + 1, most_parts));
    part_bits_ = std::countr_zero(parts);
  }

  void run(Executor& executor, const std::stop_token& stop, std::uint8_t* keep) {
    sort(executor, stop, keep);
    executor.for_each(starts_.size() - 1, [&](std::size_t part) {
      if (stop.stop_requested()) throw Cancelled("stopped while thinning points");
      thin(starts_[part], starts_[part + 1], keep);
    });
  }

 private:
  Cell cell(const GridPoint& p) const noexcept { return {cell_of(x_, p.x), cell_of(y_, p.y), cell_of(z_, p.z)}; }

  std::size_t part_of(const GridPoint& p) const noexcept {
    const Cell c = cell(p);
    const std::uint64_t hash = hash_of({c.x >> bundle_shift, c.y >> bundle_shift, c.z >> bundle_shift});
    return part_bits_ == 0 ? 0 : static_cast<std::size_t>(hash >> (64 - part_bits_));
  }

  /// Indices of the valid points, part by part, each part's in order. No point is kept yet.
  void sort(Executor& executor, const std::stop_token& stop, std::uint8_t* keep) {
    const auto& runs = points_.runs();
    const std::size_t parts = std::size_t{1} << part_bits_, pieces = std::min(runs.size(), most_pieces);
    std::vector<std::size_t> places(pieces * parts, 0);
    const auto for_each_point = [&](auto&& action) {
      executor.for_each(pieces, [&](std::size_t piece) {
        if (stop.stop_requested()) throw Cancelled("stopped while thinning points");
        std::size_t* const place = places.data() + piece * parts;
        for (std::size_t r = piece * runs.size() / pieces; r < (piece + 1) * runs.size() / pieces; ++r) {
          points_.for_each_of(runs[r], [&](const GridPoint& p, std::uint32_t index) { action(place[part_of(p)], index); });
        }
      });
    };
    for_each_point([](std::size_t& count, std::uint32_t) { ++count; });
    std::size_t at = 0;
    starts_.resize(parts + 1);
    for (std::size_t part = 0; part < parts; ++part) {
      starts_[part] = at;
      for (std::size_t piece = 0; piece < pieces; ++piece) {
        std::size_t& place = places[piece * parts + part];
        at += std::exchange(place, at);
      }
    }
    starts_[parts] = at;
    order_ = Buffer<std::uint32_t>(at);
    for_each_point([&](std::size_t& place, std::uint32_t index) {
      order_[place++] = index;
      keep[index] = 0;
    });
  }

  void thin(std::size_t begin, std::size_t end, std::uint8_t* keep) const {
    if (begin == end) return;
    struct Best {
      Cell cell;
      GridPoint point;
      std::uint32_t index = nobody;
    };
    // Open addressing, at most half full.
    std::vector<Best> table(std::bit_ceil(2 * (end - begin)));
    const int bits = std::countr_zero(table.size());
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t index = order_[i];
      const GridPoint& point = points_.point(index);
      const Cell c = cell(point);
      std::size_t at = static_cast<std::size_t>(hash_of(c) >> (64 - bits));
      while (table[at].index != nobody && table[at].cell != c) at = (at + 1) % table.size();
      Best& best = table[at];
      // Indices grow: of equal points the first stays.
      if (best.index == nobody || std::tie(point.x, point.y, point.z) < std::tie(best.point.x, best.point.y, best.point.z)) {
        best = {c, point, index};
      }
    }
    for (const Best& best : table) {
      if (best.index != nobody) keep[best.index] = 1;
    }
  }

  static constexpr std::uint32_t nobody = 0xffffffffU;

  const TilePoints& points_;
  CellAxis x_, y_, z_;
  int part_bits_ = 0;
  std::vector<std::size_t> starts_;
  Buffer<std::uint32_t> order_;
};

}  // namespace

void thin_voxels(const TilePoints& points, const Grid& grid, double size, Executor& executor, const std::stop_token& stop,
                 std::uint8_t* keep) {
  if (points.size() > 0) Thinning(points, grid, size).run(executor, stop, keep);
}

}  // namespace tuile::compute::cpu
