#pragma once

#include <vector>

#include "truth/vector_files.hpp"
#include "tuile/synth/town.hpp"

namespace tuile::synth {

/// The town's objects as the BD TOPO has them: its layers, their attributes and values, in EPSG:2154, features by increasing cleabs.
/// Source: the schemas of the BDTOPO_V3 layers.
std::vector<truth::VectorLayer> map_layers(const Town& town);

}  // namespace tuile::synth
