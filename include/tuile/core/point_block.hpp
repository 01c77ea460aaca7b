#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tuile/core/bounds.hpp"
#include "tuile/core/buffer.hpp"

namespace tuile {

/// Optional per-point attributes. Coordinates and classification are always there.
enum class Field : std::uint32_t {
  intensity = 1U << 0,
  returns = 1U << 1,  ///< return_number and number_of_returns
  rgb = 1U << 2,
  nir = 1U << 3,
};

/// A set of `Field`s.
struct FieldSet {
  std::uint32_t bits = 0;
  bool has(Field field) const noexcept { return (bits & static_cast<std::uint32_t>(field)) != 0; }
  FieldSet with(Field field) const noexcept { return {bits | static_cast<std::uint32_t>(field)}; }
  FieldSet operator&(FieldSet other) const noexcept { return {bits & other.bits}; }
  FieldSet operator|(FieldSet other) const noexcept { return {bits | other.bits}; }
  FieldSet without(FieldSet other) const noexcept { return {bits & ~other.bits}; }
  bool empty() const noexcept { return bits == 0; }
  bool operator==(const FieldSet&) const = default;
};

inline constexpr FieldSet all_colours{static_cast<std::uint32_t>(Field::rgb) | static_cast<std::uint32_t>(Field::nir)};

/// Bytes per point of a PointBlock with these attributes.
std::uint64_t bytes_per_point(FieldSet fields) noexcept;

/// Coordinates on the integer grid, relative to the block's origin.
struct GridPoint {
  std::int32_t x, y, z;
  bool operator==(const GridPoint&) const = default;
};

/// The grid that a block's integers count on. It is anchored at coordinate 0 on every axis, so two blocks of one scale share one grid:
/// absolute metres = (origin + units) · scale. Same scale on the three axes; feet are already converted to metres in `scale`.
struct Grid {
  double scale = 0.01;                          ///< metres per unit
  std::array<std::int64_t, 3> origin{0, 0, 0};  ///< units; a PointBlock's points are relative to it
  bool operator==(const Grid&) const = default;
  std::array<double, 3> origin_metres() const noexcept {
    return {static_cast<double>(origin[0]) * scale, static_cast<double>(origin[1]) * scale, static_cast<double>(origin[2]) * scale};
  }
};

/// The box with its sides rounded to whole units of `scale` metres, absolute; empty for an empty box.
GridBounds to_units(const Bounds& box, double scale) noexcept;
Bounds to_metres(const GridBounds& box, double scale) noexcept;

/// The whole units inside `box` on a grid of `scale`, absolute; a millionth of a unit is forgiven. Infinite sides are fine.
GridBounds units_inside(const Bounds& box, double scale) noexcept;

/// The points of one tile (or of a part of one), struct of arrays, in file order.
/// Every array has size() elements, or none where the file lacks the attribute or it was not asked for.
struct PointBlock {
  Grid grid;
  Buffer<GridPoint> units;              ///< |units| < 2^24 for any tile below 160 km at 1 cm: exact in float32
  Buffer<std::uint8_t> classification;  ///< as in the file (formats 0-5: the low five bits)
  Buffer<std::uint16_t> intensity;
  Buffer<std::uint8_t> return_number;
  Buffer<std::uint8_t> number_of_returns;
  Buffer<std::uint16_t> red, green, blue;
  Buffer<std::uint16_t> nir;
  Buffer<std::uint8_t> colour_known;  ///< colours from imagery: bit 0 rgb, bit 1 nir of the point are known; empty: all are
  Buffer<std::uint32_t> rows;         ///< partial loads only: the point's index in the file, increasing
  bool rounded = false;               ///< some coordinate of the file does not lie on `grid` and was rounded to it

  std::size_t size() const noexcept { return units.size(); }
  /// Memory held by the arrays.
  std::size_t bytes() const noexcept;
  /// Smallest rectangle that holds the points, absolute units; empty for no points. One pass over the points.
  GridBounds extent() const noexcept;
  bool has_rgb() const noexcept { return size() > 0 && red.size() == size(); }
  bool has_nir() const noexcept { return size() > 0 && nir.size() == size(); }
};

/// The points of `block` at the increasing positions `picks`, with `rows` set to their index in the file.
PointBlock select(const PointBlock& block, std::span<const std::uint32_t> picks);

/// The points of `block` inside `box` (metres, closed; a millionth of a unit is forgiven), as `select` gives them.
PointBlock cut(const PointBlock& block, const Bounds& box);

/// `block` moved to `grid`: exact where block.grid.scale is a multiple of grid.scale, else rounded to nearest and marked.
/// Throws Unsupported where a coordinate would leave int32.
PointBlock regrid(PointBlock block, const Grid& grid);

/// Joins blocks of one grid (same scale and origin). An attribute is kept where every non-empty part has it. `rows` is dropped.
PointBlock concatenate(std::span<const PointBlock* const> parts, const Grid& grid);

}  // namespace tuile
