#include "las/chunk_reader.hpp"

#include <string>

#include "las/byte_reader.hpp"
#include "las/header.hpp"
#include "las/vlr.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

// Larger than any chunk, so that LASzip never goes on to a next one by itself.
constexpr std::uint32_t endless_chunk = 0x7FFFFFFFU;

/// A LAZ file up to its first chunk: the smallest header, the LASzip record and, for chunked files, the place of a table that
/// "was never written", which makes LASzip read one chunk after the other without looking for a table.
std::vector<std::byte> make_head(const Header& original, const LaszipRecord& record) {
  std::vector<std::byte> payload(34 + 6 * record.items.size());
  store(payload.data(), record.info.compressor);
  payload[4] = static_cast<std::byte>(record.info.version_major);
  payload[5] = static_cast<std::byte>(record.info.version_minor);
  store(payload.data() + 6, record.info.version_revision);
  const bool pointwise = record.compressor() == LaszipCompressor::pointwise;
  // A file without a table is one run of chunks of its own size.
  store(payload.data() + 12, pointwise ? 0U : (record.info.variable_chunks() ? endless_chunk : record.info.chunk_size));
  store(payload.data() + 16, std::int64_t{-1});
  store(payload.data() + 24, std::int64_t{-1});
  store(payload.data() + 32, static_cast<std::uint16_t>(record.items.size()));
  for (std::size_t i = 0; i < record.items.size(); ++i) {
    store(payload.data() + 34 + 6 * i, record.items[i].type);
    store(payload.data() + 36 + 6 * i, record.items[i].size);
    store(payload.data() + 38 + 6 * i, record.items[i].version);
  }
  const std::vector<std::byte> vlr = serialize_vlr({.user_id = "laszip encoded", .record_id = 22204, .description = "", .data = payload});

  Header header;
  header.header_size = standard_header_size(4);
  header.point_data_offset = static_cast<std::uint32_t>(header.header_size + vlr.size());
  header.vlr_count = 1;
  header.point_format = original.point_format;
  header.compressed = true;
  header.record_length = original.record_length;
  header.point_count = original.point_count;
  std::vector<std::byte> head = serialize_header(header);
  head.insert(head.end(), vlr.begin(), vlr.end());
  if (!pointwise) {
    const auto table = static_cast<std::int64_t>(head.size());
    head.resize(head.size() + sizeof table);
    store(head.data() + table, table);
  }
  return head;
}

}  // namespace

void TwoPartBuffer::enter(int part, std::size_t at) {
  part_ = part;
  const std::span<const std::byte> bytes = part == 0 ? head_ : body_;
  // A get area is never written to; std::streambuf just has no const one.
  char* begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
  setg(begin, begin + at, begin + bytes.size());
}

TwoPartBuffer::int_type TwoPartBuffer::underflow() {
  if (gptr() == egptr() && part_ == 0) enter(1, 0);
  return gptr() == egptr() ? traits_type::eof() : traits_type::to_int_type(*gptr());
}

TwoPartBuffer::pos_type TwoPartBuffer::seekoff(off_type offset, std::ios_base::seekdir direction, std::ios_base::openmode) {
  const auto total = static_cast<off_type>(head_.size() + body_.size());
  off_type target = offset;
  if (direction == std::ios_base::cur) target += static_cast<off_type>(position());
  if (direction == std::ios_base::end) target += total;
  if (target < 0 || target > total) return pos_type(off_type(-1));
  const auto at = static_cast<std::size_t>(target);
  if (at < head_.size())
    enter(0, at);
  else
    enter(1, at - head_.size());
  return pos_type(target);
}

TwoPartBuffer::pos_type TwoPartBuffer::seekpos(pos_type position, std::ios_base::openmode mode) {
  return seekoff(off_type(position), std::ios_base::beg, mode);
}

ChunkReader::ChunkReader(const Header& header, const LaszipRecord& record, std::uint32_t selective)
    : record_length_(header.record_length),
      layers_(record.layer_count()),
      layered_(record.compressor() == LaszipCompressor::layered_chunked),
      head_(make_head(header, record)),
      buffer_(head_),
      stream_(&buffer_) {
  if (laszip_create(&laszip_) != 0) throw OutOfMemory("LASzip cannot be started: no memory");
  try {
    if (laszip_decompress_selective(laszip_, selective) != 0) throw_laszip("LASzip refuses the choice of fields");
    laszip_BOOL compressed = 0;
    if (laszip_open_reader_stream(laszip_, stream_, &compressed) != 0) throw_laszip("LASzip cannot read the file");
    if (laszip_get_point_pointer(laszip_, &point_) != 0) throw_laszip("LASzip gives no point");
    // Reads the place of the table at the end of the head, so that from here on seeking only moves to the start of the chunk.
    if (laszip_seek_point(laszip_, 0) != 0) throw_laszip("LASzip cannot go to the first chunk");
  } catch (...) {
    laszip_destroy(laszip_);
    throw;
  }
}

ChunkReader::~ChunkReader() {
  laszip_close_reader(laszip_);
  laszip_destroy(laszip_);
}

void ChunkReader::check_layers(std::span<const std::byte> chunk, std::uint64_t points) const {
  // A layered chunk: the first record, the number of points, the length of each layer, the layers. LASzip allocates by these lengths.
  ByteReader in(chunk, "the head of a chunk");
  in.take(record_length_);
  const auto count = in.get<std::uint32_t>();
  if (count != points) {
    throw CorruptData("the chunk says that it holds " + std::to_string(count) + " points; the chunk table says " + std::to_string(points));
  }
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < layers_; ++i) total += in.get<std::uint32_t>();
  if (total != in.remaining()) {
    throw CorruptData("the layers of the chunk have " + std::to_string(total) + " bytes together; " + std::to_string(in.remaining()) +
                      " are there");
  }
}

void ChunkReader::start(std::span<const std::byte> chunk, std::uint64_t points) {
  if (layered_) check_layers(chunk, points);
  chunk_size_ = chunk.size();
  buffer_.set_body(chunk);
  stream_.clear();
  // Rewinding makes LASzip forget the chunk before and read the first record of its "only" chunk anew.
  if (laszip_seek_point(laszip_, 0) != 0) throw_laszip("LASzip cannot start a chunk");
}

void ChunkReader::finish() const {
  const std::uint64_t used = buffer_.position() - head_.size();
  if (used != chunk_size_) {
    throw CorruptData("the points of the chunk use " + std::to_string(used) + " of its " + std::to_string(chunk_size_) + " bytes");
  }
}

void ChunkReader::throw_laszip(const char* what) const {
  laszip_CHAR* text = nullptr;
  laszip_get_error(laszip_, &text);
  throw CorruptData(std::string(what) + " (LASzip: " + (text != nullptr ? text : "no reason given") + ")");
}

}  // namespace tuile::las
