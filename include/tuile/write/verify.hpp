#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tuile::write {

/// What verification found of one tile.
struct TileVerification {
  std::filesystem::path sidecar;
  std::vector<std::string> problems;  ///< each names the file, what was expected and what is there; empty: sound
};

struct VerifyReport {
  std::vector<TileVerification> tiles;                 ///< one per sidecar, damaged ones too; sorted by path
  std::vector<std::filesystem::path> leftovers;        ///< temporaries of runs that were killed (or still go on)
  std::vector<std::filesystem::path> without_sidecar;  ///< files of an output format that no sidecar names, neither as output nor as input
  std::uint64_t files_checked = 0, bytes_checked = 0;

  /// True where every tile is sound and every output file has its sidecar. Leftovers do no harm.
  bool ok() const noexcept;
};

/// Checks every tile below `directory` against its sidecar: files present, sizes, checksums, and the rows inside (NPZ arrays, LAZ header).
/// JSON files that are no sidecars at all (run reports) are passed over. Reads every output once.
/// Throws NotFound, PermissionDenied, IoError where the folder itself cannot be read. Never throws for what it finds in files.
VerifyReport verify_directory(const std::filesystem::path& directory);

}  // namespace tuile::write
