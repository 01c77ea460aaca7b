#include "label/outlines.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "tuile/core/error.hpp"

namespace tuile::label {

namespace {

/// One area of one layer, before it is known whether it is needed.
struct Candidate {
  const LayerAreas* areas;
  std::uint32_t area;
  std::uint32_t corners = 0;
  Bounds bounds;  ///< empty: not needed
};

constexpr double farthest = 1e100;  ///< metres: products of coordinates stay finite
constexpr std::size_t areas_per_task = 64;

std::span<const Position> ring(const LayerAreas& areas, std::uint32_t r) {
  return std::span(areas.vertices).subspan(areas.ring_begin[r], areas.ring_begin[r + 1] - areas.ring_begin[r]);
}

void measure(Candidate& candidate, const Bounds& box) {
  const LayerAreas& areas = *candidate.areas;
  const std::uint32_t begin = areas.ring_begin[areas.area_begin[candidate.area]];
  const std::uint32_t end = areas.ring_begin[areas.area_begin[candidate.area + 1]];
  Bounds bounds;
  bool usable = true;
  for (std::uint32_t i = begin; i < end; ++i) {
    const Position p = areas.vertices[i];
    usable &= std::abs(p.x) <= farthest && std::abs(p.y) <= farthest;  // false for NaN
    bounds.min_x = std::min(bounds.min_x, p.x);
    bounds.max_x = std::max(bounds.max_x, p.x);
    bounds.min_y = std::min(bounds.min_y, p.y);
    bounds.max_y = std::max(bounds.max_y, p.y);
  }
  if (!usable || !bounds.intersects(box)) return;
  candidate.corners = end - begin;
  candidate.bounds = bounds;
}

void add_edges(const Candidate& candidate, std::uint32_t first, std::vector<Edge>& edges, std::vector<EdgeLink>& links) {
  const LayerAreas& areas = *candidate.areas;
  for (std::uint32_t r = areas.area_begin[candidate.area]; r < areas.area_begin[candidate.area + 1]; ++r) {
    const std::span<const Position> corners = ring(areas, r);
    const auto count = static_cast<std::uint32_t>(corners.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      const Position from = corners[i], to = corners[i + 1 == count ? 0 : i + 1];
      const bool upwards = from.y <= to.y;
      edges[first + i] = upwards ? Edge{from, to} : Edge{to, from};
      links[first + i] = {first + (i == 0 ? count : i) - 1, upwards};
    }
    first += count;
  }
}

}  // namespace

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Cancelled("labelling was stopped");
}

Outlines::Outlines(std::span<const LayerTruth> layers, const Bounds& box, Executor& executor, const std::stop_token& stop) {
  std::vector<Candidate> candidates;
  for (const LayerTruth& layer : layers) {
    for (std::uint32_t a = 0; a < layer.areas.size(); ++a) candidates.push_back({&layer.areas, a});
  }
  const std::size_t tasks = (candidates.size() + areas_per_task - 1) / areas_per_task;
  const auto for_each_candidate = [&](const auto& work) {
    executor.for_each(tasks, [&](std::size_t task) {
      throw_if_stopped(stop);
      const std::size_t end = std::min(candidates.size(), (task + 1) * areas_per_task);
      for (std::size_t i = task * areas_per_task; i < end; ++i) work(i);
    });
  };
  for_each_candidate([&](std::size_t i) { measure(candidates[i], box); });

  std::size_t total = 0;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].corners == 0) continue;
    objects.push_back(static_cast<std::uint32_t>(i));
    first_edge.push_back(static_cast<std::uint32_t>(total));
    total += candidates[i].corners;
    if (total > most_edges) {
      throw InvalidArgument("the areas of a tile have more than " + std::to_string(most_edges) +
                            " corners; give smaller tiles or simpler layers");
    }
    const Bounds& b = candidates[i].bounds;
    bounds = {std::min(bounds.min_x, b.min_x), std::min(bounds.min_y, b.min_y), std::max(bounds.max_x, b.max_x),
              std::max(bounds.max_y, b.max_y)};
    candidates[taken++] = candidates[i];
  }
  candidates.resize(taken, Candidate{nullptr, 0});
  first_edge.push_back(static_cast<std::uint32_t>(total));
  edges.resize(total);
  links.resize(total);
  for_each_candidate([&](std::size_t i) {
    if (i < taken) add_edges(candidates[i], first_edge[i], edges, links);
  });
}

}  // namespace tuile::label
