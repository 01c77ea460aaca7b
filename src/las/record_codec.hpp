#pragma once

#include <laszip/laszip_api.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "las/byte_reader.hpp"
#include "las/record_format.hpp"

namespace tuile::las {

/// Translates between LASzip's point and the bytes of an uncompressed record. Source: LAS 1.4 R15, tables 7 to 17.
class RecordCodec {
 public:
  RecordCodec(std::uint8_t point_format, std::uint16_t record_length)
      : format_(record_format(point_format)), extra_bytes_(record_length - format_.length) {}

  void to_record(const laszip_point& point, std::byte* record) const noexcept {
    store(record, point.X);
    store(record + 4, point.Y);
    store(record + 8, point.Z);
    store(record + 12, point.intensity);
    const unsigned line_flags = point.scan_direction_flag << 6U | point.edge_of_flight_line << 7U;
    if (format_.extended) {
      store(record + 14, byte(point.extended_return_number | point.extended_number_of_returns << 4U));
      store(record + 15, byte(point.extended_classification_flags | point.extended_scanner_channel << 4U | line_flags));
      store(record + 16, point.extended_classification);
      store(record + 17, point.user_data);
      store(record + 18, point.extended_scan_angle);
      store(record + 20, point.point_source_ID);
    } else {
      store(record + 14, byte(point.return_number | point.number_of_returns << 3U | line_flags));
      store(record + 15, byte(point.classification | point.synthetic_flag << 5U | point.keypoint_flag << 6U | point.withheld_flag << 7U));
      store(record + 16, point.scan_angle_rank);
      store(record + 17, point.user_data);
      store(record + 18, point.point_source_ID);
    }
    if (format_.gps_time != 0) store(record + format_.gps_time, point.gps_time);
    if (format_.rgb != 0) std::memcpy(record + format_.rgb, point.rgb, 6);
    if (format_.nir != 0) store(record + format_.nir, point.rgb[3]);
    if (format_.wave_packet != 0) std::memcpy(record + format_.wave_packet, point.wave_packet, sizeof point.wave_packet);
    if (extra_bytes_ > 0) std::memcpy(record + format_.length, point.extra_bytes, extra_bytes_);
  }

  void to_point(const std::byte* record, laszip_point& point) const noexcept {
    point.X = load<std::int32_t>(record);
    point.Y = load<std::int32_t>(record + 4);
    point.Z = load<std::int32_t>(record + 8);
    point.intensity = load<std::uint16_t>(record + 12);
    const unsigned returns = load<std::uint8_t>(record + 14);
    const unsigned flags = load<std::uint8_t>(record + 15);
    if (format_.extended) {
      point.extended_point_type = 1;
      point.extended_return_number = returns & 15U;
      point.extended_number_of_returns = (returns >> 4U) & 15U;
      point.extended_classification_flags = flags & 15U;
      point.extended_scanner_channel = (flags >> 4U) & 3U;
      point.scan_direction_flag = (flags >> 6U) & 1U;
      point.edge_of_flight_line = (flags >> 7U) & 1U;
      // LASzip refuses points whose old flags differ from the new ones.
      point.synthetic_flag = flags & 1U;
      point.keypoint_flag = (flags >> 1U) & 1U;
      point.withheld_flag = (flags >> 2U) & 1U;
      point.extended_classification = load<std::uint8_t>(record + 16);
      point.user_data = load<std::uint8_t>(record + 17);
      point.extended_scan_angle = load<std::int16_t>(record + 18);
      point.point_source_ID = load<std::uint16_t>(record + 20);
    } else {
      point.return_number = returns & 7U;
      point.number_of_returns = (returns >> 3U) & 7U;
      point.scan_direction_flag = (returns >> 6U) & 1U;
      point.edge_of_flight_line = (returns >> 7U) & 1U;
      point.classification = flags & 31U;
      point.synthetic_flag = (flags >> 5U) & 1U;
      point.keypoint_flag = (flags >> 6U) & 1U;
      point.withheld_flag = (flags >> 7U) & 1U;
      point.scan_angle_rank = load<std::int8_t>(record + 16);
      point.user_data = load<std::uint8_t>(record + 17);
      point.point_source_ID = load<std::uint16_t>(record + 18);
    }
    if (format_.gps_time != 0) point.gps_time = load<double>(record + format_.gps_time);
    if (format_.rgb != 0) std::memcpy(point.rgb, record + format_.rgb, 6);
    if (format_.nir != 0) point.rgb[3] = load<std::uint16_t>(record + format_.nir);
    if (format_.wave_packet != 0) std::memcpy(point.wave_packet, record + format_.wave_packet, sizeof point.wave_packet);
    if (extra_bytes_ > 0) std::memcpy(point.extra_bytes, record + format_.length, extra_bytes_);
  }

 private:
  static std::uint8_t byte(unsigned value) noexcept { return static_cast<std::uint8_t>(value); }
  RecordFormat format_;
  std::size_t extra_bytes_;
};

}  // namespace tuile::las
