#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "tuile/core/executor.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// Appends values as LAS stores them, little-endian.
class RecordBytes {
 public:
  explicit RecordBytes(std::byte* at) noexcept : at_(at) {}
  template <class T>
  void put(T value) noexcept {
    std::memcpy(at_, &value, sizeof(T));
    at_ += sizeof(T);
  }

 private:
  static_assert(std::endian::native == std::endian::little, "tuile runs on little-endian machines");
  std::byte* at_;
};

/// What a new LAZ 1.4 file begins with, for a RecordWriter.
/// point_format  6, 7 or 8
/// scale         file units: metres per unit, on all axes; the offset is 0
/// wkt           CRS; empty: none is stated. wkt_description: what its record is called
/// software      generating software
/// The creation date is fixed: same points, same bytes. Throws Unsupported for another point format.
FileInfo new_layout(int point_format, double scale, std::string_view wkt, const std::string& wkt_description, const std::string& software);

/// new_layout() for the points of a block: format 8 where it has near infrared, 7 where it has colours, else 6; with as many records.
FileInfo layout_for(const PointBlock& points, std::string_view wkt, const std::string& software);

/// Makes the records [first, first + records.size() / record length) of a file of layout_for(): coordinates and attributes as the block has
/// them, return 1 of 1 where it has none, all else 0. Bytes after the standard part are left alone. executor: null: in the calling thread.
/// Source: LAS 1.4 R15, tables 15 to 17.
void pack_records(const PointBlock& points, const FileInfo& layout, std::size_t first, std::span<std::byte> records, Executor* executor);

}  // namespace tuile::las
