#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/core/executor.hpp"
#include "tuile/core/feature_block.hpp"
#include "tuile/core/ground_truth.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::label {

/// A condition over features: comparisons (< <= > >= = !=) of numbers and feature names (`h` is height_above_ground), joined by `and`, `or`, `not` and
/// parentheses; the empty text is always true. A comparison with NaN is false (so `not (h < 1)` is true for it). Immutable.
class Condition {
 public:
  Condition() = default;
  /// Throws InvalidArgument naming the text, the place and what was expected there, with the nearest feature name for a misspelt one.
  explicit Condition(const std::string& text);
  /// The features it reads, each once.
  const std::vector<features::Feature>& needs() const noexcept { return needs_; }
  /// values: one per entry of needs().
  bool holds(std::span<const float> values) const noexcept;
  bool always() const noexcept { return steps_.empty(); }

 private:
  friend struct ConditionParser;
  struct Step {
    std::uint8_t code;
    std::uint16_t index;
    float number;
  };
  std::vector<Step> steps_;  ///< postfix
  std::vector<features::Feature> needs_;
};

/// A class and when a point inside the layer's area takes it.
struct Rule {
  std::uint8_t asprs_class = 0;
  Condition where;
};

/// What a layer's areas mean: the first rule whose condition holds gives the class. A layer of which no rule holds leaves the point to the next layer.
struct LayerRules {
  std::string layer;
  std::vector<Rule> rules;
};

/// How to label, made once per run.
struct LabelPlan {
  std::vector<LayerRules> layers;  ///< high priority first, at most 253: as GroundTruth::layers
  bool ndvi = true;                ///< building (6) with ndvi >= 0.3 and planarity < 0.5 becomes vegetation by height (label_source 254)
  /// Columns that FeatureBlocks given to label_points must have (where a tile lacks the input: filled with NaN), each once.
  std::vector<features::Feature> needs() const;
};

/// The labels of a tile's points. A point takes the class of the first layer one of whose areas holds it and one of whose rules it meets; where several
/// areas of that layer hold it, the object with the smallest id. Points where `valid` is zero, and all others, keep the file's class (source 0, object -1).
/// points     the tile's points; absolute metres are (origin + units) · scale, so labels do not depend on the tiling
/// columns    main-scale features by name; must hold plan.needs()
/// valid      points.size() zeros or ones, or empty: all valid
/// truth      every outcome must be sound
/// Deterministic whatever the threads. Throws InvalidArgument (layers or columns that do not fit), Cancelled.
LabelBlock label_points(const PointBlock& points, const FeatureBlock& columns, std::span<const std::uint8_t> valid, const GroundTruth& truth,
                        const LabelPlan& plan, Executor& executor, std::stop_token stop = {});

}  // namespace tuile::label
