#include "pipeline/label_stage.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "tuile/compute/backend.hpp"
#include "tuile/core/error.hpp"

namespace tuile::pipeline {

namespace {

[[noreturn]] void refuse(const GroundTruth& truth) {
  std::string layers, first;
  ErrorKind kind = ErrorKind::unsupported;
  for (const LayerTruth& layer : truth.layers) {
    if (is_sound(layer.outcome)) continue;
    layers += (layers.empty() ? "" : ", ") + layer.layer + " " + to_string(layer.outcome);
    // Often one reason for all of them.
    if (first.empty()) first = layer.reason;
    // One layer for which another try can help is reason enough to try again.
    if (kind != ErrorKind::io) kind = layer.kind;
  }
  throw_error(kind, "ground truth is not complete (" + layers + "): " + first +
                        "; or write the tile without labels with ground_truth.on_failure: unlabelled");
}

}  // namespace

TileLabels label_tile(std::shared_ptr<const GroundTruth> truth, const PointBlock& core, const compute::TileOutput& output,
                      const label::LabelPlan& plan, config::OnFailure on_failure, Executor& executor, std::stop_token stop) {
  TileLabels labels;
  labels.truth = std::move(truth);
  if (!labels.truth->complete()) {
    if (on_failure == config::OnFailure::fail_tile) refuse(*labels.truth);
    return labels;
  }
  labels.block = label::label_points(core, output.features, output.valid.span(), *labels.truth, plan, executor, std::move(stop));
  labels.objects = object_table(*labels.truth);
  labels.labelled = true;
  return labels;
}

void add_outcomes(TruthSummary& summary, const GroundTruth& truth) {
  summary.edition = truth.edition;
  summary.layers.resize(truth.layers.size());
  for (std::size_t l = 0; l < truth.layers.size(); ++l) {
    summary.layers[l].layer = truth.layers[l].layer;
    ++summary.layers[l].outcomes[static_cast<std::size_t>(truth.layers[l].outcome)];
  }
}

LabelCounts count_labels(const TileLabels& labels) {
  LabelCounts counts{labels.labelled, std::vector<std::uint64_t>(labels.truth->layers.size())};
  for (std::size_t l = 0; l < counts.points.size(); ++l) {
    const auto source = static_cast<std::uint8_t>(l + 1);
    counts.points[l] = static_cast<std::uint64_t>(std::count(labels.block.source.begin(), labels.block.source.end(), source));
  }
  return counts;
}

void add_labels(TruthSummary& summary, const LabelCounts& counts) {
  ++(counts.labelled ? summary.labelled : summary.unlabelled);
  for (std::size_t l = 0; l < summary.layers.size() && l < counts.points.size(); ++l) summary.layers[l].points += counts.points[l];
}

}  // namespace tuile::pipeline
