#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace tuile::test {

/// A point for write_plain_las, in file units.
struct PlainPoint {
  std::int32_t x, y, z;
  std::uint8_t classification = 1;
};

/// Writes an uncompressed LAS 1.2 file, point format 0, scale 0.01, without a CRS: an encoder of its own, byte by byte, that shares nothing
/// with the code under test.
inline void write_plain_las(const std::string& path, const std::vector<PlainPoint>& points, double scale = 0.01) {
  std::vector<char> header(227, 0);
  const auto put = [&](std::size_t at, const auto value) { std::memcpy(header.data() + at, &value, sizeof(value)); };
  std::memcpy(header.data(), "LASF", 4);
  put(24, std::uint8_t{1});
  put(25, std::uint8_t{2});
  put(94, std::uint16_t{227});
  put(96, std::uint32_t{227});
  put(104, std::uint8_t{0});
  put(105, std::uint16_t{20});
  put(107, static_cast<std::uint32_t>(points.size()));
  put(111, static_cast<std::uint32_t>(points.size()));
  double low[3] = {0, 0, 0}, high[3] = {0, 0, 0};
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double xyz[3] = {points[i].x * scale, points[i].y * scale, points[i].z * scale};
    for (int a = 0; a < 3; ++a) {
      low[a] = i == 0 ? xyz[a] : std::fmin(low[a], xyz[a]);
      high[a] = i == 0 ? xyz[a] : std::fmax(high[a], xyz[a]);
    }
  }
  for (std::size_t a = 0; a < 3; ++a) {
    put(131 + 8 * a, scale);
    put(179 + 16 * a, high[a]);
    put(187 + 16 * a, low[a]);
  }
  std::ofstream file(path, std::ios::binary);
  file.write(header.data(), static_cast<std::streamsize>(header.size()));
  for (const PlainPoint& p : points) {
    char record[20] = {};
    std::memcpy(record, &p.x, 4);
    std::memcpy(record + 4, &p.y, 4);
    std::memcpy(record + 8, &p.z, 4);
    record[14] = 0x09;  // first of one return
    record[15] = static_cast<char>(p.classification);
    file.write(record, sizeof(record));
  }
}

}  // namespace tuile::test
