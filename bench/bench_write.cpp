#include <fcntl.h>
#include <laszip/laszip_api.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "alternate.hpp"
#include "bench.hpp"
#include "las/record_codec.hpp"
#include "las/records.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/error.hpp"
#include "tuile/features/plan.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/byte_source.hpp"
#include "tuile/write/laz_sink.hpp"
#include "write/npz_sink.hpp"

namespace tuile::bench {

namespace {

namespace fs = std::filesystem;

/// A folder that goes with this object.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("tuile-bench-write-" + std::to_string(::getpid()))) { fs::create_directories(path_); }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

void flush(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int failed = descriptor < 0 || ::fsync(descriptor) != 0 ? errno : 0;
  if (descriptor >= 0) ::close(descriptor);
  if (failed != 0) throw_errno(failed, "flush", path.string());
}

/// The baseline of NPZ: bytes that are there, as fast as the system takes them.
void write_plainly(const fs::path& path, std::span<const std::byte> bytes) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) throw_errno(errno, "create", path.string());
  int failed = 0;
  while (!bytes.empty() && failed == 0) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) failed = errno;
  }
  if (failed == 0 && ::fsync(descriptor) != 0) failed = errno;
  ::close(descriptor);
  if (failed != 0) throw_errno(failed, "write", path.string());
}

/// The baseline of LAZ: one LASzip writer that is given records.
void write_with_laszip(const fs::path& path, std::span<const std::byte> records, const las::Header& header) {
  {
    std::ofstream stream(path, std::ios::binary);
    laszip_POINTER writer = nullptr;
    laszip_header* plain = nullptr;
    laszip_point* point = nullptr;
    const auto check = [](laszip_I32 result) {
      if (result != 0) throw IoError("LASzip cannot write the records of the benchmark");
    };
    check(laszip_create(&writer));
    const std::unique_ptr<void, decltype(&laszip_destroy)> guard(writer, &laszip_destroy);
    check(laszip_get_header_pointer(writer, &plain));
    plain->version_major = 1;
    plain->version_minor = 4;
    plain->header_size = 375;
    plain->offset_to_point_data = 375;
    plain->point_data_format = header.point_format;
    plain->point_data_record_length = header.record_length;
    plain->extended_number_of_point_records = records.size() / header.record_length;
    plain->x_scale_factor = plain->y_scale_factor = plain->z_scale_factor = header.scale[0];
    check(laszip_set_point_type_and_size(writer, header.point_format, header.record_length));
    check(laszip_request_native_extension(writer, 1));
    check(laszip_open_writer_stream(writer, stream, 1, 0));
    check(laszip_get_point_pointer(writer, &point));
    const las::RecordCodec codec(header.point_format, header.record_length);
    for (std::size_t at = 0; at < records.size(); at += header.record_length) {
      codec.to_point(records.data() + at, *point);
      check(laszip_write_point(writer));
    }
    check(laszip_close_writer(writer));
  }
  flush(path);
}

/// The block as a LAZ file of format 6, 7 or 8, as an input tile would be: what the block lacks is made up.
void write_input(const fs::path& path, const PointBlock& points, Executor& executor) {
  las::FileInfo layout;
  las::Header& header = layout.header;
  header.point_format = points.has_nir() ? 8 : points.has_rgb() ? 7 : 6;
  header.record_length = las::standard_record_length(header.point_format);
  header.compressed = true;
  header.scale.fill(points.grid.scale);
  const las::RecordFormat& format = las::record_format(header.point_format);
  std::vector<std::byte> records(points.size() * header.record_length);
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::byte* const record = records.data() + i * header.record_length;
    const auto put = [record](std::size_t at, const auto& value) { std::memcpy(record + at, &value, sizeof value); };
    put(0, points.units[i]);
    if (!points.intensity.empty()) put(12, points.intensity[i]);
    const unsigned number = points.return_number.empty() ? 1 : points.return_number[i];
    const unsigned count = points.number_of_returns.empty() ? 1 : points.number_of_returns[i];
    put(14, static_cast<std::uint8_t>(number | count << 4U));
    put(format.classification, points.classification[i]);
    put(format.gps_time, 3.0e8 + 2e-6 * static_cast<double>(i));
    if (format.rgb != 0) put(format.rgb, std::array{points.red[i], points.green[i], points.blue[i]});
    if (format.nir != 0) put(format.nir, points.nir[i]);
  }
  las::RecordWriter writer(path.string(), layout, &executor);
  writer.write(records);
  writer.finish();
}

Buffer<std::byte> read_file(const fs::path& path) { return source::read_all(*source::open_file(path.string())); }

}  // namespace

std::vector<Row> bench_write(const PointBlock& points, Executor& executor, int runs) {
  const features::FeaturePlan plan = features::make_plan(features::set_columns("lod2"), {features::Neighbourhood{}});
  compute::TileInput tile;
  tile.core = &points;
  const compute::TileOutput output = std::move(compute::make_backend("cpu", executor)->compute({&tile, 1}, plan, {}, {}).front());

  write::TileLayout layout;
  layout.points = points.size();
  layout.grid = points.grid;
  layout.feature_names = output.features.names;
  write::RowBlock block;
  block.units = points.units.span();
  block.classification = points.classification.span();
  block.features = output.features.values.span();

  const Folder folder;
  const fs::path npz = folder / "tile.npz", plain = folder / "plain", input = folder / "input.laz", laz = folder / "tile.laz";
  const auto write_npz = [&] {
    const auto sink = write::make_npz_sink(npz, layout, write::Compression::none, executor);
    sink->write(block);
    sink->finish();
  };
  write_npz();
  const Buffer<std::byte> archive = read_file(npz);
  const auto remove = [](const fs::path& path) { fs::remove(path); };
  const auto [plain_seconds, npz_seconds] = alternate(
      runs, [&] { remove(plain), write_plainly(plain, archive.span()); }, [&] { remove(npz), write_npz(); });
  remove(plain);

  write_input(input, points, executor);
  write::LazSinkOptions options;
  options.original = las::read_info(*source::open_file(input.string()));
  options.read_original = [&] { return read_file(input); };
  for (std::size_t c = 0; c < plan.columns.size(); ++c) {
    const features::FeatureInfo& info = features::info(plan.columns[c].feature);
    if (!info.las_dimension) options.columns.push_back({c, plan.columns[c].name, std::string(info.description)});
  }
  const auto write_laz = [&] {
    const auto sink = write::make_laz_sink(laz, layout, options, &executor);
    sink->write(block);
    sink->finish();
  };
  write_laz();
  const las::FileInfo written = las::read_info(*source::open_file(laz.string()));
  const Buffer<std::byte> compressed = read_file(laz);
  Buffer<std::byte> records(points.size() * written.header.record_length);
  las::RecordReader(compressed.span(), written).read(records.span());
  const auto [laszip_seconds, laz_seconds] = alternate(
      runs, [&] { remove(plain), write_with_laszip(plain, records.span(), written.header); }, [&] { remove(laz), write_laz(); });

  const auto megabytes = [](const Buffer<std::byte>& file) { return 1e-6 * static_cast<double>(file.size()); };
  constexpr const char* unit = "MB/s of the file, published";
  return {speed_row("write.npz", megabytes(archive), unit, npz_seconds, "write(2) + fsync of the same bytes", plain_seconds, 0.7),
          speed_row("write.laz", megabytes(compressed), unit, laz_seconds, "LASzip, one thread, given the records; fsync", laszip_seconds,
                    0.9 * executor.threads())};
}

}  // namespace tuile::bench
