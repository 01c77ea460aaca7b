#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "las/laszip_record.hpp"
#include "las/layer_reader.hpp"
#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// The standard part of a record of point formats 6 to 8, as LAZ codes it.
struct LayeredPoint {
  std::int32_t x = 0, y = 0, z = 0;
  std::uint16_t intensity = 0;
  std::uint8_t return_number = 0, number_of_returns = 0;
  std::uint8_t flags = 0;  ///< classification flags, then scan direction (16) and edge of flight line (32)
  std::uint8_t channel = 0, classification = 0, user_data = 0;
  std::int16_t scan_angle = 0;
  std::uint16_t source = 0;
  std::uint64_t time = 0;                 ///< the bits of the double
  std::array<std::uint16_t, 4> colour{};  ///< red, green, blue, nir
};

/// What of a point is decoded besides x, y and the returns; the rest keeps the values of the chunk's first point.
struct LayeredChoice {
  bool z = true, classification = true, flags = true, intensity = true, scan_angle = true, user_data = true, source = true, time = true;
  bool rgb = true, nir = true, extra = true;
};

/// Decodes layered chunks, the form of point formats 6 and up, point by point. Not thread-safe.
/// Source: LAZ specification 1.4 R1, "LASzip compression of point formats 6 to 10".
class LayeredPoints {
 public:
  /// Formats 9 and 10 (waveforms) and item versions other than 3 and 4 are left to LASzip.
  static bool supports(const Header& header, const LaszipRecord& record) noexcept;

  LayeredPoints(const Header& header, const LaszipRecord& record, const LayeredChoice& choice);
  ~LayeredPoints();
  LayeredPoints(const LayeredPoints&) = delete;
  LayeredPoints& operator=(const LayeredPoints&) = delete;

  /// `chunk` must stay until its last point. Throws CorruptData where its head contradicts its size or `points`.
  void start(std::span<const std::byte> chunk, std::uint64_t points);
  /// The next point; the first call after start() gives the chunk's first. Throws CorruptData.
  const LayeredPoint& next();
  /// Of the last point.
  std::span<const std::byte> extra() const noexcept { return extra_now_; }
  /// The last point as an uncompressed record.
  void to_record(std::byte* record) const noexcept;

 private:
  struct Channel;
  struct Colours;
  struct Extra;
  enum Layer : std::size_t { xy, z, classification, flags, intensity, scan_angle, user_data, source, time, point_layers };

  void open_layers(std::span<const std::byte> chunk, std::uint64_t points);
  void decode_point();
  void decode_colours();
  void decode_rgb(Colours& models, std::array<std::uint16_t, 4>& last);
  void decode_extra();

  // Constant after construction.
  const Header header_;
  const LayeredChoice choice_;
  const bool rgb_, nir_;
  const std::size_t extra_bytes_;
  const bool old_switch_;  ///< items of version 3: what follows the point knows of a channel only where it changes

  std::vector<LayerReader> layers_;
  std::array<std::unique_ptr<Channel>, 4> channels_;
  std::array<std::unique_ptr<Colours>, 4> colours_;
  std::array<std::unique_ptr<Extra>, 4> extras_;
  std::size_t channel_now_ = 0, colour_now_ = 0, extra_channel_now_ = 0;
  std::size_t context_ = 0;  ///< the channel that the items after the point are told
  bool first_ = true;
  LayeredPoint point_;
  std::vector<std::byte> extra_now_;
};

}  // namespace tuile::las
