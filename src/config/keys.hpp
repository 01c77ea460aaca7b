#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/read.hpp"
#include "tuile/config/config.hpp"

namespace tuile::config {

/// One key of the configuration. The table of these drives parsing, checks, suggestions, `config show`, the hash and the documentation.
struct Key {
  std::string path;                     ///< "features.k"
  std::string unit;                     ///< "m", "s"; empty where there is none
  bool changes_bytes;                   ///< its value can change the bytes of an output file
  std::string meaning;                  ///< one sentence or two, for the documentation
  std::string cost;                     ///< what a higher or other value costs; may be empty
  std::string expected;                 ///< type and range, as in "an integer from 3 to 4096"
  std::string example;                  ///< a value for messages
  std::vector<std::string> words = {};  ///< the words that it takes, where there are such
  std::function<void(Config&, const Cell&)> read;
  std::function<std::string(const Config&)> show;  ///< the value as one line of YAML
};

/// Every key, in the order of the documentation; the keys of one section stand together.
const std::vector<Key>& keys();

// Parts of it that stand in files of their own.
std::vector<Key> ground_truth_keys();
std::vector<Key> imagery_keys();

}  // namespace tuile::config
