#include "las/point_sink.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr std::array<const char*, 3> axis_names{"x", "y", "z"};

std::string number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

template <class T>
T* data_or_null(Buffer<T>& buffer) noexcept {
  return buffer.empty() ? nullptr : buffer.data();
}

/// How far a point may lie outside the header's bounds: one file unit, because writers round the bounds, and the precision of a double
/// at that distance.
double tolerance(const Header& header, std::size_t axis) {
  const double magnitude = std::max({std::abs(header.min[axis]), std::abs(header.max[axis]), std::abs(header.offset[axis])});
  return header.scale[axis] * 1.000001 + 1e-12 * magnitude;
}

}  // namespace

void PointStatistics::merge(const PointStatistics& other) noexcept {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    min[axis] = std::min(min[axis], other.min[axis]);
    max[axis] = std::max(max[axis], other.max[axis]);
  }
  for (std::size_t i = 0; i < by_return.size(); ++i) by_return[i] += other.by_return[i];
}

PointBlock make_block(const Grid& grid, std::size_t capacity, FieldSet fields, bool with_rows, bool rounded,
                      const std::shared_ptr<HostMemory>& memory) {
  PointBlock block;
  block.grid = grid;
  block.rounded = rounded;
  block.units = Buffer<GridPoint>(capacity, memory);
  block.classification = Buffer<std::uint8_t>(capacity, memory);
  if (fields.has(Field::intensity)) block.intensity = Buffer<std::uint16_t>(capacity, memory);
  if (fields.has(Field::returns)) {
    block.return_number = Buffer<std::uint8_t>(capacity, memory);
    block.number_of_returns = Buffer<std::uint8_t>(capacity, memory);
  }
  if (fields.has(Field::rgb)) {
    block.red = Buffer<std::uint16_t>(capacity, memory);
    block.green = Buffer<std::uint16_t>(capacity, memory);
    block.blue = Buffer<std::uint16_t>(capacity, memory);
  }
  if (fields.has(Field::nir)) block.nir = Buffer<std::uint16_t>(capacity, memory);
  if (with_rows) block.rows = Buffer<std::uint32_t>(capacity);
  return block;
}

PointSink::PointSink(PointBlock& block, std::size_t at, const GridMapping& mapping, const std::optional<GridBox>& box)
    : axes_(mapping.axes),
      box_(box),
      at_(at),
      units_(block.units.data()),
      classification_(block.classification.data()),
      return_number_(data_or_null(block.return_number)),
      number_of_returns_(data_or_null(block.number_of_returns)),
      intensity_(data_or_null(block.intensity)),
      red_(data_or_null(block.red)),
      green_(data_or_null(block.green)),
      blue_(data_or_null(block.blue)),
      nir_(data_or_null(block.nir)),
      rows_(data_or_null(block.rows)) {}

void check_statistics(const PointStatistics& statistics, const FileInfo& info, const GridMapping& mapping, const std::string& place) {
  const Header& header = info.header;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (statistics.min[axis] > statistics.max[axis]) continue;
    for (const std::int32_t raw : {statistics.min[axis], statistics.max[axis]}) {
      const double value = raw * header.scale[axis] + header.offset[axis];
      const double slack = tolerance(header, axis);
      if (value < header.min[axis] - slack || value > header.max[axis] + slack) {
        throw CorruptData(
            place + ": " + axis_names[axis] + " = " + number(value) + " lies outside the header's bounds " + number(header.min[axis]) +
            " to " + number(header.max[axis]) +
            "; the file is damaged or its header lies; rewrite the header (e.g. with lasinfo -repair) if the points are right");
      }
      const std::int64_t units = mapping.axes[axis](raw);
      if (units < std::numeric_limits<std::int32_t>::min() || units > std::numeric_limits<std::int32_t>::max()) {
        throw Unsupported(place + ": " + axis_names[axis] + " = " + number(value) + " lies more than 2^31 units of " +
                          number(mapping.grid.scale) + " m from the tile's origin; split the tile or store it with a coarser scale");
      }
    }
  }
}

void compare_returns(const PointStatistics& statistics, const Header& header, std::vector<std::string>& warnings) {
  // Old headers count five returns, so more than five in one point are no contradiction there.
  const std::size_t known = header.version_minor >= 4 && header.point_format >= 6 ? 15 : 5;
  for (std::size_t i = 0; i < known; ++i) {
    if (statistics.by_return[i + 1] == header.points_by_return[i]) continue;
    warnings.push_back("the header counts " + std::to_string(header.points_by_return[i]) + " points of return " + std::to_string(i + 1) +
                       ", the file holds " + std::to_string(statistics.by_return[i + 1]));
    return;
  }
}

}  // namespace tuile::las
