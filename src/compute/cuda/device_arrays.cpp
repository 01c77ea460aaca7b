#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "compute/cuda/carver.hpp"
#include "compute/cuda/kernels.hpp"
#include "compute/cuda/primitives.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute::cuda {

namespace {

using features::Feature;

/// The sorts and scans count in int.
constexpr std::uint64_t most_slots = std::uint64_t{1} << 31U;
/// A dimension of a launch.
constexpr std::size_t most_pieces = 65535;

void add_piece(BatchPlan& plan, const PieceShape& shape) {
  Piece piece{};
  piece.points = shape.points;
  piece.rows = shape.rows;
  piece.first_point = plan.points;
  piece.first_row = plan.rows;
  piece.first_slot = plan.slots;
  piece.scale = shape.grid.scale;
  piece.complete = shape.complete;
  piece.given = shape.given;
  if (plan.preprocess.voxel > 0) {
    for (std::size_t d = 0; d < 3; ++d) piece.cells[d] = cell_axis(shape.grid.origin[d], 0, shape.grid.scale, plan.preprocess.voxel);
  }
  std::uint32_t below = shape.points;
  do {
    below = (below + fan_out - 1) / fan_out;
    piece.first_node[piece.levels] = plan.nodes;
    piece.nodes[piece.levels++] = below;
    plan.nodes += below;
  } while (below > fan_out);
  plan.points += shape.points;
  plan.rows += shape.rows;
  plan.slots += piece.nodes[0] * fan_out;
  plan.levels = std::max(plan.levels, piece.levels);
  plan.pieces.push_back(piece);
}

/// Adds a row of limits; gives its number.
std::uint32_t add_limits(BatchPlan& plan, double radius) {
  const auto row = static_cast<std::uint32_t>(plan.limits.size() / plan.pieces.size());
  for (const Piece& piece : plan.pieces) plan.limits.push_back(squared_units(radius, piece.scale));
  return row;
}

void add_scales(BatchPlan& plan, const features::FeaturePlan& features) {
  std::vector<ScalePlan> scales(features.scales.size());
  for (std::size_t c = 0; c < features.columns.size(); ++c) {
    const features::Column& column = features.columns[c];
    if (column.feature == Feature::num_points_2m) plan.count_columns.push_back(static_cast<std::uint32_t>(c));
    if (!features::info(column.feature).neighbourhood) continue;
    ScalePlan& scale = scales[column.scale];
    scale.feature[scale.wanted] = static_cast<std::uint8_t>(column.feature);
    scale.column[scale.wanted++] = static_cast<std::uint32_t>(c);
  }
  for (std::size_t s = 0; s < scales.size(); ++s) {
    ScalePlan& scale = scales[s];
    if (scale.wanted == 0) continue;
    const features::Neighbourhood& of = features.scales[s];
    scale.bounded = of.radius > 0;
    scale.most = static_cast<std::uint32_t>(scale.bounded ? of.max_neighbors : of.k);
    if (scale.bounded) scale.limits = add_limits(plan, of.radius);
    plan.scales.push_back(scale);
  }
}

/// Where the tables' parts lie in their block.
struct TableLayout {
  std::size_t pieces, limits, columns, excluded, size;
  explicit TableLayout(const BatchPlan& plan)
      : pieces(0),
        limits(plan.pieces.size() * sizeof(Piece)),
        columns(limits + plan.limits.size() * sizeof(std::uint64_t)),
        excluded(columns + plan.count_columns.size() * sizeof(std::uint32_t)),
        size(excluded + plan.excluded.size()) {}
};

void write_tables(BatchPlan& plan) {
  const TableLayout layout(plan);
  plan.tables.resize(layout.size);
  const auto write = [&](std::size_t at, const auto& values) {
    if (!values.empty()) std::memcpy(plan.tables.data() + at, values.data(), values.size() * sizeof(values[0]));
  };
  write(layout.pieces, plan.pieces);
  write(layout.limits, plan.limits);
  write(layout.columns, plan.count_columns);
  write(layout.excluded, plan.excluded);
}

}  // namespace

BatchPlan plan_batch(std::span<const PieceShape> pieces, const features::FeaturePlan& features, const Preprocess& preprocess,
                     bool has_classes) {
  std::uint64_t slots = 0;
  for (const PieceShape& piece : pieces) slots += (std::uint64_t{piece.points} + fan_out - 1) / fan_out * fan_out;
  if (pieces.empty() || pieces.size() > most_pieces || slots >= most_slots) {
    throw InvalidArgument("a batch of " + std::to_string(pieces.size()) + " pieces with " + std::to_string(slots) +
                          " slots; it must have 1 to " + std::to_string(most_pieces) + " pieces and fewer than 2^31 slots: part it");
  }
  BatchPlan plan;
  plan.preprocess = preprocess;
  plan.has_classes = has_classes;
  plan.columns = static_cast<std::uint32_t>(features.columns.size());
  for (const std::uint8_t code : preprocess.exclude_classes) plan.excluded[code] = 1;
  for (const PieceShape& piece : pieces) add_piece(plan, piece);
  add_scales(plan, features);
  if (!plan.count_columns.empty()) plan.count_limits = add_limits(plan, 2.0);
  if (preprocess.radius_outliers.radius > 0) plan.radius_limits = add_limits(plan, preprocess.radius_outliers.radius);
  plan.searches = !plan.scales.empty() || !plan.count_columns.empty() || preprocess.has_filters();
  const auto piece_bits = static_cast<std::uint32_t>(std::bit_width(pieces.size()));
  plan.axis_bits = std::min<std::uint32_t>(20, (64 - piece_bits) / 3);
  plan.key_bits = 3 * plan.axis_bits + piece_bits;
  write_tables(plan);
  return plan;
}

std::size_t lay_out(const BatchPlan& plan, std::byte* base, BatchArrays& arrays) {
  Carver carver(base);
  const TableLayout tables(plan);
  const std::size_t pieces = plan.pieces.size(), points = plan.points, slots = plan.slots, leaves = slots / fan_out;
  arrays = {};
  arrays.tables = carver.take<std::byte>(tables.size);
  if (base != nullptr) {
    arrays.pieces = reinterpret_cast<const Piece*>(arrays.tables + tables.pieces);
    arrays.limits = reinterpret_cast<const std::uint64_t*>(arrays.tables + tables.limits);
    arrays.count_columns = reinterpret_cast<const std::uint32_t*>(arrays.tables + tables.columns);
    arrays.excluded = reinterpret_cast<const std::uint8_t*>(arrays.tables + tables.excluded);
  }
  arrays.states = carver.take<PieceState>(pieces);
  arrays.units = carver.take<GridPoint>(points);
  if (plan.has_classes) arrays.classes = carver.take<std::uint8_t>(points);
  arrays.valid = carver.take<std::uint8_t>(points);
  arrays.values = carver.take<float>(std::size_t{plan.rows} * plan.columns);
  arrays.unfinished = carver.take<std::uint32_t>(plan.rows);
  if (!plan.searches) return carver.size();

  arrays.slots[0] = carver.take<Slot>(slots);
  arrays.coordinates = carver.take<float>(slots * 3);
  arrays.boxes = carver.take<float4>(std::size_t{plan.nodes} * 2);
  arrays.flags = carver.take<std::uint8_t>(slots);
  for (int list = 0; list < 3; ++list) {
    arrays.left_leaves[list] = carver.take<std::uint32_t>(leaves);
    arrays.left_masks[list] = carver.take<std::uint32_t>(leaves);
  }
  arrays.left_count = carver.take<std::uint32_t>(3);
  arrays.places = carver.take<std::uint32_t>(slots);
  const bool filters = plan.preprocess.has_filters();
  if (filters) {
    arrays.slots[1] = carver.take<Slot>(slots);
    arrays.keep = carver.take<std::uint32_t>(slots);
  }
  if (plan.preprocess.statistical_outliers.k > 0) {
    arrays.thresholds = carver.take<double>(pieces);
    arrays.sums = carver.take<std::uint64_t>(points);
  }
  arrays.temporary_bytes = primitive_bytes(plan.points, filters ? plan.slots : 0, plan.key_bits);
  arrays.temporary = carver.take<std::byte>(arrays.temporary_bytes);
  // Once the points are in their slots, nobody needs what they were sorted by: there the moments find their place.
  const std::size_t shared = carver.position();
  for (int i = 0; i < 2; ++i) {
    arrays.keys[i] = carver.take<std::uint64_t>(points);
    arrays.order[i] = carver.take<std::uint32_t>(points);
  }
  carver.back_to(shared);
  Moments& m = arrays.moments;
  for (double** to : {&m.n, &m.xx, &m.xy, &m.xz, &m.yy, &m.yz, &m.zz, &m.reach2, &m.z_span}) *to = carver.take<double>(slots);
  return carver.size();
}

}  // namespace tuile::compute::cuda
