#include "micro/cloud.hpp"

#include <cmath>
#include <random>

namespace tuile::micro {

std::vector<compute::cpu::Record> town_records(std::size_t count) {
  std::mt19937 random(1);
  const double side = std::sqrt(static_cast<double>(count) / 20) * 100;  // units of 1 cm at 20 points per m²
  std::uniform_real_distribution<double> place(0, side), unit(0, 1);
  std::vector<compute::cpu::Record> records(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double x = place(random), y = place(random);
    double z = 0.05 * x + 2 * unit(random);
    const int block_x = static_cast<int>(x / 2000), block_y = static_cast<int>(y / 2000);
    if ((block_x + block_y) % 3 == 0) z += 600 + 0.4 * std::abs(std::fmod(x, 2000) - 1000);
    if ((block_x + block_y) % 3 == 1) z += 800 * unit(random);
    records[i] = {static_cast<std::int32_t>(x), static_cast<std::int32_t>(y), static_cast<std::int32_t>(z), static_cast<std::uint32_t>(i)};
  }
  return records;
}

std::vector<Version> versions() {
  std::vector<Version> list{{"portable", &compute::cpu::portable_kernels}};
#ifdef TUILE_X86_KERNELS
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    list.push_back({"avx2", &compute::cpu::avx2_kernels});
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
      list.push_back({"avx512", &compute::cpu::avx512_kernels});
  }
#endif
  return list;
}

}  // namespace tuile::micro
