#include "tuile/core/point_block.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace tuile {

namespace {

/// Calls `action(member pointer)` for every per-point array of a block.
template <class Action>
void for_each_array(Action&& action) {
  action(&PointBlock::units);
  action(&PointBlock::classification);
  action(&PointBlock::intensity);
  action(&PointBlock::return_number);
  action(&PointBlock::number_of_returns);
  action(&PointBlock::red);
  action(&PointBlock::green);
  action(&PointBlock::blue);
  action(&PointBlock::nir);
  action(&PointBlock::colour_known);
}

template <class T>
void gather(const Buffer<T>& from, std::span<const std::uint32_t> picks, Buffer<T>& to) {
  if (from.empty()) return;
  to = Buffer<T>(picks.size());
  for (std::size_t i = 0; i < picks.size(); ++i) to[i] = from[picks[i]];
}

}  // namespace

GridBounds units_inside(const Bounds& box, double scale) noexcept {
  constexpr double tolerance = 1e-6, limit = 4e18;
  const auto up = [&](double metres) {
    return static_cast<std::int64_t>(std::clamp(std::ceil(metres / scale - tolerance), -limit, limit));
  };
  const auto down = [&](double metres) {
    return static_cast<std::int64_t>(std::clamp(std::floor(metres / scale + tolerance), -limit, limit));
  };
  return {up(box.min_x), up(box.min_y), down(box.max_x), down(box.max_y)};
}

std::uint64_t bytes_per_point(FieldSet fields) noexcept {
  std::uint64_t bytes = sizeof(GridPoint) + sizeof(std::uint8_t);
  if (fields.has(Field::intensity)) bytes += sizeof(std::uint16_t);
  if (fields.has(Field::returns)) bytes += 2 * sizeof(std::uint8_t);
  if (fields.has(Field::rgb)) bytes += 3 * sizeof(std::uint16_t);
  if (fields.has(Field::nir)) bytes += sizeof(std::uint16_t);
  return bytes;
}

GridBounds to_units(const Bounds& box, double scale) noexcept {
  if (box.empty()) return {};
  const auto units = [scale](double metres) { return static_cast<std::int64_t>(std::llround(metres / scale)); };
  return {units(box.min_x), units(box.min_y), units(box.max_x), units(box.max_y)};
}

Bounds to_metres(const GridBounds& box, double scale) noexcept {
  if (box.empty()) return {};
  const auto metres = [scale](std::int64_t units) { return static_cast<double>(units) * scale; };
  return {metres(box.min_x), metres(box.min_y), metres(box.max_x), metres(box.max_y)};
}

std::size_t PointBlock::bytes() const noexcept {
  std::size_t total = rows.bytes();
  for_each_array([&](auto member) { total += (this->*member).bytes(); });
  return total;
}

GridBounds PointBlock::extent() const noexcept {
  GridBounds box;
  if (units.empty()) return box;
  std::int32_t min_x = std::numeric_limits<std::int32_t>::max(), min_y = min_x;
  std::int32_t max_x = std::numeric_limits<std::int32_t>::min(), max_y = max_x;
  for (const GridPoint& p : units) {
    min_x = std::min(min_x, p.x);
    max_x = std::max(max_x, p.x);
    min_y = std::min(min_y, p.y);
    max_y = std::max(max_y, p.y);
  }
  return {grid.origin[0] + min_x, grid.origin[1] + min_y, grid.origin[0] + max_x, grid.origin[1] + max_y};
}

PointBlock cut(const PointBlock& block, const Bounds& box) {
  const GridBounds inside = units_inside(box, block.grid.scale);
  std::vector<std::uint32_t> picks;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const GridPoint& p = block.units[i];
    if (inside.contains(block.grid.origin[0] + p.x, block.grid.origin[1] + p.y)) picks.push_back(static_cast<std::uint32_t>(i));
  }
  return select(block, picks);
}

PointBlock select(const PointBlock& block, std::span<const std::uint32_t> picks) {
  PointBlock out;
  out.grid = block.grid;
  out.rounded = block.rounded;
  for_each_array([&](auto member) { gather(block.*member, picks, out.*member); });
  out.rows = Buffer<std::uint32_t>(picks.size());
  for (std::size_t i = 0; i < picks.size(); ++i) out.rows[i] = block.rows.empty() ? picks[i] : block.rows[picks[i]];
  return out;
}

PointBlock regrid(PointBlock block, const Grid& grid) {
  if (block.grid == grid) return block;
  const double ratio = block.grid.scale / grid.scale;
  const auto factor = static_cast<std::int64_t>(std::llround(ratio));
  const bool exact = factor >= 1 && std::abs(ratio - static_cast<double>(factor)) <= 1e-9 * ratio;
  const auto move = [&](std::int64_t absolute, std::size_t axis) {
    std::int64_t value = 0;
    if (exact) {
      value = absolute * factor - grid.origin[axis];
    } else {
      value = std::llround(static_cast<double>(absolute) * ratio) - grid.origin[axis];
    }
    if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max()) {
      throw Unsupported("a coordinate lies " + std::to_string(static_cast<double>(value) * grid.scale) +
                        " m from the tile origin, more than 2^31 units of " + std::to_string(grid.scale) +
                        " m; split the tile or store it with a coarser scale");
    }
    return static_cast<std::int32_t>(value);
  };
  for (GridPoint& p : block.units) {
    p = {move(block.grid.origin[0] + p.x, 0), move(block.grid.origin[1] + p.y, 1), move(block.grid.origin[2] + p.z, 2)};
  }
  block.rounded = block.rounded || !exact;
  block.grid = grid;
  return block;
}

PointBlock concatenate(std::span<const PointBlock* const> parts, const Grid& grid) {
  PointBlock out;
  out.grid = grid;
  std::size_t total = 0;
  for (const PointBlock* part : parts) {
    if (!(part->grid == grid)) throw InvalidArgument("concatenate: blocks lie on different grids; regrid them first");
    total += part->size();
    out.rounded = out.rounded || part->rounded;
  }
  for_each_array([&](auto member) {
    using Array = std::remove_reference_t<decltype(out.*member)>;
    for (const PointBlock* part : parts) {
      if (part->size() > 0 && (part->*member).size() != part->size()) return;
    }
    Array joined(total);
    std::size_t at = 0;
    for (const PointBlock* part : parts) {
      if (part->size() == 0) continue;
      std::memcpy(joined.data() + at, (part->*member).data(), (part->*member).bytes());
      at += part->size();
    }
    out.*member = std::move(joined);
  });
  return out;
}

}  // namespace tuile
