#include "tuile/write/done.hpp"

#include <algorithm>
#include <system_error>
#include <tuple>

#include "tuile/core/error.hpp"

namespace tuile::write {

namespace {

using Identity = std::tuple<std::string, std::uint64_t, std::int64_t>;

Identity identity(const FileIdentity& file) { return {std::filesystem::path(file.path).filename().string(), file.size, file.mtime_ns}; }

std::vector<Identity> sorted(const std::vector<FileIdentity>& files) {
  std::vector<Identity> identities;
  for (const FileIdentity& file : files) identities.push_back(identity(file));
  std::sort(identities.begin(), identities.end());
  return identities;
}

/// Whether the neighbour can never be used while its file is the same: what failed otherwise is tried again.
bool stays_missing(const MissingHaloTile& tile) {
  return tile.kind == to_string(ErrorKind::corrupt) || tile.kind == to_string(ErrorKind::unsupported);
}

bool matches(const Sidecar& sidecar, const DoneKey& key) {
  if (sidecar.version != key.version || sidecar.config_hash != key.config_hash || sidecar.backend != key.backend) return false;
  if (identity(sidecar.input) != identity(key.input)) return false;
  if (!std::all_of(sidecar.halo_missing.begin(), sidecar.halo_missing.end(), stays_missing)) return false;
  std::vector<FileIdentity> halo = sidecar.halo_used;
  for (const MissingHaloTile& tile : sidecar.halo_missing) halo.push_back(tile.file);
  return sorted(halo) == sorted(key.halo);
}

}  // namespace

bool is_done(const std::filesystem::path& sidecar_path, const DoneKey& key) {
  Sidecar sidecar;
  try {
    sidecar = read_sidecar(sidecar_path);
  } catch (const Error&) {
    return false;
  }
  if (!matches(sidecar, key)) return false;
  return std::all_of(sidecar.outputs.begin(), sidecar.outputs.end(), [&](const WrittenFile& output) {
    std::error_code error;
    const std::filesystem::path path = sidecar_path.parent_path() / output.name;
    return std::filesystem::is_regular_file(path, error) && std::filesystem::file_size(path, error) == output.size && !error;
  });
}

}  // namespace tuile::write
