#include "compute/host/heights.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "compute/host/ground_thinning.hpp"
#include "features/formulas.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute {

namespace {

using features::Feature;

constexpr std::uint8_t ground_class = 2;
constexpr std::size_t points_per_task = 16384;

}  // namespace

Heights::Heights(const PointBlock& core, const features::FeaturePlan& plan, const Validity& validity)
    : core_(core), plan_(plan), validity_(validity) {
  for (std::size_t c = 0; c < plan.columns.size(); ++c) {
    if (plan.columns[c].feature == Feature::height_above_ground) heights_.push_back(c);
    if (plan.columns[c].feature == Feature::facade_score) facades_.push_back(c);
  }
}

std::uint64_t Heights::surface_bytes(const TileInput& tile, double reach) const {
  if (!wanted()) return 0;
  std::uint64_t ground = 0;
  for (const PointBlock* block : {tile.core, tile.halo}) {
    if (block != nullptr)
      ground += static_cast<std::uint64_t>(std::count(block->classification.begin(), block->classification.end(), ground_class));
  }
  if (!tile.bounds.empty()) {
    const auto cells = [&](std::int64_t low, std::int64_t high) {
      return (static_cast<double>(high - low) * core_.grid.scale + 2 * (tile.halo_width + reach)) / ground_cell + 2;
    };
    const double most = cells(tile.bounds.min_x, tile.bounds.max_x) * cells(tile.bounds.min_y, tile.bounds.max_y);
    if (most < static_cast<double>(ground)) ground = static_cast<std::uint64_t>(most);
  }
  return ground * surface_bytes_per_ground_point;
}

void Heights::build(const TilePoints& points) {
  surface_.emplace(
      [&](const TakePoints& take) {
        std::array<GridPoint, 1024> taken;
        std::size_t count = 0;
        for (const TilePoints::Run& run : points.runs()) {
          const std::uint8_t* const classes = run.block->classification.data();
          points.for_each_of(run, [&](const GridPoint& point, std::uint32_t index) {
            if (classes[index - run.first_index] != ground_class) return;
            taken[count++] = point;
            if (count < taken.size()) return;
            take(taken);
            count = 0;
          });
        }
        take({taken.data(), count});
      },
      core_.grid);
}

void Heights::fill(const PointOrder& order, float* values, Executor& executor, const std::stop_token& stop) const {
  const bool missing = surface_->empty();
  const auto fill_row = [&](std::size_t point, GroundSurface::Cursor& cursor) {
    float* const row = values + point * plan_.columns.size();
    const GridPoint& at = core_.units[point];
    const double height = missing ? std::numeric_limits<double>::quiet_NaN() : (at.z - cursor.height(at.x, at.y)) * core_.grid.scale;
    for (const std::size_t c : heights_) row[c] = static_cast<float>(height);
    for (const std::size_t c : facades_) {
      row[c] = missing ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(features::facade_score(row[c], height));
    }
  };
  const std::size_t slots = order.indices != nullptr ? order.count : core_.size();
  executor.for_each((slots + points_per_task - 1) / points_per_task, [&](std::size_t task) {
    if (stop.stop_requested()) throw Cancelled("stopped while computing heights above ground");
    GroundSurface::Cursor cursor(*surface_);
    const std::size_t end = std::min(slots, (task + 1) * points_per_task);
    for (std::size_t slot = task * points_per_task; slot < end; ++slot) {
      const std::size_t point = order.indices != nullptr ? order.indices[slot * order.stride] : slot;
      if (point < core_.size() && (validity_.core == nullptr || validity_.core[point] != 0)) fill_row(point, cursor);
    }
  });
}

std::vector<std::string> Heights::missing_columns() const {
  std::vector<std::string> names;
  if (!wanted() || core_.size() == 0 || !surface_->empty()) return names;
  for (const features::Column& column : plan_.columns) {
    if (column.feature == Feature::height_above_ground || column.feature == Feature::facade_score) names.push_back(column.name);
  }
  return names;
}

}  // namespace tuile::compute
