#include "label/area_index.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "label/edge_rows.hpp"
#include "label/outlines.hpp"
#include "label/row_builder.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::label {

namespace {

constexpr double most_cells = 2e6, most_shares = 8e6, most_listings = 2e6;
constexpr int rows_per_task = 8;

/// About how far the edges run through the rows of the box, along both axes, metres: never too little.
double length_inside(const std::vector<Edge>& edges, const Bounds& box) {
  double length = 0;
  for (const Edge& edge : edges) {
    const double height = edge.high.y - edge.low.y, inside = std::min(edge.high.y, box.max_y) - std::max(edge.low.y, box.min_y);
    if (inside < 0 || std::max(edge.low.x, edge.high.x) < box.min_x) continue;
    const double width = std::abs(edge.high.x - edge.low.x) * (height > 0 ? inside / height : 1.0);
    length += inside + std::min(width, box.width());
  }
  return length;
}

/// Cells fine enough that few points share one with a border, but no more than pay for themselves and than memory has room for.
double cell_side(const Outlines& outlines, const Bounds& box, std::size_t points, std::size_t layers) {
  const double most = std::min(most_cells, most_shares / static_cast<double>(layers));
  const double wanted = std::min(0.5 * static_cast<double>(points), 1024 + 64.0 * static_cast<double>(outlines.edges.size()));
  const double cells = std::clamp(wanted, 64.0, most);
  const double by_count = std::max(std::sqrt(2 * box.width() * box.height() / cells), 2 * (box.width() + box.height()) / cells);
  return std::max({by_count, length_inside(outlines.edges, box) / most_listings, 1e-6});
}

}  // namespace

AreaIndex::AreaIndex(std::span<const LayerTruth> layers, const Bounds& extent, std::size_t points, Executor& executor,
                     const std::stop_token& stop) {
  Outlines outlines(layers, extent, executor, stop);
  const Bounds box = outlines.bounds.intersection(extent);
  if (outlines.edges.empty() || box.empty()) return;
  grid_ = CellGrid(box, cell_side(outlines, box, points, layers.size()));
  const EdgeRows edge_rows(outlines, grid_, executor, stop);
  edges_ = std::move(outlines.edges);
  cells_ = Buffer<std::uint32_t>(static_cast<std::size_t>(grid_.rows()) * static_cast<std::size_t>(grid_.columns()));
  lists_.resize(static_cast<std::size_t>(grid_.rows()));
  std::vector<std::uint32_t> layer_end;
  for (const LayerTruth& layer : layers)
    layer_end.push_back(static_cast<std::uint32_t>(layer.areas.size()) + (layer_end.empty() ? 0 : layer_end.back()));

  using Builders = std::vector<std::unique_ptr<RowBuilder>>;
  Guarded<Builders> idle;
  const auto tasks = static_cast<std::size_t>((grid_.rows() + rows_per_task - 1) / rows_per_task);
  executor.for_each(tasks, [&](std::size_t task) {
    throw_if_stopped(stop);
    std::unique_ptr<RowBuilder> builder;
    idle.with([&](Builders& builders) {
      if (builders.empty()) return;
      builder = std::move(builders.back());
      builders.pop_back();
    });
    if (!builder) builder = std::make_unique<RowBuilder>(*this, outlines.links, layer_end);
    const int first = static_cast<int>(task) * rows_per_task;
    for (int row = first; row < std::min(first + rows_per_task, grid_.rows()); ++row)
      builder->build(row, edge_rows[static_cast<std::size_t>(row)]);
    idle.with([&](Builders& builders) { builders.push_back(std::move(builder)); });
  });
}

}  // namespace tuile::label
