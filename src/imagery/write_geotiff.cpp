#include <fmt/format.h>

#include <limits>
#include <vector>

#include "gdal_raster.hpp"
#include "imagery/imagery.hpp"
#include "tuile/core/file/atomic_file.hpp"

namespace tuile::imagery {

void write_geotiff(const std::string& path, std::span<const std::uint8_t> values, std::uint32_t columns, std::uint32_t rows,
                   std::uint32_t bands, double west, double north, double pixel, int epsg) {
  constexpr auto limit = static_cast<std::uint32_t>(std::numeric_limits<int>::max());
  if (columns == 0 || rows == 0 || bands == 0 || columns > limit || rows > limit || bands > 65535 ||
      values.size() != std::size_t{columns} * rows * bands || !(pixel > 0)) {
    throw InvalidArgument(
        fmt::format("write_geotiff: {} values for {} × {} pixels of {} bands and {} m; columns × rows × bands are expected", values.size(),
                    columns, rows, bands, pixel));
  }
  const std::vector<std::byte> bytes = encode_geotiff(values, columns, rows, bands, west, north, pixel, epsg);
  AtomicFile file(path, Folders::expect);
  file.append(bytes);
  file.publish();
}

}  // namespace tuile::imagery
