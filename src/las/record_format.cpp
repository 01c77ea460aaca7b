#include "las/record_format.hpp"

#include <array>
#include <string>

#include "las/records.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

const RecordFormat& record_format(std::uint8_t point_format) {
  static constexpr std::array<RecordFormat, 11> formats{{
      {.length = 20},
      {.gps_time = 20, .length = 28},
      {.rgb = 20, .length = 26},
      {.gps_time = 20, .rgb = 28, .length = 34},
      {.gps_time = 20, .wave_packet = 28, .length = 57},
      {.gps_time = 20, .rgb = 28, .wave_packet = 34, .length = 63},
      {.extended = true, .classification = 16, .gps_time = 22, .length = 30},
      {.extended = true, .classification = 16, .gps_time = 22, .rgb = 30, .length = 36},
      {.extended = true, .classification = 16, .gps_time = 22, .rgb = 30, .nir = 36, .length = 38},
      {.extended = true, .classification = 16, .gps_time = 22, .wave_packet = 30, .length = 59},
      {.extended = true, .classification = 16, .gps_time = 22, .rgb = 30, .nir = 36, .wave_packet = 38, .length = 67},
  }};
  if (point_format >= formats.size()) {
    throw Unsupported("point format " + std::to_string(point_format) +
                      " is not supported; LAS 1.4 has formats 0 to 10. Rewrite the file "
                      "with one of them");
  }
  return formats[point_format];
}

std::uint16_t standard_record_length(std::uint8_t point_format) { return record_format(point_format).length; }

}  // namespace tuile::las
