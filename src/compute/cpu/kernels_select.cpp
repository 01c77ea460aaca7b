#include <array>
#include <cstdlib>
#include <string>

#include "compute/cpu/kernels.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute::cpu {

namespace {

struct Version {
  const char* name;
  const Kernels* kernels;
  bool runs_here;
};

#ifdef TUILE_X86_KERNELS
std::array<Version, 3> versions() {
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return {{{"avx512", &avx512_kernels, avx512}, {"avx2", &avx2_kernels, avx2}, {"portable", &portable_kernels, true}}};
}
#else
std::array<Version, 1> versions() { return {{{"portable", &portable_kernels, true}}}; }
#endif

}  // namespace

const Kernels& select_kernels() {
  const char* const wanted = std::getenv("TUILE_SIMD");
  std::string known;
  for (const Version& version : versions()) {
    if (wanted == nullptr || *wanted == '\0') {
      if (version.runs_here) return *version.kernels;
      continue;
    }
    if (std::string(wanted) == version.name) {
      if (version.runs_here) return *version.kernels;
      throw InvalidArgument("TUILE_SIMD is '" + std::string(wanted) + "', which this processor cannot run; unset it");
    }
    known += (known.empty() ? "" : ", ") + std::string(version.name);
  }
  throw InvalidArgument("TUILE_SIMD is '" + std::string(wanted == nullptr ? "" : wanted) + "'; expected one of " + known + ", or nothing");
}

}  // namespace tuile::compute::cpu
