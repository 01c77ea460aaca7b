#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tuile/core/ground_truth.hpp"
#include "write/npz/npy.hpp"

namespace tuile::write {

/// An array that is there as a whole before the first row.
struct WholeArray {
  std::string name;
  NpyHeader header;
  std::vector<std::byte> data;
};

/// object_ids, object_layer and one object_<attribute> per attribute, as npz_sink.hpp says.
std::vector<WholeArray> object_arrays(const ObjectTable& objects);

}  // namespace tuile::write
