#include "input_files.hpp"

#include <system_error>

#include "tuile/core/error.hpp"

namespace tuile::write {

namespace {

std::string name_of(const FileIdentity& file) { return std::filesystem::path(file.path).filename().string(); }

/// Empty where the path cannot be resolved.
std::filesystem::path place_of(const std::filesystem::path& path) {
  std::error_code error;
  // A path may be relative to the working folder; weakly_canonical leaves one relative whose first folder does not exist.
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return {};
  std::filesystem::path place = std::filesystem::weakly_canonical(absolute, error);
  return error ? std::filesystem::path() : place;
}

}  // namespace

void InputFiles::add(const Sidecar& sidecar) {
  add(sidecar.input);
  for (const FileIdentity& file : sidecar.halo_used) add(file);
  for (const MissingHaloTile& tile : sidecar.halo_missing) add(tile.file);
}

void InputFiles::add(const FileIdentity& file) {
  places_.insert(place_of(file.path));
  identities_.insert({name_of(file), file.size, file.mtime_ns});
}

bool InputFiles::contains(const std::filesystem::path& path) const {
  const std::filesystem::path place = place_of(path);
  if (!place.empty() && places_.contains(place)) return true;
  try {
    const FileIdentity file = identify(path.string());
    return identities_.contains({name_of(file), file.size, file.mtime_ns});
  } catch (const Error&) {
    return false;
  }
}

}  // namespace tuile::write
