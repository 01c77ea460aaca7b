#include "compute/cpu/ground_surface.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "compute/cpu/delaunay.hpp"
#include "compute/cpu/ground_thinning.hpp"

namespace tuile::compute {
namespace {

constexpr std::size_t slot_after(std::size_t slot) noexcept { return slot == 2 ? 0 : slot + 1; }
constexpr std::size_t slot_before(std::size_t slot) noexcept { return slot == 0 ? 2 : slot - 1; }

bool lexicographically_less(const GridPoint& a, const GridPoint& b) noexcept { return a.x != b.x ? a.x < b.x : a.y < b.y; }

Int128 squared_distance(const GridPoint& a, const GridPoint& b) noexcept {
  const std::int64_t dx = std::int64_t{a.x} - b.x, dy = std::int64_t{a.y} - b.y;
  return Int128{dx} * dx + Int128{dy} * dy;
}

double ratio(Int128 numerator, Int128 denominator) noexcept { return static_cast<double>(numerator) / static_cast<double>(denominator); }

double between(const GridPoint& a, const GridPoint& b, double share_of_b) noexcept {
  return a.z + static_cast<double>(std::int64_t{b.z} - a.z) * share_of_b;
}

/// On the segment, by the axis along which it is longer. The ends are taken in lexicographic order, so that both triangles that
/// share an edge give the same bits.
double on_edge(const GridPoint* a, const GridPoint* b, const GridPoint& at) noexcept {
  if (lexicographically_less(*b, *a)) std::swap(a, b);
  const std::int64_t dx = std::int64_t{b->x} - a->x, dy = std::int64_t{b->y} - a->y;
  return std::abs(dx) >= std::abs(dy) ? between(*a, *b, ratio(std::int64_t{at.x} - a->x, dx))
                                      : between(*a, *b, ratio(std::int64_t{at.y} - a->y, dy));
}

}  // namespace

/// The triangulation, or where the points are too few or on one line, the points in lexicographic order: along that line.
struct GroundSurface::Impl {
  Delaunay mesh;
  std::vector<GridPoint> line;

  // One triangle to start from per square of the plane, for queries far from the one before.
  std::int32_t min_x = 0, min_y = 0;
  int hint_shift = 0;
  std::int64_t hint_columns = 0, hint_rows = 0;
  std::vector<std::int32_t> hints;

  void make_hints();
  std::int64_t hint_of(const GridPoint& at) const noexcept;
  std::int32_t start_for(const GridPoint& at, std::int32_t remembered) const noexcept;
  double height_on_line(const GridPoint& at) const noexcept;
  double height_inside(const Delaunay::Triangle& triangle, const GridPoint& at) const noexcept;
  std::int32_t nearest(const GridPoint& at, std::int32_t& triangle) const noexcept;
  const GridPoint& vertex(std::int32_t index) const noexcept { return mesh.points()[static_cast<std::size_t>(index)]; }
};

void GroundSurface::Impl::make_hints() {
  const auto [left, right] =
      std::minmax_element(mesh.points().begin(), mesh.points().end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  const auto [bottom, top] =
      std::minmax_element(mesh.points().begin(), mesh.points().end(), [](const auto& a, const auto& b) { return a.y < b.y; });
  min_x = left->x;
  min_y = bottom->y;
  const std::int64_t width = std::int64_t{right->x} - min_x, height = std::int64_t{top->y} - min_y;
  const auto most = static_cast<std::int64_t>(mesh.points().size() / 16 + 16);
  while (((width >> hint_shift) + 1) > most / ((height >> hint_shift) + 1)) ++hint_shift;
  hint_columns = (width >> hint_shift) + 1;
  hint_rows = (height >> hint_shift) + 1;
  hints.assign(static_cast<std::size_t>(hint_columns * hint_rows), -1);
  for (std::size_t i = 0; i < mesh.triangles().size(); ++i) {
    const Delaunay::Triangle& triangle = mesh.triangles()[i];
    if (triangle.unbounded()) continue;
    hints[static_cast<std::size_t>(hint_of(vertex(triangle.vertex[0])))] = static_cast<std::int32_t>(i);
  }
  // Squares without a vertex start from the nearest square before them in the row order.
  std::int32_t last = 0;
  for (std::int32_t& hint : hints) hint < 0 ? hint = last : last = hint;
}

std::int64_t GroundSurface::Impl::hint_of(const GridPoint& at) const noexcept {
  const std::int64_t column = std::clamp<std::int64_t>((std::int64_t{at.x} - min_x) >> hint_shift, 0, hint_columns - 1);
  const std::int64_t row = std::clamp<std::int64_t>((std::int64_t{at.y} - min_y) >> hint_shift, 0, hint_rows - 1);
  return row * hint_columns + column;
}

std::int32_t GroundSurface::Impl::start_for(const GridPoint& at, std::int32_t remembered) const noexcept {
  if (remembered >= 0) {
    const Delaunay::Triangle& triangle = mesh.triangles()[static_cast<std::size_t>(remembered)];
    const GridPoint& corner = vertex(*std::max_element(triangle.vertex.begin(), triangle.vertex.end()));
    const std::int64_t near = std::int64_t{2} << hint_shift;
    if (std::abs(std::int64_t{corner.x} - at.x) < near && std::abs(std::int64_t{corner.y} - at.y) < near) return remembered;
  }
  return hints[static_cast<std::size_t>(hint_of(at))];
}

/// Linear between the two points whose feet on the line enclose the foot of (x, y), the end's height beyond the ends.
double GroundSurface::Impl::height_on_line(const GridPoint& at) const noexcept {
  const GridPoint &first = line.front(), &last = line.back();
  const std::int64_t dx = std::int64_t{last.x} - first.x, dy = std::int64_t{last.y} - first.y;
  const auto along = [&](const GridPoint& point) {
    return Int128{dx} * (std::int64_t{point.x} - first.x) + Int128{dy} * (std::int64_t{point.y} - first.y);
  };
  const Int128 foot = along(at);
  if (line.size() == 1 || foot <= 0) return first.z;
  if (foot >= along(last)) return last.z;
  const auto after = std::partition_point(line.begin(), line.end(), [&](const GridPoint& point) { return along(point) <= foot; });
  const GridPoint &a = *std::prev(after), &b = *after;
  return between(a, b, ratio(foot - along(a), along(b) - along(a)));
}

/// On a vertex its height, on an edge linear along the edge, else by areas. Vertices are taken in an order of their own, so the bits
/// depend on the triangle alone.
double GroundSurface::Impl::height_inside(const Delaunay::Triangle& triangle, const GridPoint& at) const noexcept {
  std::array<const GridPoint*, 3> corner{&vertex(triangle.vertex[0]), &vertex(triangle.vertex[1]), &vertex(triangle.vertex[2])};
  std::rotate(corner.begin(),
              std::min_element(corner.begin(), corner.end(), [](auto* a, auto* b) { return lexicographically_less(*a, *b); }),
              corner.end());
  // Inside the triangle an area is at most 2^61: the triangulation is not wider than 2^30.
  std::array<std::int64_t, 3> area;
  for (std::size_t i = 0; i < 3; ++i) area[i] = static_cast<std::int64_t>(orient2d(*corner[slot_after(i)], *corner[slot_before(i)], at));
  for (std::size_t i = 0; i < 3; ++i) {
    if (area[i] != 0) continue;
    // A vertex lies on two edges; on_edge gives its exact height from either.
    return on_edge(corner[slot_after(i)], corner[slot_before(i)], at);
  }
  const auto whole = static_cast<double>(area[0] + area[1] + area[2]);
  const auto rise_1 = static_cast<double>(std::int64_t{corner[1]->z} - corner[0]->z),
             rise_2 = static_cast<double>(std::int64_t{corner[2]->z} - corner[0]->z);
  return corner[0]->z + (rise_1 * static_cast<double>(area[1]) + rise_2 * static_cast<double>(area[2])) / whole;
}

/// The vertex nearest to a point outside the hull; ties: smallest x, then y. `triangle` is the unbounded triangle that `at` was found in,
/// and becomes one around the result. Every vertex but the nearest has a Delaunay neighbour that is nearer (by distance, then x, then y).
std::int32_t GroundSurface::Impl::nearest(const GridPoint& at, std::int32_t& triangle) const noexcept {
  const auto triangles = mesh.triangles();
  const auto get = [&](std::int32_t index) -> const Delaunay::Triangle& { return triangles[static_cast<std::size_t>(index)]; };
  const auto slot_in = [&](std::int32_t index, std::int32_t v) -> std::size_t {
    return get(index).vertex[0] == v ? 0 : get(index).vertex[1] == v ? 1 : 2;
  };
  std::int32_t best = get(triangle).vertex[slot_after(static_cast<std::size_t>(get(triangle).infinite_slot()))];
  Int128 best_distance = squared_distance(vertex(best), at);
  for (bool moved = true; moved;) {
    moved = false;
    const std::int32_t centre = best;
    std::int32_t spoke = triangle;
    do {
      const std::size_t slot = slot_in(spoke, centre);
      const std::int32_t other = get(spoke).vertex[slot_after(slot)];
      if (other != Delaunay::infinite) {
        const Int128 distance = squared_distance(vertex(other), at);
        if (distance < best_distance || (distance == best_distance && lexicographically_less(vertex(other), vertex(best)))) {
          best = other;
          best_distance = distance;
          triangle = spoke;
          moved = true;
        }
      }
      spoke = get(spoke).neighbour[slot_after(slot)];
    } while (spoke != triangle && !moved);
  }
  return best;
}

GroundSurface::GroundSurface(const GroundPoints& points, const Grid& grid) : impl_(std::make_unique<Impl>()) {
  impl_->mesh = Delaunay(spatial_order(lowest_per_cell(points, grid)));
  if (!impl_->mesh.triangles().empty()) {
    impl_->make_hints();
    return;
  }
  impl_->line = impl_->mesh.points();
  std::sort(impl_->line.begin(), impl_->line.end(), lexicographically_less);
}

GroundSurface::GroundSurface(std::span<const GridPoint> points, const Grid& grid)
    : GroundSurface([points](const TakePoints& take) { take(points); }, grid) {}

GroundSurface::~GroundSurface() = default;
GroundSurface::GroundSurface(GroundSurface&&) noexcept = default;
GroundSurface& GroundSurface::operator=(GroundSurface&&) noexcept = default;

bool GroundSurface::empty() const noexcept { return impl_->mesh.points().empty(); }

double GroundSurface::Cursor::height(std::int32_t x, std::int32_t y) {
  const Impl& ground = *surface_->impl_;
  const GridPoint at{x, y, 0};
  if (ground.mesh.triangles().empty()) return ground.height_on_line(at);
  triangle_ = ground.mesh.locate(at, ground.start_for(at, triangle_));
  const Delaunay::Triangle& triangle = ground.mesh.triangles()[static_cast<std::size_t>(triangle_)];
  if (triangle.unbounded()) return ground.vertex(ground.nearest(at, triangle_)).z;
  return ground.height_inside(triangle, at);
}

}  // namespace tuile::compute
