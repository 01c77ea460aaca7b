#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tuile/core/executor.hpp"
#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// Reads full records, in file order, exactly as uncompressed LAS stores them (info.header.record_length bytes each). Not thread-safe.
class RecordReader {
 public:
  /// bytes must outlive the reader.
  /// executor   decodes the chunks of one read() side by side; null: in the calling thread. Must outlive the reader
  RecordReader(std::span<const std::byte> bytes, const FileInfo& info, Executor* executor = nullptr);
  ~RecordReader();
  RecordReader(RecordReader&&) noexcept;
  RecordReader& operator=(RecordReader&&) noexcept;

  /// Fills `out` with the next out.size() / record_length records. Where that ends inside a chunk, the rest of the chunk is kept in memory
  /// for the next read. Throws CorruptData where the file has fewer or a chunk is damaged.
  void read(std::span<std::byte> out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes a LAZ (or LAS) file from full records. Not thread-safe. Nothing is left half-written silently: finish() must be called,
/// and throws where anything failed; a file without finish() is not valid.
class RecordWriter {
 public:
  /// path       created or truncated; the caller publishes it atomically
  /// layout     header (scale, offset, format, record_length, …), VLRs and EVLRs to write: LASzip's, COPC's and the extra-bytes records
  ///            are made by the writer (those in `layout` are ignored), all others are kept byte for byte.
  ///            layout.extra_dimensions describes the bytes after the standard part of a record; counts and bounds are
  ///            computed from the points; layout.header.compressed chooses LAZ or LAS.
  /// executor   compresses chunks in parallel (the same bytes); null: in the calling thread. Must outlive the writer.
  RecordWriter(const std::string& path, const FileInfo& layout, Executor* executor = nullptr);
  ~RecordWriter();
  RecordWriter(RecordWriter&&) noexcept;
  RecordWriter& operator=(RecordWriter&&) noexcept;

  /// Appends records.size() / layout.header.record_length records in LAS byte layout. Throws IoError (full disk, …).
  void write(std::span<const std::byte> records);

  /// Writes chunk table, EVLRs, header counts and bounds, and flushes to the file system (not fsync). Throws IoError.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Bytes of the standard part of a record of point format 0-10. Throws Unsupported for others.
std::uint16_t standard_record_length(std::uint8_t point_format);

}  // namespace tuile::las
