#pragma once

#include <memory>

#include "tuile/core/ground_truth.hpp"
#include "tuile/label/label.hpp"

namespace tuile::python {

/// What Python calls GroundTruth: that of one tile, and how its layers label.
struct TileGroundTruth {
  std::shared_ptr<const GroundTruth> truth;
  std::shared_ptr<const label::LabelPlan> labels;
};

/// One of its layers.
struct TruthLayer {
  std::shared_ptr<const GroundTruth> truth;
  std::size_t index = 0;
  const LayerTruth& layer() const { return truth->layers[index]; }
};

}  // namespace tuile::python
