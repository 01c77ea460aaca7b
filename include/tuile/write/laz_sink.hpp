#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tuile/core/buffer.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/write/sink.hpp"

namespace tuile::write {

/// A feature column that becomes an extra-bytes dimension (float32).
struct LazColumn {
  std::size_t column = 0;   ///< index into TileLayout::feature_names
  std::string name;         ///< at most 32 bytes; a name that the file already has gets the prefix "tuile_"
  std::string description;  ///< cut at 32 bytes
};

/// Colours that did not come from the file: they raise the point format where it has no room for them (6 → 7 with rgb, → 8 with nir; 0 → 2,
/// 1 → 3, 4 → 5, 9 → 10) and replace the record's. Formats 0 to 5 have no place for nir: it is an extra-bytes dimension `nir` (uint16)
/// there. Empty: as in the file. 16 bits, one per row; 0 where unknown. The memory is the caller's and must outlive the sink.
struct LazColours {
  std::span<const std::uint16_t> red, green, blue, nir;
};

/// Where labels go. `label_source` (uint8) and `label_object` (int32) are dimensions in either case, and the object table an EVLR ("tuile",
/// 1): UTF-8 lines of fields with tabs between them, first the names (row, id, layer, the attributes), then one line per object; `row`
/// counts from 0 as label_object does, `layer` from 1 as label_source; values are cut at 200 characters and control characters in them are
/// spaces. Files older than LAS 1.4 have no EVLRs: there the table is a VLR, or several ("tuile", 1, 2, …), each with the line of names,
/// and left out where one object alone passes 65535 bytes. The table of an earlier run is replaced.
enum class LazLabels : std::uint8_t {
  extra_bytes,     ///< dimension `label` (uint8)
  classification,  ///< in the place of the file's class (point formats 0 to 5: classes above 31 do not fit: InvalidArgument naming them)
};

struct LazSinkOptions {
  LazLabels labels = LazLabels::extra_bytes;  ///< used where the layout has labels
  bool label_provenance = true;               ///< label_source and label_object (with its table) stand beside the labels
  /// Not empty: one per row, in the place of the file's class (with the limits of LazLabels::classification). The memory is the caller's
  /// and must outlive the sink.
  std::span<const std::uint8_t> classes;
  LazColours colours;
  std::vector<LazColumn> columns;                    ///< without those that are LAS dimensions already
  las::FileInfo original;                            ///< of the input file
  std::function<Buffer<std::byte>()> read_original;  ///< the input file's bytes; called once, when the first rows can be written
  /// Instead of read_original, for files that do not exist: makes the next records, whole ones, in order; `original` says what they are.
  std::function<void(std::span<std::byte>)> make_records = {};
  std::optional<std::vector<std::uint32_t>> rows;  ///< output row i is record rows[i] (increasing); not set: all records
};

/// The input file again as LAZ, every dimension bit for bit (but for what LazColours and LazLabels say), every VLR and EVLR as
/// las::RecordWriter keeps them, with one float32 extra-bytes dimension per column after the file's own, then nir and the labels. Rows are
/// compressed as soon as all rows before them are there: blocks in row order are never copied, others wait in memory for their turn.
/// executor   compresses in parallel (the same bytes); null: in the calling thread. Must outlive the sink
/// Throws InvalidArgument: a record would pass 65535 bytes, a name too long, row or colour counts that disagree, an object table as
/// check_layout refuses it, in write() a label that the record has no room for; CorruptData, IoError, PermissionDenied.
std::unique_ptr<Sink> make_laz_sink(const std::filesystem::path& path, const TileLayout& layout, LazSinkOptions options,
                                    Executor* executor = nullptr);

}  // namespace tuile::write
