#include "las/crs.hpp"

#include <cstring>

#include "las/vlr.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr const char* projection_user = "LASF_Projection";
constexpr std::uint16_t wkt_record = 2112;
constexpr std::uint16_t directory_record = 34735;
constexpr std::uint16_t doubles_record = 34736;
constexpr std::uint16_t ascii_record = 34737;
constexpr std::uint16_t wkt_bit = 1U << 4;

const Vlr* find(const std::vector<Vlr>& vlrs, const std::vector<Vlr>& evlrs, std::uint16_t id) {
  const Vlr* record = find_vlr(vlrs, projection_user, id);
  return record != nullptr ? record : find_vlr(evlrs, projection_user, id);
}

std::span<const std::byte> payload(const Vlr* record) {
  return record != nullptr ? std::span<const std::byte>(record->data) : std::span<const std::byte>();
}

std::optional<Crs> from_wkt(const Vlr* record, std::vector<std::string>& warnings) {
  if (record == nullptr) return std::nullopt;
  const char* begin = reinterpret_cast<const char*>(record->data.data());
  const std::string_view text(begin, record->data.empty() ? 0 : ::strnlen(begin, record->data.size()));
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return std::nullopt;
  try {
    return parse_wkt_crs(text, warnings);
  } catch (const CorruptData& error) {
    warnings.push_back(std::string("the WKT of the coordinate system cannot be read (") + error.what() + "); give its EPSG code (key crs)");
    return std::nullopt;
  }
}

std::optional<Crs> from_geotiff(const Vlr* directory, const Vlr* doubles, const Vlr* ascii, std::vector<std::string>& warnings) {
  if (directory == nullptr || directory->data.empty()) return std::nullopt;
  try {
    return parse_geotiff_crs(payload(directory), payload(doubles), payload(ascii), warnings);
  } catch (const CorruptData& error) {
    warnings.push_back(std::string("the GeoTIFF keys cannot be read (") + error.what() + "); give the EPSG code (key crs)");
    return std::nullopt;
  }
}

}  // namespace

Crs find_crs(const Header& header, const std::vector<Vlr>& vlrs, const std::vector<Vlr>& evlrs, std::vector<std::string>& warnings) {
  const Vlr* wkt = find(vlrs, evlrs, wkt_record);
  const auto geotiff = [&] {
    return from_geotiff(find(vlrs, evlrs, directory_record), find(vlrs, evlrs, doubles_record), find(vlrs, evlrs, ascii_record), warnings);
  };
  std::optional<Crs> crs;
  if ((header.global_encoding & wkt_bit) != 0 || header.point_format >= 6) {
    crs = from_wkt(wkt, warnings);
    if (!crs) crs = geotiff();
  } else {
    crs = geotiff();
    // Keys that name no system say less than a WKT that is also there.
    if (!crs || crs->epsg == 0) {
      if (auto other = from_wkt(wkt, warnings)) crs = std::move(other);
    }
  }
  return crs.value_or(Crs{});
}

}  // namespace tuile::las
