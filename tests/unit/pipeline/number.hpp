#pragma once

#include <memory>

#include "tuile/pipeline/async_pipeline.hpp"

namespace tuile::pipeline {

/// The product of tests that want to tell tiles apart.
struct Number final : Product {
  explicit Number(int given) : value(given) {}
  int value;
};

inline int number_in(const ProductHandle& product) { return static_cast<const Number&>(*product).value; }

}  // namespace tuile::pipeline
