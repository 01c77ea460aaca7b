#pragma once

#include <laszip/laszip_api.h>

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <span>
#include <streambuf>
#include <vector>

#include "las/laszip_record.hpp"
#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// A read-only stream over two pieces of memory, one behind the other.
class TwoPartBuffer final : public std::streambuf {
 public:
  explicit TwoPartBuffer(std::span<const std::byte> head) : head_(head) { enter(0, 0); }
  /// Replaces the second piece and moves to its first byte.
  void set_body(std::span<const std::byte> body) {
    body_ = body;
    enter(1, 0);
  }
  std::uint64_t position() const noexcept { return (part_ == 0 ? 0 : head_.size()) + static_cast<std::uint64_t>(gptr() - eback()); }

 protected:
  int_type underflow() override;
  pos_type seekoff(off_type offset, std::ios_base::seekdir direction, std::ios_base::openmode mode) override;
  pos_type seekpos(pos_type position, std::ios_base::openmode mode) override;

 private:
  void enter(int part, std::size_t at);
  std::span<const std::byte> head_, body_;
  int part_ = 0;
};

/// Decodes chunks through LASzip, any chunk in any order. LASzip is shown a header of our own making with the bytes of one chunk behind it:
/// it never sees the file's header, its records or its chunk table, and cannot read past the chunk. Chunk after chunk goes through the
/// same LASzip reader, whose models are costly to make. Not thread-safe.
class ChunkReader {
 public:
  /// selective  LASzip's bit set of layers to decode (formats 6 and up)
  ChunkReader(const Header& header, const LaszipRecord& record, std::uint32_t selective);
  ~ChunkReader();
  ChunkReader(const ChunkReader&) = delete;
  ChunkReader& operator=(const ChunkReader&) = delete;

  /// Starts on the bytes of a chunk of `points` points. Throws CorruptData where its layers do not add up to its size.
  void start(std::span<const std::byte> chunk, std::uint64_t points);

  /// Decodes the next point into point(). Throws CorruptData.
  void next() {
    if (laszip_read_point(laszip_) != 0) throw_laszip("a point cannot be decoded");
  }
  const laszip_point& point() const noexcept { return *point_; }

  /// To be called after a chunk's last point. Throws CorruptData where the points did not use up the chunk's bytes exactly.
  void finish() const;

 private:
  [[noreturn]] void throw_laszip(const char* what) const;
  void check_layers(std::span<const std::byte> chunk, std::uint64_t points) const;

  std::size_t record_length_, layers_;
  bool layered_;
  std::vector<std::byte> head_;
  TwoPartBuffer buffer_;
  std::istream stream_;
  std::size_t chunk_size_ = 0;
  laszip_POINTER laszip_ = nullptr;
  laszip_point* point_ = nullptr;
};

}  // namespace tuile::las
