#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "las/chunk_table.hpp"
#include "las/grid_mapping.hpp"
#include "las/laszip_record.hpp"
#include "las/point_sink.hpp"
#include "tuile/las/decode.hpp"

namespace tuile::las {

/// Everything that the decoding of one file has in common.
struct DecodeJob {
  DecodeJob(const FileInfo& info, const DecodeOptions& options);

  const FileInfo& info;
  GridMapping mapping;
  FieldSet fields;  ///< asked for and in the file
  std::optional<GridBox> box;
  std::stop_token stop;
  std::shared_ptr<HostMemory> memory;  ///< of a whole file's points

  /// Throws Cancelled once a stop was requested.
  void check_stop() const;
};

/// Turns the bytes of a chunk into points. One per task: not thread-safe.
class ChunkDecoder {
 public:
  virtual ~ChunkDecoder() = default;
  /// Throws CorruptData.
  virtual void decode(const Chunk& chunk, std::span<const std::byte> bytes, PointSink& sink) = 0;
};

/// Decoder of layered chunks (point formats 6 to 8) whose ends are known, where LayeredPoints supports the file.
std::unique_ptr<ChunkDecoder> make_layered_decoder(const DecodeJob& job, const LaszipRecord& record);

/// Decoder of compressed chunks, through LASzip.
std::unique_ptr<ChunkDecoder> make_laszip_decoder(const DecodeJob& job);

/// Decoder of plain records.
std::unique_ptr<ChunkDecoder> make_plain_decoder(const DecodeJob& job);

/// Where a chunk's bytes are.
using ChunkBytes = std::function<std::span<const std::byte>(const Chunk&)>;

/// Decodes `chunks` in parallel; the points come in the order of the chunks, whatever the threads.
/// Without a box the chunks must be the whole file.
DecodeResult decode_chunks(const DecodeJob& job, const std::vector<Chunk>& chunks, const ChunkBytes& bytes, Executor& executor);

}  // namespace tuile::las
