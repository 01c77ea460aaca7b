#pragma once

namespace tuile::micro {

// Each file's benchmarks.
void register_search();
void register_eigen();
void register_decode();
void register_areas();
void register_checksum();

}  // namespace tuile::micro
