#include "compute/host/ground_surface.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "compute/host/delaunay.hpp"
#include "compute/host/ground_thinning.hpp"

namespace tuile::compute {

/// The triangulation, or where the points are too few or on one line, the points in lexicographic order: along that line.
struct GroundSurface::Impl {
  Delaunay mesh;
  std::vector<GridPoint> line;
  std::vector<std::int32_t> hints;
  SurfaceView view;

  void make_hints();
};

void GroundSurface::Impl::make_hints() {
  const auto [left, right] =
      std::minmax_element(mesh.points().begin(), mesh.points().end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  const auto [bottom, top] =
      std::minmax_element(mesh.points().begin(), mesh.points().end(), [](const auto& a, const auto& b) { return a.y < b.y; });
  view.min_x = left->x;
  view.min_y = bottom->y;
  const std::int64_t width = std::int64_t{right->x} - view.min_x, height = std::int64_t{top->y} - view.min_y;
  const auto most = static_cast<std::int64_t>(mesh.points().size() / 16 + 16);
  while (((width >> view.hint_shift) + 1) > most / ((height >> view.hint_shift) + 1)) ++view.hint_shift;
  view.hint_columns = (width >> view.hint_shift) + 1;
  view.hint_rows = (height >> view.hint_shift) + 1;
  hints.assign(static_cast<std::size_t>(view.hint_columns * view.hint_rows), -1);
  for (std::size_t i = 0; i < mesh.triangles().size(); ++i) {
    const MeshTriangle& triangle = mesh.triangles()[i];
    if (is_unbounded(triangle)) continue;
    const GridPoint& corner = view.mesh.points[triangle.vertex[0]];
    hints[static_cast<std::size_t>(surface::hint_of(view, corner))] = static_cast<std::int32_t>(i);
  }
  // Squares without a vertex start from the nearest square before them in the row order.
  std::int32_t last = 0;
  for (std::int32_t& hint : hints) hint < 0 ? hint = last : last = hint;
  view.hints = hints.data();
}

GroundSurface::GroundSurface(const GroundPoints& points, const Grid& grid, const std::shared_ptr<HostMemory>& memory)
    : impl_(std::make_unique<Impl>()) {
  impl_->mesh = Delaunay(spatial_order(lowest_per_cell(points, grid)), memory);
  impl_->view.mesh = impl_->mesh.view();
  if (!impl_->mesh.triangles().empty()) {
    impl_->make_hints();
    return;
  }
  impl_->line = impl_->mesh.points();
  std::sort(impl_->line.begin(), impl_->line.end(), lexicographically_less);
  impl_->view.mesh.points = impl_->line.data();
}

GroundSurface::GroundSurface(std::span<const GridPoint> points, const Grid& grid)
    : GroundSurface([points](const TakePoints& take) { take(points); }, grid) {}

GroundSurface::~GroundSurface() = default;
GroundSurface::GroundSurface(GroundSurface&&) noexcept = default;
GroundSurface& GroundSurface::operator=(GroundSurface&&) noexcept = default;

const SurfaceView& GroundSurface::view() const noexcept { return impl_->view; }

}  // namespace tuile::compute
