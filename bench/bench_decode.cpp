#include <laszip/laszip_api.h>

#include <algorithm>
#include <cstdint>
#include <istream>
#include <memory>
#include <streambuf>

#include "alternate.hpp"
#include "bench.hpp"
#include "tuile/core/error.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/source/byte_source.hpp"

namespace tuile::bench {

namespace {

/// Bytes in memory as LASzip wants them: a seekable stream.
class MemoryBuffer final : public std::streambuf {
 public:
  explicit MemoryBuffer(std::span<const std::byte> bytes) {
    auto* begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));  // only read
    setg(begin, begin, begin + bytes.size());
  }

 private:
  pos_type seekoff(off_type offset, std::ios_base::seekdir from, std::ios_base::openmode) override {
    char* base = from == std::ios_base::beg ? eback() : from == std::ios_base::cur ? gptr() : egptr();
    setg(eback(), base + offset, egptr());
    return gptr() - eback();
  }
  pos_type seekpos(pos_type position, std::ios_base::openmode mode) override { return seekoff(position, std::ios_base::beg, mode); }
};

/// The baseline: one LASzip reader, every field of every point, nothing kept but a sum.
std::uint64_t read_with_laszip(std::span<const std::byte> bytes, std::uint64_t points) {
  MemoryBuffer buffer(bytes);
  std::istream stream(&buffer);
  laszip_POINTER reader = nullptr;
  laszip_BOOL compressed = 0;
  laszip_point* point = nullptr;
  if (laszip_create(&reader) != 0 || laszip_open_reader_stream(reader, stream, &compressed) != 0 ||
      laszip_get_point_pointer(reader, &point) != 0) {
    throw CorruptData("LASzip cannot open the tile");
  }
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < points; ++i) {
    if (laszip_read_point(reader) != 0) throw CorruptData("LASzip cannot read point " + std::to_string(i));
    sum += static_cast<std::uint64_t>(point->X) + point->extended_classification;
  }
  laszip_close_reader(reader);
  laszip_destroy(reader);
  return sum;
}

}  // namespace

Row bench_decode(const std::vector<std::string>& paths, Executor& executor, int runs) {
  double points = 0, per_thread = 2;
  Times theirs, ours;  // of all files together, run by run
  theirs.all.resize(static_cast<std::size_t>(runs));
  ours.all.resize(static_cast<std::size_t>(runs));
  for (const std::string& path : paths) {
    const auto source = source::open_file(path);
    const las::FileInfo info = las::read_info(*source);
    if (!info.header.compressed || info.header.point_count == 0) continue;
    const Buffer<std::byte> bytes = source::read_all(*source);
    volatile std::uint64_t sink = 0;
    const auto [their_times, our_times] = alternate(
        runs, [&] { sink = read_with_laszip(bytes.span(), info.header.point_count); },
        [&] {
          sink = las::decode(bytes.span(), info, {.fields = FieldSet{}.with(Field::rgb), .bbox = std::nullopt, .stop = {}}, executor)
                     .points.size();
        });
    points += static_cast<double>(info.header.point_count);
    for (std::size_t run = 0; run < ours.all.size(); ++run) {
      theirs.all[run] += their_times.all[run];
      ours.all[run] += our_times.all[run];
    }
    per_thread = std::min(per_thread, info.header.point_format >= 6 ? 1.4 : 0.9);  // older formats cannot be decoded selectively
  }
  if (points == 0) throw InvalidArgument("bench decode: none of the tiles is a LAZ file with points");
  return speed_row("decode.lod2", 1e-6 * points, "M points/s", ours, "LASzip, one thread, full records", theirs,
                   per_thread * executor.threads());
}

}  // namespace tuile::bench
