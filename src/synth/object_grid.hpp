#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "tuile/core/bounds.hpp"

namespace tuile::synth {

/// Which objects may lie over a place: squares of the plane, each with the numbers of the boxes that touch it.
class ObjectGrid {
 public:
  ObjectGrid(const Bounds& area, double cell, const std::vector<Bounds>& boxes)
      : area_(area),
        inverse_(1 / cell),
        columns_(static_cast<std::int64_t>(area.width() / cell) + 1),
        rows_(static_cast<std::int64_t>(area.height() / cell) + 1) {
    starts_.assign(static_cast<std::size_t>(columns_ * rows_) + 1, 0);
    for (const Bounds& box : boxes) for_each_cell(box, [&](std::size_t index) { ++starts_[index + 1]; });
    for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    objects_.resize(starts_.back());
    std::vector<std::uint32_t> filled(starts_.begin(), starts_.end() - 1);
    for (std::uint32_t object = 0; object < boxes.size(); ++object) {
      for_each_cell(boxes[object], [&](std::size_t index) { objects_[filled[index]++] = object; });
    }
  }

  /// Objects whose box may hold (x, y), by increasing number; none outside the area.
  std::span<const std::uint32_t> at(double x, double y) const noexcept {
    if (!area_.contains(x, y)) return {};
    const std::size_t index = cell_of(x, y);
    return {objects_.data() + starts_[index], objects_.data() + starts_[index + 1]};
  }

 private:
  std::int64_t column(double x) const noexcept { return static_cast<std::int64_t>((x - area_.min_x) * inverse_); }
  std::int64_t row(double y) const noexcept { return static_cast<std::int64_t>((y - area_.min_y) * inverse_); }
  std::size_t cell_of(double x, double y) const noexcept {
    return static_cast<std::size_t>(std::min(row(y), rows_ - 1) * columns_ + std::min(column(x), columns_ - 1));
  }
  template <class Visit>
  void for_each_cell(const Bounds& box, Visit visit) const {
    const Bounds inside = box.intersection(area_);
    if (inside.empty()) return;
    const std::int64_t last_row = std::min(row(inside.max_y), rows_ - 1), last_column = std::min(column(inside.max_x), columns_ - 1);
    for (std::int64_t r = row(inside.min_y); r <= last_row; ++r) {
      for (std::int64_t c = column(inside.min_x); c <= last_column; ++c) visit(static_cast<std::size_t>(r * columns_ + c));
    }
  }

  Bounds area_;
  double inverse_;
  std::int64_t columns_, rows_;
  std::vector<std::uint32_t> starts_, objects_;
};

}  // namespace tuile::synth
