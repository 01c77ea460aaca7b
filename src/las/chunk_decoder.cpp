#include "las/chunk_decoder.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "las/layered_points.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr std::uint64_t groups_per_thread = 8;    // balance: the last group ends at most an eighth of a thread's share late
constexpr std::uint64_t smallest_group = 20'000;  // points; below, making a LASzip reader would cost more than decoding

/// Consecutive chunks for one task.
struct Group {
  std::size_t begin = 0, end = 0;
  std::uint64_t points = 0;
};

std::vector<Group> make_groups(const std::vector<Chunk>& chunks, int threads) {
  std::uint64_t total = 0;
  for (const Chunk& chunk : chunks) total += chunk.points;
  const std::uint64_t target = std::max(smallest_group, total / (static_cast<std::uint64_t>(threads) * groups_per_thread));
  std::vector<Group> groups;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (groups.empty() || groups.back().points >= target) groups.push_back({i, i, 0});
    groups.back().end = i + 1;
    groups.back().points += chunks[i].points;
  }
  return groups;
}

std::string place_of(const Chunk& chunk, std::size_t index, std::size_t count) {
  return "chunk " + std::to_string(index + 1) + " of " + std::to_string(count) + " (points " + std::to_string(chunk.first_point) + " to " +
         std::to_string(chunk.first_point + chunk.points - 1) + ")";
}

template <class T>
void append(const Buffer<T>& piece, std::size_t count, Buffer<T>& to, std::size_t at) {
  if (!to.empty() && count > 0) std::memcpy(to.data() + at, piece.data(), count * sizeof(T));
}

/// The pieces' kept points one behind the other, in arrays of exactly that size.
PointBlock join(const DecodeJob& job, const std::vector<PointBlock>& pieces, const std::vector<std::size_t>& kept) {
  std::size_t total = 0;
  for (const std::size_t count : kept) total += count;
  PointBlock block = make_block(job.mapping.grid, total, job.fields, true, !job.mapping.exact());
  std::size_t at = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const PointBlock& piece = pieces[i];
    const std::size_t count = kept[i];
    append(piece.units, count, block.units, at);
    append(piece.classification, count, block.classification, at);
    append(piece.intensity, count, block.intensity, at);
    append(piece.return_number, count, block.return_number, at);
    append(piece.number_of_returns, count, block.number_of_returns, at);
    append(piece.red, count, block.red, at);
    append(piece.green, count, block.green, at);
    append(piece.blue, count, block.blue, at);
    append(piece.nir, count, block.nir, at);
    append(piece.rows, count, block.rows, at);
    at += count;
  }
  return block;
}

std::unique_ptr<ChunkDecoder> make_decoder(const DecodeJob& job, const Chunk& chunk) {
  if (!job.info.header.compressed) return make_plain_decoder(job);
  const LaszipRecord record = require_laszip_record(job.info.header, job.info.vlrs);
  if (!chunk.open_ended && LayeredPoints::supports(job.info.header, record)) return make_layered_decoder(job, record);
  return make_laszip_decoder(job);
}

}  // namespace

DecodeJob::DecodeJob(const FileInfo& file, const DecodeOptions& options)
    : info(file), mapping(file), stop(options.stop), memory(options.memory) {
  fields.bits = options.fields.bits & file.fields().bits;
  if (!options.bbox) return;
  if (file.header.point_count > std::numeric_limits<std::uint32_t>::max()) {
    throw Unsupported("the file has " + std::to_string(file.header.point_count) +
                      " points; a part of it can be loaded up to 2^32 points only. Split the file or load it whole");
  }
  const Bounds& wanted = *options.bbox;
  if (std::isnan(wanted.min_x) || std::isnan(wanted.min_y) || std::isnan(wanted.max_x) || std::isnan(wanted.max_y)) {
    throw InvalidArgument("the bounding box has an edge that is not a number; give four coordinates in metres");
  }
  box.emplace(wanted, mapping.grid);
}

void DecodeJob::check_stop() const {
  if (stop.stop_requested()) throw Cancelled("decoding was stopped on request");
}

DecodeResult decode_chunks(const DecodeJob& job, const std::vector<Chunk>& chunks, const ChunkBytes& bytes, Executor& executor) {
  const std::vector<Group> groups = make_groups(chunks, executor.threads());
  std::vector<PointStatistics> statistics(groups.size());
  std::vector<PointBlock> pieces(job.box ? groups.size() : 0);
  std::vector<std::size_t> kept(pieces.size());
  std::uint64_t total = 0;
  for (const Group& group : groups) total += group.points;
  PointBlock whole;
  if (!job.box) whole = make_block(job.mapping.grid, total, job.fields, false, !job.mapping.exact(), job.memory);

  executor.for_each(groups.size(), [&](std::size_t g) {
    const Group& group = groups[g];
    job.check_stop();
    const auto decoder = make_decoder(job, chunks[group.begin]);
    // With a box only what is kept is touched: the rest of the piece's memory is never made resident.
    if (job.box) pieces[g] = make_block(job.mapping.grid, group.points, job.fields, true, false);
    PointBlock& target = job.box ? pieces[g] : whole;
    std::size_t at = job.box ? 0 : chunks[group.begin].first_point;
    for (std::size_t i = group.begin; i < group.end; ++i) {
      PointSink sink(target, at, job.mapping, job.box);
      const std::string place = place_of(chunks[i], i, chunks.size());
      try {
        decoder->decode(chunks[i], bytes(chunks[i]), sink);
      } catch (const CorruptData& error) {
        throw CorruptData(place + " is damaged: " + error.what() + "; copy the file again");
      }
      check_statistics(sink.statistics(), job.info, job.mapping, place);
      statistics[g].merge(sink.statistics());
      at = sink.at();
    }
    if (job.box) kept[g] = at;
  });
  job.check_stop();

  DecodeResult result;
  result.points_decoded = total;
  result.points = job.box ? join(job, pieces, kept) : std::move(whole);
  PointStatistics all;
  for (const PointStatistics& part : statistics) all.merge(part);
  if (total > 0 && total == job.info.header.point_count) compare_returns(all, job.info.header, result.warnings);
  return result;
}

}  // namespace tuile::las
