// What publishing a file costs per byte: the archive's CRC-32 and the sidecar's XXH3, beside a copy in memory.
#include <benchmark/benchmark.h>
#include <xxhash.h>
#include <zlib.h>

#include <cstring>
#include <vector>

#include "micro/register.hpp"

namespace tuile::micro {

namespace {

template <class Work>
void over_bytes(const char* name, Work work) {
  benchmark::RegisterBenchmark(name, [work](benchmark::State& state) mutable {
    std::vector<unsigned char> bytes(std::size_t{16} << 20);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * 2654435761U >> 24U);
    for (auto _ : state) work(bytes);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
  })->Unit(benchmark::kMillisecond);
}

}  // namespace

void register_checksum() {
  using Bytes = std::vector<unsigned char>;
  over_bytes("bytes/crc32",
             [](const Bytes& bytes) { benchmark::DoNotOptimize(::crc32(0, bytes.data(), static_cast<unsigned>(bytes.size()))); });
  over_bytes("bytes/xxh3", [](const Bytes& bytes) { benchmark::DoNotOptimize(XXH3_64bits(bytes.data(), bytes.size())); });
  over_bytes("bytes/copy", [to = Bytes(std::size_t{16} << 20)](const Bytes& bytes) mutable {
    std::memcpy(to.data(), bytes.data(), bytes.size());
    benchmark::ClobberMemory();
  });
}

}  // namespace tuile::micro
