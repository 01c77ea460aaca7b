#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "las/grid_mapping.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// The attributes of a record that a block can hold, in file units.
struct RawPoint {
  std::int32_t x, y, z;
  std::uint16_t intensity;
  std::uint8_t return_number, number_of_returns, classification;
  std::uint16_t red, green, blue, nir;
};

/// What is known of the points of a chunk once they are decoded.
struct PointStatistics {
  std::array<std::int32_t, 3> min{INT32_MAX, INT32_MAX, INT32_MAX}, max{INT32_MIN, INT32_MIN, INT32_MIN};
  std::array<std::uint64_t, 16> by_return{};
  void merge(const PointStatistics& other) noexcept;
};

/// A block with room for `capacity` points and the arrays of `fields` (and rows where `with_rows`).
PointBlock make_block(const Grid& grid, std::size_t capacity, FieldSet fields, bool with_rows, bool rounded,
                      const std::shared_ptr<HostMemory>& memory = nullptr);

/// Puts points one after the other into the arrays of a block, from a given place on.
class PointSink {
 public:
  PointSink(PointBlock& block, std::size_t at, const GridMapping& mapping, const std::optional<GridBox>& box);

  void put(const RawPoint& point, std::uint64_t row) noexcept {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const std::int32_t value = axis == 0 ? point.x : (axis == 1 ? point.y : point.z);
      statistics_.min[axis] = value < statistics_.min[axis] ? value : statistics_.min[axis];
      statistics_.max[axis] = value > statistics_.max[axis] ? value : statistics_.max[axis];
    }
    ++statistics_.by_return[point.return_number & 15U];
    const std::int64_t x = axes_[0](point.x), y = axes_[1](point.y), z = axes_[2](point.z);
    if (box_ && !box_->contains(x, y)) return;
    // Values that do not fit 32 bits are found by check_statistics() from the extremes; until then their wrapped form does no harm.
    units_[at_] = {static_cast<std::int32_t>(x), static_cast<std::int32_t>(y), static_cast<std::int32_t>(z)};
    classification_[at_] = point.classification;
    if (intensity_ != nullptr) intensity_[at_] = point.intensity;
    if (return_number_ != nullptr) {
      return_number_[at_] = point.return_number;
      number_of_returns_[at_] = point.number_of_returns;
    }
    if (red_ != nullptr) {
      red_[at_] = point.red;
      green_[at_] = point.green;
      blue_[at_] = point.blue;
    }
    if (nir_ != nullptr) nir_[at_] = point.nir;
    if (rows_ != nullptr) rows_[at_] = static_cast<std::uint32_t>(row);
    ++at_;
  }

  std::size_t at() const noexcept { return at_; }
  const PointStatistics& statistics() const noexcept { return statistics_; }

 private:
  std::array<AxisMapping, 3> axes_;
  std::optional<GridBox> box_;
  std::size_t at_;
  GridPoint* units_;
  std::uint8_t *classification_, *return_number_, *number_of_returns_;
  std::uint16_t *intensity_, *red_, *green_, *blue_, *nir_;
  std::uint32_t* rows_;
  PointStatistics statistics_;
};

/// Throws CorruptData where points lie outside the header's bounds, Unsupported where they leave the 32-bit units of the grid.
/// place  names the points in the message
void check_statistics(const PointStatistics& statistics, const FileInfo& info, const GridMapping& mapping, const std::string& place);

/// A warning where the points by return are not what the header says.
void compare_returns(const PointStatistics& statistics, const Header& header, std::vector<std::string>& warnings);

}  // namespace tuile::las
