#include "label/row_builder.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tuile::label {

RowBuilder::RowBuilder(AreaIndex& index, const std::vector<EdgeLink>& links, std::span<const std::uint32_t> layer_end)
    : index_(index), links_(links), layer_end_(layer_end), columns_(index.grid_.columns()), covered_from_(columns_) {
  open_.resize(static_cast<std::size_t>(columns_) + 1);
  std::iota(open_.begin(), open_.end(), 0);
}

void RowBuilder::build(int row, std::span<const OwnedEdge> edges) {
  shares_.clear();
  listings_.clear();
  std::size_t layer = 0;
  while (!edges.empty()) {
    const std::uint32_t object = edges.front().object;
    if (object >= layer_end_[layer]) {
      reopen();
      while (object >= layer_end_[layer]) ++layer;
    }
    std::size_t count = 1;
    while (count < edges.size() && edges[count].object == object) ++count;
    add_object(row, edges.first(count));
    edges = edges.subspan(count);
  }
  reopen();
  write_row(row);
}

void RowBuilder::add_object(int row, std::span<const OwnedEdge> edges) {
  collect(row, edges);
  std::sort(touched_.begin(), touched_.end());
  std::sort(entering_.begin(), entering_.end());
  const std::uint32_t object = edges.front().object;
  std::size_t passed = 0;
  // Whether the edges right of a column that come from below are odd in number; columns are asked for in increasing order.
  const auto odd_right_of = [&](int column) {
    while (passed < entering_.size() && entering_[passed] <= column) ++passed;
    return ((entering_.size() - passed) & 1) != 0;
  };
  int column = 0;
  for (std::size_t i = 0; i < touched_.size();) {
    const int here = static_cast<int>(touched_[i] >> 32);
    if (column < here && odd_right_of(column)) cover(column, here, object);
    std::size_t end = i;
    while (end < touched_.size() && static_cast<int>(touched_[end] >> 32) == here) ++end;
    const bool odd = odd_right_of(here);
    if (open_[static_cast<std::size_t>(here)] == here) {
      shares_.push_back({here, object, static_cast<std::uint32_t>(end - i) << 1 | static_cast<std::uint32_t>(odd), listings_.size()});
      for (; i < end; ++i) listings_.push_back(static_cast<std::uint32_t>(touched_[i]));
    }
    i = end;
    column = here + 1;
  }
  if (column < columns_ && odd_right_of(column)) cover(column, columns_, object);
}

/// The cells that one object's edges and steps touch in the row.
void RowBuilder::collect(int row, std::span<const OwnedEdge> edges) {
  const CellGrid& grid = index_.grid_;
  touched_.clear();
  entering_.clear();
  const auto touch = [&](int from, int to, std::uint32_t edge, AreaIndex::Kind kind) {
    for (int c = std::max(from, 0); c < std::min(to, columns_); ++c)
      touched_.push_back(static_cast<std::uint64_t>(c) << 32 | edge << 2 | kind);
  };
  std::uint32_t last = 0;
  int first_of_last = 0;
  bool any = false;
  for (const auto& [i, object] : edges) {
    const Edge& edge = index_.edges_[i];
    const auto [from, to] = grid.columns_of(edge, row);
    const int low_row = grid.row(edge.low.y);
    if (low_row < row && from > 0) entering_.push_back(from);
    if (edge.low.y < edge.high.y) touch(from, to + 1, i, AreaIndex::edge);
    const EdgeLink link = links_[i];
    if ((link.starts_low ? low_row : grid.row(edge.high.y)) == row) {
      const int before = any && last == link.previous ? first_of_last : grid.columns_of(index_.edges_[link.previous], row).first;
      touch(std::min(before, from), std::max(before, from), i, link.starts_low ? AreaIndex::step_at_low : AreaIndex::step_at_high);
    }
    last = i;
    first_of_last = from;
    any = true;
  }
}

/// The cells [from, to) lie wholly inside the object.
void RowBuilder::cover(int from, int to, std::uint32_t object) {
  covered_from_ = std::min(covered_from_, from);
  covered_to_ = std::max(covered_to_, to);
  for (int c = next_open(from); c < to; c = next_open(c + 1)) {
    shares_.push_back({c, object, 1, listings_.size()});
    open_[static_cast<std::size_t>(c)] = to;
  }
}

/// The first column from `column` on that no object of the layer covers; shortens the way for the next who asks.
int RowBuilder::next_open(int column) {
  int end = column;
  while (open_[static_cast<std::size_t>(end)] != end) end = open_[static_cast<std::size_t>(end)];
  while (column != end) column = std::exchange(open_[static_cast<std::size_t>(column)], end);
  return end;
}

/// All cells are open again: the next layer begins.
void RowBuilder::reopen() {
  if (covered_from_ < covered_to_) std::iota(open_.begin() + covered_from_, open_.begin() + covered_to_, covered_from_);
  covered_from_ = columns_;
  covered_to_ = 0;
}

void RowBuilder::write_row(int row) {
  const auto columns = static_cast<std::size_t>(columns_);
  std::uint32_t* const cells = index_.cells_.data() + static_cast<std::size_t>(row) * columns;
  std::vector<std::uint32_t>& list = index_.lists_[static_cast<std::size_t>(row)];
  std::fill_n(cells, columns, AreaIndex::no_object);
  if (shares_.empty()) return;
  begin_.assign(columns + 1, 0);
  for (const Share& share : shares_) ++begin_[static_cast<std::size_t>(share.column) + 1];
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  order_.resize(shares_.size());
  for (std::size_t i = 0; i < shares_.size(); ++i)
    order_[begin_[static_cast<std::size_t>(shares_[i].column)]++] = static_cast<std::uint32_t>(i);
  // Now begin_[c] is where column c ends.
  list.reserve(listings_.size() + 2 * shares_.size());
  for (std::size_t k = 0; k < shares_.size();) {
    const Share& first = shares_[order_[k]];
    const auto column = static_cast<std::size_t>(first.column);
    if (begin_[column] == k + 1 && first.head == 1) {
      cells[column] = first.object;
      ++k;
      continue;
    }
    cells[column] = AreaIndex::listed | static_cast<std::uint32_t>(list.size());
    for (; k < begin_[column]; ++k) {
      const Share& share = shares_[order_[k]];
      list.push_back(share.object);
      list.push_back(share.head);
      const auto listings = listings_.begin() + static_cast<std::ptrdiff_t>(share.listings);
      list.insert(list.end(), listings, listings + (share.head >> 1));
    }
    list.push_back(AreaIndex::no_object);
  }
  list.shrink_to_fit();
}

}  // namespace tuile::label
