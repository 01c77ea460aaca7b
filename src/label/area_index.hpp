#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "label/cell_grid.hpp"
#include "label/orientation.hpp"
#include "tuile/core/bounds.hpp"
#include "tuile/core/buffer.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/ground_truth.hpp"

namespace tuile::label {

class RowBuilder;

/// Which areas hold a place: answers as the even-odd test with every edge of every area would, bit for bit, whatever the cells.
///
/// The plane is cut into cells. For a place p of a cell, an area's edges fall into three kinds by their part in the cell's row:
/// - left of the cell: the ray from p towards +x does not meet them;
/// - touching the cell: listed there and tested one by one (`crosses`);
/// - right of the cell: the ray meets each whose height range holds p. Whether these are odd or even in number changes with p's height at
///   corners in the row only: where both edges of a corner are of this kind, not at all or twice; where one is, once, and the corner is
///   listed as a step: from its height upwards the answer flips. What is left is the parity at the row's lower end, one bit.
/// So a cell lists about the edges that touch it, however large the area. A cell without edges and steps of an area lies wholly inside it
/// or wholly outside.
///
/// Memory: at most 2 M cells (8 M over the number of layers) and some 4 M + 4 · edges listings of 4 bytes, whatever the areas: the cells
/// grow where the areas have much border.
class AreaIndex {
 public:
  static constexpr std::uint32_t no_object = 0x7FFFFFFF;

  /// layers  high priority first, together fewer than no_object areas; objects are counted through all of them.
  /// extent  of the places that will be asked for; points: about how many
  AreaIndex(std::span<const LayerTruth> layers, const Bounds& extent, std::size_t points, Executor& executor, const std::stop_token& stop);

  /// No place outside it is in an area.
  const Bounds& box() const noexcept { return grid_.box(); }

  /// Calls visit(object) for objects whose areas hold the place, in increasing order, among them the first of each layer. visit returns the
  /// smallest object of interest after this one, no_object for none.
  template <class Visit>
  void visit(double x, double y, Visit&& visit) const {
    if (!grid_.box().contains(x, y)) return;
    const std::size_t cell = grid_.cell(x, y);
    const std::uint32_t code = cells_[cell];
    if ((code & listed) == 0) {
      if (code != no_object) visit(code);
      return;
    }
    std::uint32_t next = 0;
    const std::uint32_t* at = lists_[cell / static_cast<std::size_t>(grid_.columns())].data() + (code & ~listed);
    for (; *at != no_object; at += 2 + (at[1] >> 1)) {
      if (*at >= next && holds(at, x, y)) next = visit(*at);
    }
  }

 private:
  friend class RowBuilder;
  static constexpr std::uint32_t listed = 0x80000000;
  /// How a listing of an edge is to be read: edge << 2 | kind.
  enum Kind : std::uint32_t { edge, step_at_low, step_at_high };

  /// list: object, count << 1 | parity, then `count` listings.
  bool holds(const std::uint32_t* list, double x, double y) const noexcept {
    bool inside = (list[1] & 1) != 0;
    const std::uint32_t* const end = list + 2 + (list[1] >> 1);
    for (list += 2; list != end; ++list) {
      const Edge& e = edges_[*list >> 2];
      switch (*list & 3) {
        case edge: inside ^= crosses(e, x, y); break;
        case step_at_low: inside ^= y >= e.low.y; break;
        default: inside ^= y >= e.high.y; break;
      }
    }
    return inside;
  }

  CellGrid grid_;
  std::vector<Edge> edges_;
  Buffer<std::uint32_t> cells_;  ///< row by row: an object that holds the whole cell, no_object, or `listed` | place in the row's list
  std::vector<std::vector<std::uint32_t>> lists_;  ///< per row: for each listed cell its objects in increasing order, then no_object
};

}  // namespace tuile::label
