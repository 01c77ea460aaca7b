#pragma once

#include "write/formats.hpp"

/// The format npz as a row of the table of formats.
namespace tuile::write {

std::unique_ptr<Sink> make_npz(const SinkWish& wish);

/// Whether the arrays that every NPZ file has are there and fit the sidecar.
void check_npz(const std::filesystem::path& path, const Sidecar& sidecar, std::vector<std::string>& problems);

}  // namespace tuile::write
