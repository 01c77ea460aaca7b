#include "tuile/las/decode.hpp"

#include <algorithm>
#include <string>

#include "las/chunk_decoder.hpp"
#include "las/chunk_table.hpp"
#include "las/copc.hpp"
#include "las/laszip_record.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr std::uint64_t plain_chunk = 1U << 16;    // points
constexpr std::uint64_t read_at_once = 64U << 20;  // bytes between two looks at the stop token
constexpr std::uint64_t largest_gap = 64 * 1024;   // bytes read for nothing rather than asked for separately

std::vector<Chunk> plain_chunks(std::span<const std::byte> bytes, const Header& header) {
  const std::uint64_t room = (bytes.size() - header.point_data_offset) / header.record_length;
  if (header.point_count > room) {
    throw CorruptData("the header says " + std::to_string(header.point_count) + " points but the file holds only " + std::to_string(room) +
                      "; the file is truncated, copy it again");
  }
  std::vector<Chunk> chunks;
  for (std::uint64_t first = 0; first < header.point_count; first += plain_chunk) {
    const std::uint64_t points = std::min(plain_chunk, header.point_count - first);
    chunks.push_back({.offset = header.point_data_offset + first * header.record_length,
                      .size = points * header.record_length,
                      .first_point = first,
                      .points = points});
  }
  return chunks;
}

/// A piece of the source in memory.
struct Range {
  std::uint64_t offset = 0, size = 0;
  Buffer<std::byte> bytes;
};

/// Reads the chunks (in the order of the file) with as few reads as their gaps allow.
std::vector<Range> read_ranges(const source::ByteSource& source, const std::vector<Chunk>& chunks, const DecodeJob& job) {
  std::vector<Range> ranges;
  for (const Chunk& chunk : chunks) {
    if (ranges.empty() || chunk.offset > ranges.back().offset + ranges.back().size + largest_gap) ranges.push_back({chunk.offset, 0, {}});
    ranges.back().size = chunk.offset + chunk.size - ranges.back().offset;
  }
  std::vector<source::Piece> pieces;
  std::uint64_t waiting = 0;
  const auto read = [&] {
    job.check_stop();
    source.read_pieces(pieces);
    pieces.clear();
    waiting = 0;
  };
  for (Range& range : ranges) {
    range.bytes = Buffer<std::byte>(range.size);
    for (std::uint64_t at = 0; at < range.size;) {
      const std::uint64_t part = std::min(range.size - at, read_at_once - waiting);
      pieces.push_back({range.offset + at, range.bytes.span().subspan(at, part)});
      at += part;
      waiting += part;
      if (waiting == read_at_once) read();
    }
  }
  if (!pieces.empty()) read();
  return ranges;
}

}  // namespace

DecodeResult decode(std::span<const std::byte> bytes, const FileInfo& info, const DecodeOptions& options, Executor& executor) {
  const Header& header = info.header;
  if (header.point_data_offset > bytes.size()) {
    throw CorruptData("the points should start at byte " + std::to_string(header.point_data_offset) + " but there are only " +
                      std::to_string(bytes.size()) + " bytes; the file was changed while it was read, read it again");
  }
  const DecodeJob job(info, options);
  const std::vector<Chunk> chunks =
      header.compressed ? read_chunks(bytes, header, require_laszip_record(header, info.vlrs)) : plain_chunks(bytes, header);
  return decode_chunks(
      job, chunks, [bytes](const Chunk& chunk) { return bytes.subspan(chunk.offset, chunk.size); }, executor);
}

DecodeResult decode_copc_nodes(const source::ByteSource& source, const FileInfo& info, const DecodeOptions& options, Executor& executor) {
  if (!info.copc)
    throw InvalidArgument("a part of " + source.name() + " was asked for by its octree, but it is not a COPC file; decode it whole");
  if (!options.bbox) throw InvalidArgument("decoding by octree nodes needs a bounding box; decode the file whole where all is wanted");
  const DecodeJob job(info, options);
  // A point on the edge of a node may have been rounded over it.
  const Bounds wanted = options.bbox->expanded(2 * job.mapping.grid.scale);
  const double unit = info.crs.horizontal_unit;
  std::vector<Chunk> chunks;
  for (const CopcNode& node : read_copc_nodes(source, info)) {
    const Bounds box = node.bounds(*info.copc);
    if (!wanted.intersects({box.min_x * unit, box.min_y * unit, box.max_x * unit, box.max_y * unit})) continue;
    chunks.push_back({.offset = node.offset, .size = node.size, .first_point = node.first_point, .points = node.points});
  }
  const std::vector<Range> ranges = read_ranges(source, chunks, job);
  const auto bytes = [&ranges](const Chunk& chunk) {
    const auto after = std::upper_bound(ranges.begin(), ranges.end(), chunk.offset,
                                        [](std::uint64_t offset, const Range& range) { return offset < range.offset; });
    const Range& range = *(after - 1);
    return range.bytes.span().subspan(chunk.offset - range.offset, chunk.size);
  };
  return decode_chunks(job, chunks, bytes, executor);
}

}  // namespace tuile::las
