#include "label/edge_rows.hpp"

#include <algorithm>

namespace tuile::label {

EdgeRows::EdgeRows(const Outlines& outlines, const CellGrid& grid, Executor& executor, const std::stop_token& stop) {
  const auto rows = static_cast<std::size_t>(grid.rows());
  const std::size_t count = outlines.edges.size();
  // A counting sort in pieces: piece by piece within each row, so the order does not depend on the threads.
  const std::size_t pieces =
      std::clamp<std::size_t>(count / 8192, 1, std::max<std::size_t>(1, std::min<std::size_t>(64, (std::size_t{4} << 20) / rows)));
  std::vector<std::size_t> at(pieces * rows);
  const auto for_each_row = [&](std::size_t piece, const auto& work) {
    throw_if_stopped(stop);
    const std::size_t first = count * piece / pieces, last = count * (piece + 1) / pieces;
    auto owner = std::upper_bound(outlines.first_edge.begin(), outlines.first_edge.end(), first) - 1;
    for (std::size_t i = first; i < last; ++i) {
      while (i >= owner[1]) ++owner;
      const Edge& edge = outlines.edges[i];
      if (std::max(edge.low.x, edge.high.x) < grid.box().min_x) continue;
      const int from = std::max(0, grid.row(edge.low.y)), to = std::min(grid.rows() - 1, grid.row(edge.high.y));
      const OwnedEdge owned{static_cast<std::uint32_t>(i), outlines.objects[static_cast<std::size_t>(owner - outlines.first_edge.begin())]};
      for (int row = from; row <= to; ++row) work(static_cast<std::size_t>(row), owned);
    }
  };
  executor.for_each(pieces,
                    [&](std::size_t piece) { for_each_row(piece, [&](std::size_t row, const OwnedEdge&) { ++at[piece * rows + row]; }); });
  begin_.resize(rows + 1);
  std::size_t total = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    begin_[row] = total;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      const std::size_t here = at[piece * rows + row];
      at[piece * rows + row] = total;
      total += here;
    }
  }
  begin_[rows] = total;
  edges_ = Buffer<OwnedEdge>(total);
  executor.for_each(pieces, [&](std::size_t piece) {
    for_each_row(piece, [&](std::size_t row, const OwnedEdge& owned) { edges_[at[piece * rows + row]++] = owned; });
  });
}

}  // namespace tuile::label
