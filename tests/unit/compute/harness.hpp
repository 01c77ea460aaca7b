#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "compute/cpu/kernels.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/error.hpp"

namespace tuile::test {

/// Sets TUILE_SIMD for its lifetime.
class SimdOverride {
 public:
  explicit SimdOverride(const std::string& name) { setenv("TUILE_SIMD", name.c_str(), 1); }
  ~SimdOverride() { unsetenv("TUILE_SIMD"); }
  SimdOverride(const SimdOverride&) = delete;
  SimdOverride& operator=(const SimdOverride&) = delete;
};

/// The instruction sets that this processor has kernels for.
inline std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const char* name : {"portable", "avx2", "avx512"}) {
    const SimdOverride set(name);
    try {
      compute::cpu::select_kernels();
      names.emplace_back(name);
    } catch (const InvalidArgument&) {
    }
  }
  return names;
}

inline std::unique_ptr<compute::Backend> backend(Executor& executor, const std::string& simd = "") {
  const SimdOverride set(simd);
  return compute::make_backend("cpu", executor);
}

inline compute::TileOutput compute_one(compute::Backend& cpu, const compute::TileInput& tile, const features::FeaturePlan& plan,
                                       const compute::Preprocess& preprocess = {}) {
  auto outputs = cpu.compute({&tile, 1}, plan, preprocess, {});
  return std::move(outputs.at(0));
}

}  // namespace tuile::test
