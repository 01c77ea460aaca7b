#include <benchmark/benchmark.h>

#include "micro/register.hpp"

int main(int argc, char** argv) {
  tuile::micro::register_search();
  tuile::micro::register_eigen();
  tuile::micro::register_decode();
  tuile::micro::register_areas();
  tuile::micro::register_checksum();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
