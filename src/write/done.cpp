#include "write/done.hpp"

#include <algorithm>
#include <optional>
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

/// Whether an error of this kind comes again while the files are the same: what failed otherwise is tried again.
bool stays(const std::string& name) {
  const std::optional<ErrorKind> kind = error_kind_named(name);
  return kind && traits(*kind).remedy == Remedy::input;
}

bool stays_missing(const MissingHaloTile& tile) { return stays(tile.kind); }

bool went_wrong(Outcome outcome) { return outcome == Outcome::truncated || outcome == Outcome::failed; }

/// What a service did not give today it may give tomorrow, or for another setting; files are as they are (their identity is in the hash).
bool stays_as_it_is(bool remote, const std::string& kind) { return !remote && (stays(kind) || kind == to_string(ErrorKind::not_found)); }

bool stays_as_it_is(const GroundTruthReport& truth) {
  return std::all_of(truth.layers.begin(), truth.layers.end(),
                     [&](const LayerReport& layer) { return !went_wrong(layer.outcome) || stays_as_it_is(truth.remote, layer.kind); });
}

bool stays_as_it_is(const ImageryReport& imagery) {
  return !(went_wrong(imagery.rgb) || went_wrong(imagery.nir)) || stays_as_it_is(imagery.remote, imagery.kind);
}

bool matches(const Sidecar& sidecar, const DoneKey& key) {
  if (sidecar.version != key.version || sidecar.config_hash != key.config_hash || sidecar.backend != key.backend) return false;
  if (identity(sidecar.input) != identity(key.input)) return false;
  if (!std::all_of(sidecar.halo_missing.begin(), sidecar.halo_missing.end(), stays_missing)) return false;
  if (!stays_as_it_is(sidecar.ground_truth)) return false;
  if (!stays_as_it_is(sidecar.imagery)) return false;
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
