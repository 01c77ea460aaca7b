#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "label/orientation.hpp"
#include "tuile/core/bounds.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/ground_truth.hpp"

namespace tuile::label {

/// How an edge hangs together with the one before it in its ring.
struct EdgeLink {
  std::uint32_t previous;
  bool starts_low;  ///< the corner that it shares with `previous` is its lower end
};

/// The edges of every area that may hold a place of a box, ring by ring. Areas with a coordinate that is no number or beyond 1e100 m hold
/// no place.
struct Outlines {
  static constexpr std::size_t most_edges = std::size_t{1} << 30;

  std::vector<Edge> edges;
  std::vector<EdgeLink> links;            ///< one per edge
  std::vector<std::uint32_t> objects;     ///< of the areas taken, increasing: rows of the object table
  std::vector<std::uint32_t> first_edge;  ///< one per entry of `objects`, and the end
  Bounds bounds;                          ///< of the areas taken

  Outlines(std::span<const LayerTruth> layers, const Bounds& box, Executor& executor, const std::stop_token& stop);
};

/// Throws Cancelled where a stop was requested.
void throw_if_stopped(const std::stop_token& stop);

}  // namespace tuile::label
