#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/source/byte_source.hpp"

namespace tuile::las {

/// A (extended) variable length record, as in the file.
struct Vlr {
  std::uint16_t reserved = 0;
  std::string user_id;  ///< at most 16 bytes
  std::uint16_t record_id = 0;
  std::string description;  ///< at most 32 bytes
  std::vector<std::byte> data;
};

/// The public header block. Counts and bounds of all versions in one form.
struct Header {
  std::uint8_t version_major = 1, version_minor = 4;
  std::uint16_t file_source_id = 0, global_encoding = 0;
  std::array<std::byte, 16> project_id{};
  std::string system_identifier, generating_software;
  std::uint16_t creation_day = 0, creation_year = 0;
  std::uint16_t header_size = 375;
  std::uint32_t point_data_offset = 0;
  std::uint8_t point_format = 6;     ///< 0-10, the compression bits removed
  bool compressed = false;           ///< LAZ
  std::uint16_t record_length = 30;  ///< bytes of one uncompressed record, extra bytes included
  std::uint64_t point_count = 0;
  std::array<std::uint64_t, 15> points_by_return{};
  std::array<double, 3> scale{0.01, 0.01, 0.01}, offset{};
  std::array<double, 3> min{}, max{};  ///< file units (not yet metres)
  std::uint64_t waveform_offset = 0, evlr_offset = 0;
  std::uint32_t vlr_count = 0, evlr_count = 0;
};

/// A coordinate reference system as far as tuile needs it.
struct Crs {
  std::string wkt;             ///< as in the file; empty where it has GeoTIFF keys only
  int epsg = 0;                ///< horizontal (or compound's horizontal) EPSG code, 0 where unknown
  std::string name;            ///< from the WKT or the GeoTIFF citation; may be empty
  bool geographic = false;     ///< degrees: refused by the pipeline
  double horizontal_unit = 1;  ///< metres per unit of x and y (1, 0.3048, 1200/3937, …)
  double vertical_unit = 1;    ///< metres per unit of z; the horizontal unit where the file says nothing of z
  bool known() const noexcept { return epsg != 0 || !wkt.empty() || !name.empty(); }
};

/// One extra-bytes dimension (LAS 1.4, record LASF_Spec/4).
struct ExtraDimension {
  std::string name, description;
  std::uint8_t data_type = 0;  ///< LAS 1.4 table 24: 1 uint8 … 9 float, 10 double; 0: undocumented bytes
  std::uint16_t offset = 0;    ///< bytes from the end of the standard part of the record
  std::uint16_t size = 0;      ///< bytes
  /// Its 192 bytes in the file (no-data, min, max, scale and offset with them); empty for a new dimension.
  std::vector<std::byte> descriptor;
};

/// The LASzip record (user id "laszip encoded", record 22204).
struct LaszipInfo {
  std::uint16_t compressor = 0;
  std::uint32_t chunk_size = 0;  ///< points per chunk; 0xFFFFFFFF: chunks of variable size
  std::uint8_t version_major = 0, version_minor = 0;
  std::uint16_t version_revision = 0;
  bool variable_chunks() const noexcept { return chunk_size == 0xFFFFFFFFU; }
};

/// COPC 1.0 info record.
struct CopcInfo {
  std::array<double, 3> center{};
  double halfsize = 0, spacing = 0;
  std::uint64_t root_offset = 0, root_size = 0;
};

/// Everything a LAS, LAZ or COPC file says before (and after) its points.
struct FileInfo {
  Header header;
  std::vector<Vlr> vlrs, evlrs;
  Crs crs;
  std::vector<ExtraDimension> extra_dimensions;
  std::optional<LaszipInfo> laszip;
  std::optional<CopcInfo> copc;
  std::vector<std::string> warnings;  ///< oddities that do not prevent reading, e.g. an unreadable CRS record

  /// Horizontal bounds in metres: the header's times the CRS's unit. Empty for a file without points.
  Bounds bounds() const noexcept;
  /// The finest of the three scales in metres, not finer than 1 mm: the grid that `decode` puts the points on.
  double grid_scale() const noexcept;
  /// The grid of the decoded block: grid_scale(), origin at the header's minimum rounded down to a multiple of 1000 units.
  Grid grid() const;
  /// Attributes that the point format carries.
  FieldSet fields() const noexcept;
};

/// Reads header, VLRs and EVLRs (a few reads of the source; no points) and checks them against the source's size and each other.
/// Throws CorruptData (wrong magic, truncated, counts or offsets outside the file, NaN or zero scale, bounds that are NaN or inverted),
/// Unsupported (version, point format), naming the field, its value and the remedy.
/// Source: LAS 1.4 R15, COPC 1.0. Thread-safe.
FileInfo read_info(const source::ByteSource& source);

/// Looks whether a compressed file reaches to its chunk table: a copy that broke off has all its headers and not this. Reads 16 bytes;
/// throws CorruptData. Thread-safe.
void check_end(const source::ByteSource& source, const FileInfo& info);

}  // namespace tuile::las
