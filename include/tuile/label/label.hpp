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

/// A condition over features, e.g. "-0.3 <= h <= 1.0 and not (planarity < 0.5 or verticality = 0)".
///
/// Comparisons (< <= > >= = !=, and == for =) of numbers and feature names (`h` is height_above_ground), joined by `and`, `or`, `not` (in
/// any case) and parentheses; `not` binds before `and`, `and` before `or`. A chain `a < b <= c` means `a < b and b <= c`. The empty text is
/// always true. Numbers are rounded to float32, as features are. A comparison with NaN is false, != too (so `not (h < 1)` is true for NaN).
/// At most 64 steps (comparisons and joins) and 32 levels of parentheses and `not`. Immutable.
class Condition {
 public:
  static constexpr std::size_t most_steps = 64;
  static constexpr int most_levels = 32;

  Condition() = default;
  /// Throws InvalidArgument naming the text, the place and what was expected there, with the nearest feature name for a misspelt one.
  explicit Condition(const std::string& text);
  /// The features it reads, each once, in order of appearance.
  const std::vector<features::Feature>& needs() const noexcept { return needs_; }
  /// values: one per entry of needs().
  bool holds(std::span<const float> values) const noexcept;
  bool always() const noexcept { return steps_.empty(); }

 private:
  friend class ConditionParser;
  enum class Code : std::uint8_t {
    less,
    less_equal,
    greater,
    greater_equal,
    equal,
    not_equal,
    constant,
    conjunction,
    disjunction,
    negation
  };
  static constexpr std::uint8_t no_value = 0xFF;
  /// In postfix order: a comparison or constant adds a truth, the others take theirs from those before.
  struct Step {
    Code code;
    std::uint8_t left = 0;          ///< comparisons: value compared
    std::uint8_t right = no_value;  ///< comparisons: value that it is compared with; no_value: `number`
    float number = 0;               ///< constants: 0 or 1
  };
  static bool compare(Code code, float left, float right) noexcept;
  std::vector<Step> steps_;
  std::vector<features::Feature> needs_;
};

/// A class and when a point inside the layer's area takes it.
struct Rule {
  std::uint8_t asprs_class = 0;
  Condition where;
};

/// What a layer's areas mean: the first rule whose condition holds gives the class. A layer of which no rule holds leaves the point to the
/// next layer.
struct LayerRules {
  std::string layer;
  std::vector<Rule> rules;
};

/// How to label, made once per run.
struct LabelPlan {
  static constexpr std::size_t most_layers = 253;
  std::vector<LayerRules> layers;  ///< high priority first, at most most_layers: as GroundTruth::layers
  /// Points whose label is building (6), by an area or by the file, with ndvi >= 0.3 and planarity < 0.5 become vegetation by
  /// height_above_ground: 3 below 0.5 m, 4 below 1.5 m, 5 above; label_source 254. They belong to no object any more (-1). Those whose
  /// height is NaN stay building.
  bool ndvi = true;
  /// Columns that FeatureBlocks given to label_points must have (where a tile lacks the input: filled with NaN), each once.
  std::vector<features::Feature> needs() const;
};

/// The labels of a tile's points. A point takes the class of the first layer one of whose areas holds it and one of whose rules it meets;
/// where several areas of that layer hold it, the object with the smallest id. Points where `valid` is zero, and all others, keep the
/// file's class (source 0, object -1).
///
/// Areas hold a point by the even-odd rule over all their edges, exactly as the doubles of the corners and of the point say: no rounding
/// decides, nor the tiling. An edge has its lower end and not its upper one; a point on an edge lies right of it. So areas that share a
/// border share no point of it: left and lower borders are inside, right and upper ones outside. Areas with a coordinate that is no number
/// or beyond 1e100 m hold no point.
///
/// points     the tile's points; absolute metres are (origin + units) · scale, so labels do not depend on the tiling
/// columns    main-scale features by name; must hold plan.needs()
/// valid      points.size() zeros or ones, or empty: all valid
/// truth      every outcome must be sound; layers named as the plan's, in its order
/// Deterministic whatever the threads. Time grows with the points and with the edges of the areas that touch the tile; memory beyond the
/// result is bounded (some 150 MiB at most) but for about 50 bytes per such edge. Throws InvalidArgument (layers, areas or columns that do
/// not fit), Cancelled.
LabelBlock label_points(const PointBlock& points, const FeatureBlock& columns, std::span<const std::uint8_t> valid,
                        const GroundTruth& truth, const LabelPlan& plan, Executor& executor, std::stop_token stop = {});

}  // namespace tuile::label
