// Eigenvalues, normals and what is made of them, for batches of neighbourhoods.
#include <benchmark/benchmark.h>

#include <random>

#include "micro/cloud.hpp"
#include "micro/register.hpp"

namespace tuile::micro {

namespace {

/// Moments of random neighbourhoods of 20 points within half a metre.
compute::cpu::Batch random_batch() {
  std::mt19937 random(1);
  std::normal_distribution<double> along(0, 30), across(0, 4);
  compute::cpu::Batch batch{};
  for (std::uint32_t i = 0; i < compute::group_size; ++i) {
    constexpr int n = 20;
    double sum[3] = {}, square[6] = {};
    for (int j = 0; j < n; ++j) {
      const double x = std::round(along(random)), y = std::round(along(random)), z = std::round(across(random));
      sum[0] += x, sum[1] += y, sum[2] += z;
      square[0] += x * x, square[1] += x * y, square[2] += x * z, square[3] += y * y, square[4] += y * z, square[5] += z * z;
    }
    batch.n[i] = n;
    batch.xx[i] = n * square[0] - sum[0] * sum[0];
    batch.xy[i] = n * square[1] - sum[0] * sum[1];
    batch.xz[i] = n * square[2] - sum[0] * sum[2];
    batch.yy[i] = n * square[3] - sum[1] * sum[1];
    batch.yz[i] = n * square[4] - sum[1] * sum[2];
    batch.zz[i] = n * square[5] - sum[2] * sum[2];
    batch.reach2[i] = 2500;
  }
  return batch;
}

void evaluate(benchmark::State& state, const compute::cpu::Kernels& kernels, const std::vector<features::Feature>& wanted) {
  const compute::cpu::Batch batch = random_batch();
  std::vector<float> values(wanted.size() * compute::group_size);
  auto* const out = reinterpret_cast<float(*)[compute::group_size]>(values.data());
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernels.evaluate(batch, 0.01, wanted.data(), static_cast<std::uint32_t>(wanted.size()), out));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(compute::group_size));
}

}  // namespace

void register_eigen() {
  using features::Feature;
  for (const Version& version : versions()) {
    benchmark::RegisterBenchmark((std::string("eigen/normal_z/") + version.name).c_str(),
                                 [version](benchmark::State& state) { evaluate(state, *version.kernels, {Feature::normal_z}); });
    benchmark::RegisterBenchmark((std::string("eigen/lod2/") + version.name).c_str(), [version](benchmark::State& state) {
      evaluate(state, *version.kernels, {Feature::normal_z, Feature::planarity, Feature::linearity, Feature::verticality});
    });
  }
}

}  // namespace tuile::micro
