#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// A node of the octree that holds points.
struct CopcNode {
  std::int32_t depth = 0, x = 0, y = 0, z = 0;
  std::uint64_t offset = 0;  ///< of its chunk in the file
  std::uint32_t size = 0;    ///< bytes of its chunk
  std::uint32_t points = 0;
  std::uint64_t first_point = 0;  ///< index of its first point in the file

  /// The node's square, in file units.
  Bounds bounds(const CopcInfo& info) const noexcept;
};

/// The COPC info of a file whose first VLR says that it is one; nothing otherwise. A record that contradicts the file is a warning.
std::optional<CopcInfo> parse_copc_info(const Header& header, const std::vector<Vlr>& vlrs, std::uint64_t file_size,
                                        std::vector<std::string>& warnings);

/// Every node with points, in the order of the file. `info` must come from the same source: the hierarchy pages are taken from its EVLRs,
/// and read where they lie elsewhere. Throws CorruptData: pages outside the file or visited twice, chunks that overlap or lie outside the
/// points, counts that do not add up. Source: COPC 1.0, "copc hierarchy VLR".
std::vector<CopcNode> read_copc_nodes(const source::ByteSource& source, const FileInfo& info);

}  // namespace tuile::las
