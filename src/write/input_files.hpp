#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <tuple>

#include "write/sidecar.hpp"

namespace tuile::write {

/// The files that sidecars name as what they were computed from: the tile itself and its neighbours.
class InputFiles {
 public:
  void add(const Sidecar& sidecar);
  /// Whether `path` is one of them: by its place, links resolved, or by name, size and modification time, because a sidecar's relative
  /// path holds from the folder only that the run was started in.
  bool contains(const std::filesystem::path& path) const;

 private:
  void add(const FileIdentity& file);

  std::set<std::filesystem::path> places_;
  std::set<std::tuple<std::string, std::uint64_t, std::int64_t>> identities_;
};

}  // namespace tuile::write
