#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "label/area_index.hpp"
#include "label/outlines.hpp"
#include "tuile/core/asprs_classes.hpp"
#include "tuile/core/error.hpp"
#include "tuile/label/label.hpp"

namespace tuile::label {

namespace {

using features::Feature;

constexpr std::size_t points_per_task = 16384;

void add_each(std::vector<Feature>& all, std::span<const Feature> more) {
  for (const Feature feature : more) {
    if (std::find(all.begin(), all.end(), feature) == all.end()) all.push_back(feature);
  }
}

std::size_t column_of(const FeatureBlock& columns, Feature feature) {
  const std::string_view name = features::info(feature).name;
  const auto found = std::find(columns.names.begin(), columns.names.end(), name);
  if (found == columns.names.end())
    throw InvalidArgument("the features have no column '" + std::string(name) + "', which labels need; compute all of LabelPlan::needs()");
  return static_cast<std::size_t>(found - columns.names.begin());
}

void check_areas(const LayerTruth& layer) {
  const LayerAreas& areas = layer.areas;
  const auto fits = [](const std::vector<std::uint32_t>& begin, std::size_t last) {
    return !begin.empty() && begin.front() == 0 && begin.back() == last && std::is_sorted(begin.begin(), begin.end());
  };
  if (areas.area_begin.size() != areas.size() + 1 || areas.ring_begin.empty() || !fits(areas.area_begin, areas.ring_begin.size() - 1) ||
      !fits(areas.ring_begin, areas.vertices.size()))
    throw InvalidArgument("the areas of layer '" + layer.layer + "' contradict themselves: increasing begins of " +
                          std::to_string(areas.size()) + " areas and their rings are expected");
}

void check(const PointBlock& points, const FeatureBlock& columns, std::span<const std::uint8_t> valid, const GroundTruth& truth,
           const LabelPlan& plan) {
  const std::size_t count = points.size();
  if (points.classification.size() != count)
    throw InvalidArgument("the block has " + std::to_string(points.classification.size()) + " classes; one for each of its " +
                          std::to_string(count) + " points is expected");
  if (!(points.grid.scale > 0) || !std::isfinite(points.grid.scale))
    throw InvalidArgument("the grid's scale is " + std::to_string(points.grid.scale) + "; metres above 0 are expected");
  if (columns.points != count || columns.values.size() != count * columns.columns())
    throw InvalidArgument("the features have " + std::to_string(columns.points) + " rows and " + std::to_string(columns.values.size()) +
                          " values; one row for each of the " + std::to_string(count) + " points is expected");
  if (!valid.empty() && valid.size() != count)
    throw InvalidArgument("`valid` has " + std::to_string(valid.size()) + " entries; none, or one for each of the " +
                          std::to_string(count) + " points, is expected");
  if (plan.layers.size() > LabelPlan::most_layers)
    throw InvalidArgument("the plan has " + std::to_string(plan.layers.size()) + " layers; at most " +
                          std::to_string(LabelPlan::most_layers) + " are expected");
  if (truth.layers.size() != plan.layers.size())
    throw InvalidArgument("the ground truth has " + std::to_string(truth.layers.size()) + " layers; the plan's " +
                          std::to_string(plan.layers.size()) + " are expected");
  std::size_t objects = 0;
  for (std::size_t l = 0; l < plan.layers.size(); ++l) {
    const LayerTruth& layer = truth.layers[l];
    if (layer.layer != plan.layers[l].layer)
      throw InvalidArgument("layer " + std::to_string(l + 1) + " of the ground truth is '" + layer.layer + "'; '" + plan.layers[l].layer +
                            "' is expected, as in the plan");
    if (!is_sound(layer.outcome))
      throw InvalidArgument("layer '" + layer.layer + "' is " + to_string(layer.outcome) +
                            "; labels are made from data or confirmed emptiness only: fetch it again, or leave the tile unlabelled");
    check_areas(layer);
    objects += layer.areas.size();
  }
  if (objects >= AreaIndex::no_object)
    throw InvalidArgument("the ground truth has " + std::to_string(objects) + " objects; fewer than 2^31 - 1 are expected");
}

/// A rule whose condition reads a feature row directly.
class BoundRule {
 public:
  BoundRule(const Rule& rule, const FeatureBlock& columns) : rule_(rule) {
    for (const Feature feature : rule.where.needs()) columns_.push_back(column_of(columns, feature));
  }
  bool holds(std::span<const float> row) const noexcept {
    std::array<float, features::feature_count> values;
    for (std::size_t i = 0; i < columns_.size(); ++i) values[i] = row[columns_[i]];
    return rule_.where.holds({values.data(), columns_.size()});
  }
  std::uint8_t asprs_class() const noexcept { return rule_.asprs_class; }

 private:
  const Rule& rule_;
  std::vector<std::size_t> columns_;
};

/// One layer as the points see it.
struct BoundLayer {
  std::vector<BoundRule> rules;
  std::uint32_t end = 0;  ///< the first object after those of the layer
};

/// Buildings that are green and rough are trees.
class VegetationByNdvi {
 public:
  explicit VegetationByNdvi(const FeatureBlock& columns)
      : ndvi_(column_of(columns, Feature::ndvi)),
        planarity_(column_of(columns, Feature::planarity)),
        height_(column_of(columns, Feature::height_above_ground)) {}
  /// The class of such a point; 0: it is none.
  std::uint8_t class_of(std::span<const float> row) const noexcept {
    if (!(row[ndvi_] >= 0.3F && row[planarity_] < 0.5F)) return 0;
    const float height = row[height_];
    if (height < 0.5F) return asprs::low_vegetation;
    if (height < 1.5F) return asprs::medium_vegetation;
    return height >= 1.5F ? asprs::high_vegetation : std::uint8_t{0};
  }

 private:
  std::size_t ndvi_, planarity_, height_;
};

class Labeller {
 public:
  Labeller(const PointBlock& points, const FeatureBlock& columns, std::span<const std::uint8_t> valid, const GroundTruth& truth,
           const LabelPlan& plan, Executor& executor, const std::stop_token& stop)
      : points_(points),
        columns_(columns),
        valid_(valid),
        executor_(executor),
        stop_(stop),
        index_(truth.layers, extent(), points.size(), executor, stop) {
    std::size_t objects = 0;
    for (std::size_t l = 0; l < plan.layers.size(); ++l) {
      objects += truth.layers[l].areas.size();
      BoundLayer layer;
      for (const Rule& rule : plan.layers[l].rules) layer.rules.emplace_back(rule, columns);
      layer.end = static_cast<std::uint32_t>(objects);
      layers_.push_back(std::move(layer));
    }
    if (plan.ndvi) ndvi_.emplace(columns);
  }

  LabelBlock run() {
    const std::size_t count = points_.size();
    LabelBlock labels{Buffer<std::uint8_t>(count), Buffer<std::uint8_t>(count), Buffer<std::int32_t>(count)};
    for_each_chunk([&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) label(i, labels);
    });
    return labels;
  }

 private:
  /// Calls work(begin, end) for the chunks of the points, in parallel.
  template <class Work>
  void for_each_chunk(const Work& work) {
    const std::size_t count = points_.size();
    executor_.for_each((count + points_per_task - 1) / points_per_task, [&](std::size_t task) {
      throw_if_stopped(stop_);
      work(task * points_per_task, std::min(count, (task + 1) * points_per_task));
    });
  }

  double metres(int axis, std::int32_t units) const noexcept {
    return static_cast<double>(points_.grid.origin[static_cast<std::size_t>(axis)] + units) * points_.grid.scale;
  }

  Bounds extent() {
    struct Units {
      std::int32_t min_x = std::numeric_limits<std::int32_t>::max(), min_y = min_x, max_x = std::numeric_limits<std::int32_t>::min(),
                   max_y = max_x;
      void add(const Units& other) {
        min_x = std::min(min_x, other.min_x);
        min_y = std::min(min_y, other.min_y);
        max_x = std::max(max_x, other.max_x);
        max_y = std::max(max_y, other.max_y);
      }
    };
    if (points_.size() == 0) return {};
    std::vector<Units> parts((points_.size() + points_per_task - 1) / points_per_task);
    for_each_chunk([&](std::size_t begin, std::size_t end) {
      Units part;
      for (std::size_t i = begin; i < end; ++i) part.add({points_.units[i].x, points_.units[i].y, points_.units[i].x, points_.units[i].y});
      parts[begin / points_per_task] = part;
    });
    Units all;
    for (const Units& part : parts) all.add(part);
    return {metres(0, all.min_x), metres(1, all.min_y), metres(0, all.max_x), metres(1, all.max_y)};
  }

  void label(std::size_t i, LabelBlock& labels) const {
    std::uint8_t label = points_.classification[i], source = LabelBlock::from_file;
    std::int32_t object = -1;
    if (valid_.empty() || valid_[i] != 0) {
      const std::span<const float> row = columns_.row(i);
      std::size_t l = 0;
      index_.visit(metres(0, points_.units[i].x), metres(1, points_.units[i].y), [&](std::uint32_t holder) {
        while (holder >= layers_[l].end) ++l;
        for (const BoundRule& rule : layers_[l].rules) {
          if (!rule.holds(row)) continue;
          label = rule.asprs_class();
          source = static_cast<std::uint8_t>(l + 1);
          object = static_cast<std::int32_t>(holder);
          return AreaIndex::no_object;
        }
        return layers_[l].end;
      });
      if (ndvi_ && label == asprs::building) {
        if (const std::uint8_t vegetation = ndvi_->class_of(row); vegetation != 0) {
          label = vegetation;
          source = LabelBlock::from_ndvi;
          object = -1;
        }
      }
    }
    labels.labels[i] = label;
    labels.source[i] = source;
    labels.object[i] = object;
  }

  const PointBlock& points_;
  const FeatureBlock& columns_;
  const std::span<const std::uint8_t> valid_;
  Executor& executor_;
  const std::stop_token& stop_;
  const AreaIndex index_;
  std::vector<BoundLayer> layers_;
  std::optional<VegetationByNdvi> ndvi_;
};

}  // namespace

std::vector<Feature> LabelPlan::needs() const {
  std::vector<Feature> all;
  for (const LayerRules& layer : layers) {
    for (const Rule& rule : layer.rules) add_each(all, rule.where.needs());
  }
  if (ndvi) add_each(all, std::array{Feature::height_above_ground, Feature::planarity, Feature::ndvi});
  return all;
}

LabelBlock label_points(const PointBlock& points, const FeatureBlock& columns, std::span<const std::uint8_t> valid,
                        const GroundTruth& truth, const LabelPlan& plan, Executor& executor, std::stop_token stop) {
  check(points, columns, valid, truth, plan);
  for (const Feature feature : plan.needs()) column_of(columns, feature);
  return Labeller(points, columns, valid, truth, plan, executor, stop).run();
}

}  // namespace tuile::label
