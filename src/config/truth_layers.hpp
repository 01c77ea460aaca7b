#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/read.hpp"
#include "tuile/config/config.hpp"

namespace tuile::config {

/// Reads `ground_truth.layers`. Throws ConfigError naming the entry and what is allowed there.
std::vector<TruthLayer> read_layers(const Cell& cell);

/// The default layers as YAML, for people.
std::string_view default_layers_yaml();

/// The list as one line of YAML that is read back as the same list; `default` for the default one.
std::string show_layers(const std::vector<TruthLayer>& layers);

}  // namespace tuile::config
