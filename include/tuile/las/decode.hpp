#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>

#include "tuile/core/bounds.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/host_memory.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/las/file_info.hpp"

namespace tuile::las {

struct DecodeOptions {
  FieldSet fields;             ///< attributes wanted besides coordinates and classification; those the format lacks are left out
  std::optional<Bounds> bbox;  ///< metres; only points inside (closed) are kept, and `rows` is set
  std::stop_token stop;        ///< throws Cancelled soon after a request
  std::shared_ptr<HostMemory> memory = nullptr;  ///< where a whole file's points are to lie; null: on the heap
};

struct DecodeResult {
  PointBlock points;                 ///< on info.grid(), in file order
  std::uint64_t points_decoded = 0;  ///< points whose record was decompressed (more than kept where bbox cuts)
  std::vector<std::string> warnings;
};

/// Decodes the points of a file whose bytes are in memory: chunk-parallel on `executor`, only the fields asked for
/// (formats 6 and up; older ones cannot be decoded selectively). Result and order do not depend on the number of threads.
/// bytes    the whole file; `info` must come from the same bytes
/// Throws CorruptData: fewer points than the header says, a damaged chunk, a chunk table that lies, points outside the header's bounds.
DecodeResult decode(std::span<const std::byte> bytes, const FileInfo& info, const DecodeOptions& options, Executor& executor);

/// Reads only the octree nodes of a COPC file that touch options.bbox (required), and decodes them node-parallel.
/// Throws InvalidArgument where the file is not COPC or bbox is missing, else as decode().
DecodeResult decode_copc_nodes(const source::ByteSource& source, const FileInfo& info, const DecodeOptions& options, Executor& executor);

}  // namespace tuile::las
