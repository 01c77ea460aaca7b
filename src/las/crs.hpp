#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// What a WKT 1 or WKT 2 text says of the system, its EPSG code and its units. Throws CorruptData where the text is not WKT.
/// A projected system without a unit gets the one its EPSG code is known for, else metres with a warning.
/// Source: OGC 01-009, OGC 18-010r7.
Crs parse_wkt_crs(std::string_view wkt, std::vector<std::string>& warnings);

/// What the GeoTIFF keys say; a unit that they leave out as for WKT. Any span may be empty but the directory.
/// directory  payload of LASF_Projection/34735; doubles: 34736; ascii: 34737
/// Throws CorruptData where a key points outside its array. Source: OGC 19-008r4.
Crs parse_geotiff_crs(std::span<const std::byte> directory, std::span<const std::byte> doubles, std::span<const std::byte> ascii,
                      std::vector<std::string>& warnings);

/// The CRS of a file from its records: WKT where the header says so (or the format demands it), GeoTIFF keys otherwise,
/// the other kind where that one is absent or unreadable. An unreadable record becomes a warning.
Crs find_crs(const Header& header, const std::vector<Vlr>& vlrs, const std::vector<Vlr>& evlrs, std::vector<std::string>& warnings);

/// Metres per unit of an EPSG linear unit code (9001 metre, 9002 foot, …); nothing for a code that is not known.
std::optional<double> epsg_linear_unit(int code) noexcept;

/// Metres per unit of a projected system by its EPSG code, for files that do not state the unit: metres with a warning where the code is
/// not among those whose unit is certain.
double unstated_unit(int epsg, std::vector<std::string>& warnings);

}  // namespace tuile::las
