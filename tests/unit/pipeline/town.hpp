#pragma once

#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/synth/town.hpp"

namespace tuile::pipeline {

/// Adjoining tiles, with their ground truth and orthophotos, in a folder of their own.
class Town {
 public:
  explicit Town(const synth::TownOptions& options) {
    Executor executor(2);
    paths = synth::write_town(options, folder.path().string(), executor);
  }
  test::TemporaryFolder folder;
  std::vector<std::string> paths;
};

}  // namespace tuile::pipeline
