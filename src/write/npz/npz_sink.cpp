#include "write/npz_sink.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"
#include "write/npz/npy.hpp"
#include "write/npz/object_arrays.hpp"
#include "write/npz/zip.hpp"
#include "write/row_ranges.hpp"

namespace tuile::write {

namespace {

constexpr std::uint64_t alignment = 64;

std::span<const std::byte> as_bytes(const std::string& text) { return std::as_bytes(std::span<const char>(text)); }

std::uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// The deflate stream of `bytes`, ended on a byte boundary without a last block: such pieces can be joined. Source: RFC 1951; zlib.h,
/// Z_FULL_FLUSH.
std::vector<std::byte> deflate_piece(std::span<const std::byte> bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw OutOfMemory("cannot allocate the deflate state");
  const std::unique_ptr<z_stream, decltype(&deflateEnd)> guard(&stream, &deflateEnd);
  // deflateBound is for Z_FINISH; a flush adds an empty block.
  std::vector<std::byte> out(deflateBound(&stream, static_cast<uLong>(bytes.size())) + 16);
  // zlib does not write through next_in, its type only says so where ZLIB_CONST is not defined.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FULL_FLUSH) != Z_OK || stream.avail_in != 0 || stream.avail_out == 0)
    throw IoError("zlib could not deflate " + std::to_string(bytes.size()) + " bytes");
  out.resize(stream.total_out);
  return out;
}

/// An empty last block: ends a joined deflate stream.
constexpr std::array<std::byte, 2> deflate_end{std::byte{0x03}, std::byte{0x00}};

/// A run of an array's bytes that was taken in at once.
struct Piece {
  std::uint64_t size = 0;  ///< uncompressed bytes
  std::uint32_t crc = 0;
  std::uint64_t spool_offset = 0, spool_size = 0;  ///< deflate only
};

/// One member of the archive: a .npy array whose rows arrive in pieces.
struct Array {
  std::string header;  ///< the bytes before the data
  std::uint64_t row_bytes = 0;
  std::optional<std::vector<std::byte>> whole;  ///< of an array that is there before the rows, until it is taken in
  ZipEntry entry;
  std::uint64_t data_offset = 0;          ///< stored only: where row 0 goes
  std::map<std::uint64_t, Piece> pieces;  ///< by first row
};

class NpzSink final : public Sink {
 public:
  NpzSink(const std::filesystem::path& path, TileLayout layout, Compression compression, Executor& executor)
      : layout_(std::move(layout)), compression_(compression), executor_(executor), file_(path) {
    check_layout(layout_);
    const std::uint64_t n = layout_.points, f = layout_.feature_names.size();
    NpyStrings names = npy_strings(layout_.feature_names);
    const std::array<double, 3> origin = layout_.grid.origin_metres();
    const auto origin_bytes = std::as_bytes(std::span(origin));
    add_rows("xyz", {"<f4", {n, 3}}, 3 * sizeof(float));
    add_whole({"origin", {"<f8", {3}}, {origin_bytes.begin(), origin_bytes.end()}});
    add_rows("features", {"<f4", {n, f}}, f * sizeof(float));
    add_whole({"feature_names", std::move(names.header), std::move(names.data)});
    add_rows("classification", {"|u1", {n}}, 1);
    if (layout_.valid) add_rows("valid", {"|b1", {n}}, 1);
    if (layout_.labels) {
      labels_at_ = arrays_.size();
      add_rows("labels", {"|u1", {n}}, 1);
      add_rows("label_source", {"|u1", {n}}, 1);
      add_rows("label_object", {"<i4", {n}}, sizeof(std::int32_t));
      for (WholeArray& array : object_arrays(layout_.objects)) add_whole(std::move(array));
    }
    if (compression_ == Compression::none)
      place_arrays();
    else
      spool_.emplace(path.string() + ".spool");
    for (Array& array : arrays_)
      if (const auto whole = std::exchange(array.whole, std::nullopt)) take(array, 0, *whole);
  }

  void write(const RowBlock& block) override {
    check_block(layout_, block);
    given_.add(block.first_row, block.size());
    if (block.size() == 0) return;
    // Chunks end at multiples of npz_chunk_rows in the tile, so that deflated pieces are the same however the rows came, as far as blocks
    // allow.
    const std::uint64_t end = block.first_row + block.size();
    const std::uint64_t first_chunk = block.first_row / npz_chunk_rows, last_chunk = (end - 1) / npz_chunk_rows;
    failed_ = true;
    executor_.for_each(last_chunk - first_chunk + 1, [&](std::size_t i) {
      const std::uint64_t start = std::max(block.first_row, (first_chunk + i) * npz_chunk_rows);
      const std::uint64_t stop = std::min(end, (first_chunk + i + 1) * npz_chunk_rows);
      write_chunk(block, start, stop - start);
    });
    failed_ = false;
  }

  WrittenFile finish() override {
    if (failed_) throw InvalidArgument("cannot finish " + file_.path().string() + ": a write to it failed before");
    given_.expect_all(layout_.points);
    std::uint64_t end = 0;
    for (Array& array : arrays_) end = compression_ == Compression::none ? finish_stored(array) : append_deflated(array, end);
    const std::uint64_t directory_offset = end;
    std::string directory;
    for (const Array& array : arrays_) directory += zip_directory_record(array.entry);
    directory += zip_end(arrays_.size(), directory_offset, directory.size());
    file_.write_at(directory_offset, as_bytes(directory));
    spool_.reset();
    return publish_output(file_);
  }

 private:
  void add_array(const std::string& name, const NpyHeader& header, std::uint64_t data_bytes) {
    Array array;
    array.header = npy_header(header);
    array.entry.name = name + ".npy";
    array.entry.deflated = compression_ == Compression::deflate;
    array.entry.size = array.header.size() + data_bytes;
    arrays_.push_back(std::move(array));
  }
  void add_rows(const std::string& name, const NpyHeader& header, std::uint64_t row_bytes) {
    add_array(name, header, row_bytes * layout_.points);
    arrays_.back().row_bytes = row_bytes;
  }
  void add_whole(WholeArray whole) {
    add_array(whole.name, whole.header, whole.data.size());
    arrays_.back().whole = std::move(whole.data);
  }

  /// Stored members have known sizes, so every row has its place before the first one comes.
  void place_arrays() {
    std::uint64_t end = 0;
    for (Array& array : arrays_) {
      array.entry.stored_size = array.entry.size;
      const std::uint64_t start = zip_place(array.entry, end, alignment);
      array.data_offset = start + array.header.size();
      end = start + array.entry.size;
    }
    file_.reserve(end);
  }

  /// Takes rows of one array in: to their place, or deflated to the spool. Thread-safe.
  void take(Array& array, std::uint64_t first_row, std::span<const std::byte> bytes) {
    Piece piece{bytes.size(), crc_of(bytes), 0, 0};
    if (compression_ == Compression::none) {
      file_.write_at(array.data_offset + first_row * array.row_bytes, bytes);
    } else if (!bytes.empty()) {
      const std::vector<std::byte> deflated = deflate_piece(bytes);
      piece.spool_size = deflated.size();
      {
        const MutexLock guard(mutex_);
        piece.spool_offset = std::exchange(spool_end_, spool_end_ + deflated.size());
      }
      spool_->write_at(piece.spool_offset, deflated);
    }
    const MutexLock guard(mutex_);
    array.pieces.emplace(first_row, piece);
  }

  void write_chunk(const RowBlock& block, std::uint64_t first_row, std::uint64_t count) {
    const std::size_t start = first_row - block.first_row, f = layout_.feature_names.size();
    const double scale = layout_.grid.scale;
    Buffer<float> xyz(3 * count);
    for (std::size_t i = 0; i < count; ++i) {
      const GridPoint& point = block.units[start + i];
      xyz[3 * i] = static_cast<float>(point.x * scale);
      xyz[3 * i + 1] = static_cast<float>(point.y * scale);
      xyz[3 * i + 2] = static_cast<float>(point.z * scale);
    }
    take(arrays_[0], first_row, std::as_bytes(xyz.span()));
    take(arrays_[2], first_row, std::as_bytes(block.features.subspan(start * f, count * f)));
    take(arrays_[4], first_row, std::as_bytes(block.classification.subspan(start, count)));
    if (layout_.valid) take(arrays_[5], first_row, std::as_bytes(block.valid.subspan(start, count)));
    if (!layout_.labels) return;
    take(arrays_[labels_at_], first_row, std::as_bytes(block.labels.subspan(start, count)));
    take(arrays_[labels_at_ + 1], first_row, std::as_bytes(block.label_source.subspan(start, count)));
    take(arrays_[labels_at_ + 2], first_row, std::as_bytes(block.label_object.subspan(start, count)));
  }

  /// CRC of the whole member from its pieces' in row order.
  static std::uint32_t joined_crc(const Array& array) {
    std::uint32_t crc = crc_of(as_bytes(array.header));
    for (const auto& [row, piece] : array.pieces)
      crc = static_cast<std::uint32_t>(crc32_combine(crc, piece.crc, static_cast<z_off_t>(piece.size)));
    return crc;
  }

  /// Returns the offset after the member.
  std::uint64_t finish_stored(Array& array) {
    array.entry.crc = joined_crc(array);
    file_.write_at(array.entry.header_offset, as_bytes(zip_local_header(array.entry) + array.header));
    return array.data_offset - array.header.size() + array.entry.size;
  }

  std::uint64_t append_deflated(Array& array, std::uint64_t offset) {
    const std::vector<std::byte> header = deflate_piece(as_bytes(array.header));
    ZipEntry& entry = array.entry;
    entry.crc = joined_crc(array);
    entry.stored_size = header.size() + deflate_end.size();
    for (const auto& [row, piece] : array.pieces) entry.stored_size += piece.spool_size;
    const std::uint64_t start = zip_place(entry, offset, 1);
    file_.write_at(offset, as_bytes(zip_local_header(entry)));
    std::uint64_t end = append(start, header);
    Buffer<std::byte> copy(std::size_t{1} << 20);
    for (const auto& [row, piece] : array.pieces) {
      for (std::uint64_t done = 0; done < piece.spool_size;) {
        const std::span<std::byte> part = copy.span().first(std::min<std::uint64_t>(copy.size(), piece.spool_size - done));
        spool_->read_at(piece.spool_offset + done, part);
        end = append(end, part);
        done += part.size();
      }
    }
    return append(end, deflate_end);
  }

  std::uint64_t append(std::uint64_t offset, std::span<const std::byte> bytes) {
    file_.write_at(offset, bytes);
    return offset + bytes.size();
  }

  // Constant after construction.
  const TileLayout layout_;
  const Compression compression_;
  Executor& executor_;

  AtomicFile file_;
  std::optional<AtomicFile> spool_;  ///< deflated pieces in the order they came; never published
  RowRanges given_;
  bool failed_ = false;        ///< a write threw: rows that were given may not be in the file
  std::vector<Array> arrays_;  ///< in the order of the constructor; `pieces` guarded by mutex_
  std::size_t labels_at_ = 0;  ///< label_source and label_object follow
  Mutex mutex_;
  std::uint64_t spool_end_ GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<Sink> make_npz_sink(const std::filesystem::path& path, const TileLayout& layout, Compression compression,
                                    Executor& executor) {
  return std::make_unique<NpzSink>(path, layout, compression, executor);
}

}  // namespace tuile::write
