#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "label/cell_grid.hpp"
#include "label/outlines.hpp"
#include "tuile/core/buffer.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::label {

/// An edge and the object that it belongs to.
struct OwnedEdge {
  std::uint32_t edge, object;
};

/// The edges that have a part in each row of a grid, in increasing order; without those that lie left of the grid.
class EdgeRows {
 public:
  EdgeRows(const Outlines& outlines, const CellGrid& grid, Executor& executor, const std::stop_token& stop);
  std::span<const OwnedEdge> operator[](std::size_t row) const noexcept {
    return {edges_.data() + begin_[row], begin_[row + 1] - begin_[row]};
  }

 private:
  std::vector<std::size_t> begin_;  ///< rows + 1
  Buffer<OwnedEdge> edges_;
};

}  // namespace tuile::label
