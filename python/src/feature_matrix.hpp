#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tuile/core/buffer.hpp"
#include "tuile/core/feature_block.hpp"

namespace tuile::python {

/// Features of a tile, as Python's FeatureMatrix: one row-major block, of which every array that is handed out is a view.
struct FeatureMatrix {
  std::shared_ptr<FeatureBlock> block;
  std::shared_ptr<Buffer<std::uint8_t>> valid;  ///< null where preprocessing is off
  std::vector<std::string> missing_columns;
  std::uint64_t degenerate_neighbourhoods = 0, truncated_neighbourhoods = 0;
};

/// A capsule "dltensor" over the block, for torch.from_dlpack and its like: whoever takes it keeps the memory.
pybind11::capsule to_dlpack(const FeatureMatrix& matrix);

/// Device type and id of every matrix, as DLPack counts them.
std::pair<int, int> dlpack_device();

/// The class FeatureMatrix.
void bind_feature_matrix(pybind11::module_& core);

}  // namespace tuile::python
