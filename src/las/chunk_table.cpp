#include "las/chunk_table.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "las/byte_reader.hpp"
#include "las/range_decoder.hpp"
#include "las/range_encoder.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr const char* remedy = "; the file is truncated or damaged, copy it again";
constexpr std::size_t pointer_size = sizeof(std::int64_t);
constexpr std::size_t table_header_size = 8;

/// Where the chunk table starts; nothing where the writer was stopped before it wrote one.
std::optional<std::uint64_t> find_table(std::span<const std::byte> file, const Header& header) {
  const std::uint64_t start = header.point_data_offset;
  if (file.size() < start + pointer_size) throw CorruptData(std::string("the file ends before its first chunk") + remedy);
  auto position = load<std::int64_t>(file.data() + start);
  // A writer that cannot seek back leaves -1 here and puts the position into the last bytes of the file.
  if (position == -1) position = load<std::int64_t>(file.data() + file.size() - pointer_size);
  if (position == static_cast<std::int64_t>(start)) return std::nullopt;
  if (position < static_cast<std::int64_t>(start + pointer_size) || static_cast<std::uint64_t>(position) > file.size() ||
      file.size() - static_cast<std::uint64_t>(position) < table_header_size) {
    throw CorruptData("the chunk table should start at byte " + std::to_string(position) + "; a place between " +
                      std::to_string(start + pointer_size) + " and the end of the file (" + std::to_string(file.size()) + ") is expected" +
                      remedy);
  }
  return static_cast<std::uint64_t>(position);
}

/// The number of chunks, checked before anything is allocated for them.
std::uint32_t read_chunk_count(std::span<const std::byte> table, const Header& header, const LaszipRecord& record, std::uint64_t room) {
  ByteReader in(table, "the chunk table");
  const auto version = in.get<std::uint32_t>();
  const auto count = in.get<std::uint32_t>();
  if (version != 0) throw CorruptData("the chunk table has version " + std::to_string(version) + "; 0 is expected" + remedy);
  if (!record.info.variable_chunks()) {
    const std::uint64_t chunk = record.info.chunk_size;
    const std::uint64_t expected = (header.point_count + chunk - 1) / chunk;
    if (count != expected) {
      throw CorruptData("the chunk table has " + std::to_string(count) + " chunks; " + std::to_string(header.point_count) +
                        " points in chunks of " + std::to_string(chunk) + " make " + std::to_string(expected) + remedy);
    }
  }
  // Every chunk starts with one whole record.
  if (count > room / header.record_length) {
    throw CorruptData("the chunk table has " + std::to_string(count) + " chunks but there is room for " +
                      std::to_string(room / header.record_length) + " at most" + remedy);
  }
  return count;
}

std::vector<Chunk> decode_table(std::span<const std::byte> entries, std::uint32_t count, const Header& header, const LaszipRecord& record,
                                std::uint64_t table_start) {
  std::vector<Chunk> chunks(count);
  if (count == 0) return chunks;
  RangeDecoder decoder(entries);
  IntegerDecoder integers(decoder, 2);
  const bool variable = record.info.variable_chunks();
  std::uint32_t points = 0, size = 0;
  std::uint64_t offset = header.point_data_offset + pointer_size, first = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (variable) points = integers.next(points, 0);
    size = integers.next(size, 1);
    Chunk& chunk = chunks[i];
    chunk.offset = offset;
    chunk.size = size;
    chunk.first_point = first;
    chunk.points = variable ? points : std::min<std::uint64_t>(record.info.chunk_size, header.point_count - first);
    offset += size;
    first += chunk.points;
    if (offset > table_start || size < header.record_length || chunk.points == 0) {
      throw CorruptData("chunk " + std::to_string(i + 1) + " of " + std::to_string(count) + " has " + std::to_string(chunk.points) +
                        " points in " + std::to_string(size) + " bytes from byte " + std::to_string(chunk.offset) +
                        "; chunks of at least one point that end before the table (byte " + std::to_string(table_start) + ") are expected" +
                        remedy);
    }
  }
  if (first != header.point_count) {
    throw CorruptData("the chunk table holds " + std::to_string(first) + " points but the header says " +
                      std::to_string(header.point_count) + remedy);
  }
  return chunks;
}

Chunk open_ended_chunk(std::uint64_t offset, std::uint64_t file_size, const Header& header) {
  return {.offset = offset, .size = file_size - offset, .first_point = 0, .points = header.point_count, .open_ended = true};
}

/// Finds the chunks of a layered file without a table by the lengths that each has at its start.
std::vector<Chunk> walk_layered_chunks(std::span<const std::byte> file, const Header& header, const LaszipRecord& record) {
  std::vector<Chunk> chunks;
  std::uint64_t offset = header.point_data_offset + pointer_size;
  for (std::uint64_t first = 0; first < header.point_count;) {
    ByteReader in(file.subspan(offset), "chunk " + std::to_string(chunks.size() + 1) + " of a file without a chunk table");
    in.take(header.record_length);
    in.get<std::uint32_t>();
    std::uint64_t layers = 0;
    for (std::size_t i = 0; i < record.layer_count(); ++i) layers += in.get<std::uint32_t>();
    in.take(layers);
    const std::uint64_t points = std::min<std::uint64_t>(record.info.chunk_size, header.point_count - first);
    chunks.push_back({.offset = offset, .size = in.position(), .first_point = first, .points = points});
    offset += in.position();
    first += points;
  }
  return chunks;
}

}  // namespace

std::vector<Chunk> read_chunks(std::span<const std::byte> file, const Header& header, const LaszipRecord& record) {
  if (header.point_count == 0) return {};
  const std::uint64_t start = header.point_data_offset;
  if (record.compressor() == LaszipCompressor::pointwise) return {open_ended_chunk(start, file.size(), header)};
  const auto table = find_table(file, header);
  if (!table) {
    if (record.info.variable_chunks()) {
      throw CorruptData(
          std::string("the chunk table is missing (its writer was interrupted), and chunks of variable size cannot be found without it") +
          remedy);
    }
    if (record.compressor() == LaszipCompressor::layered_chunked) return walk_layered_chunks(file, header, record);
    return {open_ended_chunk(start + pointer_size, file.size(), header)};
  }
  const std::span<const std::byte> bytes = file.subspan(*table);
  const std::uint32_t count = read_chunk_count(bytes, header, record, *table - start - pointer_size);
  return decode_table(bytes.subspan(table_header_size), count, header, record, *table);
}

std::vector<std::byte> serialize_chunk_table(std::span<const std::uint32_t> sizes) {
  std::vector<std::byte> table(table_header_size);
  store(table.data() + 4, static_cast<std::uint32_t>(sizes.size()));
  if (sizes.empty()) return table;
  RangeEncoder encoder;
  IntegerEncoder integers(encoder, 2);
  std::uint32_t before = 0;
  for (const std::uint32_t size : sizes) {
    integers.put(before, size, 1);
    before = size;
  }
  const std::vector<std::byte> entries = encoder.finish();
  table.insert(table.end(), entries.begin(), entries.end());
  return table;
}

}  // namespace tuile::las
