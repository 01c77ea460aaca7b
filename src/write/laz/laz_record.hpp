#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "las/record_format.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/write/laz_sink.hpp"

namespace tuile::write {

/// What LAZ output takes of a block of rows: row i is output row first_row + i.
struct LazRows {
  std::uint64_t first_row = 0;
  std::size_t count = 0;
  std::span<const float> features;  ///< (count, F)
  std::span<const std::uint8_t> labels, label_source;
  std::span<const std::int32_t> label_object;
};

/// How a record of the input becomes one of the output: raised to a point format with room for the colours, with the new dimensions behind
/// everything that the input's had.
class LazRecord {
 public:
  /// Throws InvalidArgument: no room in a record, a name too long, colours of another length than the rows.
  LazRecord(const TileLayout& layout, const LazSinkOptions& options);

  /// Header and records of the output.
  const las::FileInfo& info() const noexcept { return info_; }
  /// Throws InvalidArgument naming the labels that the record has no room for.
  void check_labels(std::span<const std::uint8_t> labels) const;
  /// Makes the output record of rows.first_row + i from the input's.
  void make(const std::byte* input, const LazRows& rows, std::size_t i, std::byte* output) const;

 private:
  /// Returns the dimension's place in the output record.
  std::size_t add_dimension(const std::string& name, const std::string& description, std::uint8_t type, std::size_t size);
  void check_colours(std::uint64_t points) const;
  void check_classes(std::uint64_t points) const;
  /// Throws InvalidArgument naming those that the class of an old point format has no room for.
  void check_short_classes(std::span<const std::uint8_t> classes) const;
  void put_class(std::byte* output, std::uint8_t value) const;
  void raise_format();
  void describe_gaps();

  std::vector<std::size_t> columns_;  ///< into a row of features, in the order of their dimensions
  std::size_t width_;                 ///< of a row of features
  bool labels_;
  LazLabels labels_place_;
  bool provenance_;                        ///< of the labels
  std::span<const std::uint8_t> classes_;  ///< per output row; may be empty
  LazColours colours_;
  las::FileInfo info_;
  las::RecordFormat format_;                  ///< of the output
  std::size_t input_length_;                  ///< bytes of an input record
  std::size_t insert_at_ = 0, inserted_ = 0;  ///< bytes that the higher point format has more, and where
  std::size_t end_ = 0;                       ///< of the output record as far as it is laid out
  std::size_t columns_at_ = 0, nir_at_ = 0, label_at_ = 0, label_source_at_ = 0, label_object_at_ = 0;
};

}  // namespace tuile::write
