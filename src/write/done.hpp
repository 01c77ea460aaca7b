#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "write/sidecar.hpp"

namespace tuile::write {

/// What a tile's outputs depend on.
struct DoneKey {
  FileIdentity input;
  std::vector<FileIdentity> halo;  ///< every neighbour, also those that may turn out unreadable; in any order
  std::string config_hash;         ///< see Sidecar
  std::string backend;             ///< resolved
  std::string version;
};

/// True where the sidecar was written for `key` and every output file that it names is there with its size. A sidecar that is missing or
/// damaged means not done, and so does a neighbour that was missing, a ground-truth layer that was truncated or failed, or an image that
/// failed, for a reason that can pass (any kind but corrupt and unsupported; of ground truth and images: any kind where a service was
/// asked, any but corrupt, unsupported and not_found of files). Input files are compared by file name, size and modification time, so that
/// the same folder given another way (relative, absolute, linked) is the same.
bool is_done(const std::filesystem::path& sidecar_path, const DoneKey& key);

}  // namespace tuile::write
