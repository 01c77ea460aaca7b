#pragma once

#include "write/formats.hpp"

/// The format laz as a row of the table of formats.
namespace tuile::write {

std::unique_ptr<Sink> make_laz(const SinkWish& wish);

/// Whether there are as many records as rows.
void check_laz(const std::filesystem::path& path, const Sidecar& sidecar, std::vector<std::string>& problems);

}  // namespace tuile::write
