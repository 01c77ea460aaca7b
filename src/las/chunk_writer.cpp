#include "las/chunk_writer.hpp"

#include <laszip/laszip_api.h>

#include <algorithm>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>

#include "las/byte_reader.hpp"
#include "las/extra_layers.hpp"
#include "las/laszip_record.hpp"
#include "las/record_codec.hpp"
#include "las/record_format.hpp"
#include "las/vlr.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

/// A LASzip writer that makes chunks only: header and records of the file are ours.
class Writer {
 public:
  Writer(std::uint8_t point_format, std::uint16_t record_length) {
    if (laszip_create(&laszip_) != 0) throw OutOfMemory("LASzip cannot be started: no memory");
    try {
      check(laszip_set_point_type_and_size(laszip_, point_format, record_length));
      check(laszip_request_native_extension(laszip_, 1));
      check(laszip_set_chunk_size(laszip_, written_chunk_size));
    } catch (...) {
      laszip_destroy(laszip_);
      throw;
    }
  }
  ~Writer() { laszip_destroy(laszip_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  laszip_POINTER get() const noexcept { return laszip_; }
  void check(laszip_I32 result) const {
    if (result == 0) return;
    laszip_CHAR* text = nullptr;
    laszip_get_error(laszip_, &text);
    throw Unsupported(std::string("LASzip cannot write these points: ") + (text != nullptr ? text : "no reason given"));
  }

 private:
  laszip_POINTER laszip_ = nullptr;
};

}  // namespace

std::vector<std::byte> make_laszip_payload(std::uint8_t point_format, std::uint16_t record_length) {
  const Writer writer(point_format, record_length);
  laszip_U8* bytes = nullptr;
  laszip_U32 size = 0;
  writer.check(laszip_create_laszip_vlr(writer.get(), &bytes, &size));
  const auto* begin = reinterpret_cast<const std::byte*>(bytes);
  return std::vector<std::byte>(begin + vlr_header_size, begin + size);
}

namespace {

/// The chunk that LASzip makes of the first `length` bytes of records that lie `stride` bytes apart.
std::vector<std::byte> laszip_chunk(std::span<const std::byte> records, std::size_t stride, std::uint8_t point_format,
                                    std::uint16_t length) {
  std::ostringstream stream;  // before the writer, which may still flush into it when it goes
  const Writer writer(point_format, length);
  const RecordCodec codec(point_format, length);
  writer.check(laszip_open_writer_stream(writer.get(), stream, 1, 1));
  laszip_point* point = nullptr;
  writer.check(laszip_get_point_pointer(writer.get(), &point));
  for (std::size_t at = 0; at < records.size(); at += stride) {
    codec.to_point(records.data() + at, *point);
    writer.check(laszip_write_point(writer.get()));
  }
  writer.check(laszip_close_writer(writer.get()));
  // LASzip wrote the place of a chunk table, the chunk, and a table of one chunk.
  const std::string_view image = stream.view();
  const auto* bytes = reinterpret_cast<const std::byte*>(image.data());
  if (image.size() < sizeof(std::int64_t)) throw OutOfMemory("LASzip wrote nothing: no memory for a compressed chunk");
  const auto end = load<std::int64_t>(bytes);
  if (end < static_cast<std::int64_t>(sizeof end) || static_cast<std::size_t>(end) > image.size()) {
    throw OutOfMemory("LASzip wrote an incomplete chunk: no memory for it");
  }
  return std::vector<std::byte>(bytes + sizeof end, bytes + end);
}

/// Our layers of extra bytes are of version 3; chunks of items of another version are LASzip's to write.
bool laszip_writes_version_three() {
  Header header;
  header.point_format = 6;
  header.record_length = static_cast<std::uint16_t>(record_format(header.point_format).length + 1);
  const LaszipRecord record = parse_laszip_record(make_laszip_payload(header.point_format, header.record_length), header);
  return std::all_of(record.items.begin(), record.items.end(), [](const LaszipItem& item) { return item.version == 3; });
}

}  // namespace

std::vector<std::byte> compress_chunk(std::span<const std::byte> records, std::uint8_t point_format, std::uint16_t record_length) {
  const RecordFormat& format = record_format(point_format);
  static const bool version_three = laszip_writes_version_three();
  const bool own_layers = version_three && format.extended && format.wave_packet == 0 && record_length > format.length && !records.empty();
  if (!own_layers) return laszip_chunk(records, record_length, point_format, record_length);
  // Layers of extra bytes depend on nothing but the scanner channel: LASzip makes the chunk without them, several times slower byte for
  // byte. A chunk: the first record, the number of points, the length of each layer, the layers.
  const std::vector<std::byte> chunk = laszip_chunk(records, record_length, point_format, format.length);
  const ExtraLayers extra = compress_extra_bytes(records, record_length, format.length);
  const std::size_t layers = 9U + (format.rgb != 0 ? 1U : 0U) + (format.nir != 0 ? 1U : 0U);
  const std::size_t head = format.length, body = head + sizeof(std::uint32_t) * (1 + layers);
  if (chunk.size() < body) throw OutOfMemory("LASzip wrote an incomplete chunk: no memory for it");
  std::vector<std::byte> joined;
  joined.reserve(chunk.size() + (record_length - head) + 4 * extra.sizes.size() + extra.bytes.size());
  const auto append = [&joined](std::span<const std::byte> part) { joined.insert(joined.end(), part.begin(), part.end()); };
  append(records.first(record_length));
  append(std::span(chunk).subspan(head, body - head));
  append(std::as_bytes(std::span(extra.sizes)));
  append(std::span(chunk).subspan(body));
  append(extra.bytes);
  return joined;
}

}  // namespace tuile::las
