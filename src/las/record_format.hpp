#pragma once

#include <cstdint>

namespace tuile::las {

/// Where the attributes of a point format lie in an uncompressed record; 0 where the format has none.
/// Source: LAS 1.4 R15, tables 7 to 17.
struct RecordFormat {
  bool extended = false;  ///< formats 6-10: four-bit returns, eight-bit class
  std::uint16_t classification = 15;
  std::uint16_t gps_time = 0;
  std::uint16_t rgb = 0;
  std::uint16_t nir = 0;
  std::uint16_t wave_packet = 0;
  std::uint16_t length = 20;  ///< bytes of the standard part
};

/// Throws Unsupported for a format above 10.
const RecordFormat& record_format(std::uint8_t point_format);

}  // namespace tuile::las
