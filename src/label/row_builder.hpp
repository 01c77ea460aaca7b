#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "label/area_index.hpp"
#include "label/edge_rows.hpp"
#include "label/outlines.hpp"

namespace tuile::label {

/// Fills the rows of an index one after the other; one builder per thread, its memory is used again.
class RowBuilder {
 public:
  /// layer_end  per layer: the first object that is not of it or of those before
  RowBuilder(AreaIndex& index, const std::vector<EdgeLink>& links, std::span<const std::uint32_t> layer_end);
  /// edges: those of the row, in increasing order.
  void build(int row, std::span<const OwnedEdge> edges);

 private:
  /// What a cell knows of one object.
  struct Share {
    int column;
    std::uint32_t object, head;  ///< head: as in the list, count << 1 | parity
    std::size_t listings;        ///< begin in listings_
  };

  void add_object(int row, std::span<const OwnedEdge> edges);
  void collect(int row, std::span<const OwnedEdge> edges);
  void cover(int from, int to, std::uint32_t object);
  int next_open(int column);
  void reopen();
  void write_row(int row);

  AreaIndex& index_;
  const std::vector<EdgeLink>& links_;
  std::span<const std::uint32_t> layer_end_;
  int columns_;

  std::vector<int>
      open_;  ///< per column: itself, or a later one where an object of the layer holds the whole cell; then later objects do not matter
  int covered_from_, covered_to_ = 0;
  std::vector<std::uint64_t> touched_;  ///< of one object: column << 32 | listing
  std::vector<int> entering_;           ///< of one object: first columns of the edges that come from the row below
  std::vector<Share> shares_;
  std::vector<std::uint32_t> listings_;
  std::vector<std::uint32_t> begin_, order_;  ///< shares by column
};

}  // namespace tuile::label
