#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tuile/core/buffer.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/output_format.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/write/laz_sink.hpp"
#include "tuile/write/sink.hpp"
#include "write/npz_sink.hpp"
#include "write/sidecar.hpp"

namespace tuile::write {

/// What users choose of the formats.
struct FormatOptions {
  Compression npz_compression = Compression::none;
  LazLabels laz_labels = LazLabels::extra_bytes;
};

/// The tile as its input has it, for formats that repeat its points.
struct RepeatedTile {
  LazColours colours;
  std::vector<LazColumn> columns;                      ///< the output columns that the records do not hold already
  std::function<las::FileInfo()> read_info;            ///< of the input file
  std::function<Buffer<std::byte>()> read_bytes;       ///< the input file's
  std::optional<std::span<const std::uint32_t>> rows;  ///< as LazSinkOptions::rows
};

/// What a sink is made from. All of it must outlive make_sink; what `tile` names and the executor, the sink.
struct SinkWish {
  std::filesystem::path path;
  const TileLayout& layout;
  const FormatOptions& options;
  const RepeatedTile& tile;
  Executor& executor;
};

/// A format as a row of the table: how it is written and how it is checked.
struct Format {
  std::string_view name;  ///< of the OutputFormat
  std::unique_ptr<Sink> (*make_sink)(const SinkWish& wish);
  /// Holds a written file against its sidecar; appends a line for each difference. Throws what reading it throws.
  void (*check)(const std::filesystem::path& path, const Sidecar& sidecar, std::vector<std::string>& problems);
};

/// name: of a row of output_formats().
const Format& format_of(const OutputFormat& format);

/// The format whose extension a path has; null where it is none's.
const OutputFormat* format_of_path(const std::filesystem::path& path);

}  // namespace tuile::write
