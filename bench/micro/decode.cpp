// Decoding LAZ chunks on one thread, per point format, with all records and with the fields of lod2.
#include "tuile/las/decode.hpp"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "las/record_codec.hpp"
#include "las/records.hpp"
#include "micro/register.hpp"
#include "tuile/source/byte_source.hpp"

namespace fs = std::filesystem;

namespace tuile::micro {

namespace {

constexpr std::size_t point_count = 200'000;

/// A LAZ file of a scan line that wanders over a rough surface, in memory.
Buffer<std::byte> file_of(int format) {
  las::FileInfo layout;
  layout.header.point_format = static_cast<std::uint8_t>(format);
  layout.header.record_length = las::standard_record_length(layout.header.point_format);
  layout.header.compressed = true;
  layout.header.scale.fill(0.01);
  const las::RecordFormat& fields = las::record_format(layout.header.point_format);
  std::vector<std::byte> records(point_count * layout.header.record_length);
  std::mt19937 random(1);
  std::uniform_int_distribution<int> step(20, 40), rough(-8, 8), shade(200, 60000);
  int x = 0, y = 0;
  for (std::size_t i = 0; i < point_count; ++i) {
    std::byte* const record = records.data() + i * layout.header.record_length;
    const auto put = [record](std::size_t at, const auto& value) { std::memcpy(record + at, &value, sizeof value); };
    x += step(random);
    if (x > 30'000) x = 0, y += 30;
    put(0, std::array<std::int32_t, 3>{x, y + rough(random), 10'000 + x / 50 + rough(random)});
    put(12, static_cast<std::uint16_t>(shade(random)));
    put(14, static_cast<std::uint8_t>(format >= 6 ? 0x11 : 0x09));
    put(fields.classification, static_cast<std::uint8_t>(2));
    if (fields.gps_time != 0) put(fields.gps_time, 3.0e8 + 2e-6 * static_cast<double>(i));
    if (fields.rgb != 0) put(fields.rgb, std::array<std::uint16_t, 3>{static_cast<std::uint16_t>(shade(random)), 400, 500});
  }
  const fs::path path = fs::temp_directory_path() / ("tuile-micro-" + std::to_string(::getpid()) + ".laz");
  Executor executor(1);
  las::RecordWriter writer(path.string(), layout, &executor);
  writer.write(records);
  writer.finish();
  Buffer<std::byte> bytes = source::read_all(*source::open_file(path.string()));
  fs::remove(path);
  return bytes;
}

void decode(benchmark::State& state, bool every_field) {
  const Buffer<std::byte> bytes = file_of(static_cast<int>(state.range(0)));
  const auto source = source::from_memory(bytes.span());
  const las::FileInfo info = las::read_info(*source);
  las::DecodeOptions options;
  if (every_field) options.fields = FieldSet{}.with(Field::intensity).with(Field::returns).with(Field::rgb).with(Field::nir);
  Executor executor(1);
  for (auto _ : state) benchmark::DoNotOptimize(las::decode(bytes.span(), info, options, executor).points.size());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(point_count));
}

}  // namespace

void register_decode() {
  for (const bool every_field : {false, true}) {
    auto* const bench = benchmark::RegisterBenchmark(every_field ? "decode/all_fields/format" : "decode/xyz_class/format",
                                                     [every_field](benchmark::State& state) { decode(state, every_field); });
    for (const int format : {0, 1, 2, 3, 6, 7, 8}) bench->Arg(format);
    bench->Unit(benchmark::kMillisecond);
  }
}

}  // namespace tuile::micro
