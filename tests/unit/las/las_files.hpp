#pragma once

#include <laszip/laszip_api.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "las/records.hpp"
#include "support/test_data.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/byte_source.hpp"

namespace tuile::las::test {

using tuile::test::test_data;
using Bytes = std::vector<std::byte>;

inline Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  Bytes bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

inline FileInfo info_of(const Bytes& bytes) { return read_info(*source::from_memory(bytes)); }

inline DecodeResult decode_all(const Bytes& bytes, const FileInfo& info, int threads) {
  Executor executor(threads);
  DecodeOptions options;
  options.fields = info.fields();
  return decode(bytes, info, options, executor);
}

inline Bytes read_records(const Bytes& bytes, const FileInfo& info) {
  RecordReader reader(bytes, info);
  Bytes records(info.header.point_count * info.header.record_length);
  reader.read(records);
  return records;
}

/// All .las and .laz files of a folder of the test data that read_info accepts and that are not larger than `largest` bytes.
inline std::vector<std::filesystem::path> readable_files(const std::string& folder, std::uintmax_t largest = 3'000'000) {
  std::vector<std::filesystem::path> files;
  const auto root = test_data(folder);
  if (!root) return files;
  for (const auto& entry : std::filesystem::directory_iterator(*root)) {
    const std::string extension = entry.path().extension().string();
    if ((extension != ".las" && extension != ".laz") || entry.file_size() > largest) continue;
    try {
      read_info(*source::open_file(entry.path().string()));
      files.push_back(entry.path());
    } catch (const Error&) {
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The little-endian value at an offset: the tests' own way to look into records.
template <class T>
T at(const Bytes& bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <class T>
void set(Bytes& bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

/// A LAS 1.2 file of format 0 without records between header and points: point i at (i, 2i, 3i) file units, scale 0.01.
inline Bytes small_las(std::uint32_t points) {
  constexpr std::size_t header = 227, record = 20;
  Bytes bytes(header + points * record);
  std::memcpy(bytes.data(), "LASF", 4);
  set<std::uint8_t>(bytes, 24, 1);
  set<std::uint8_t>(bytes, 25, 2);
  set<std::uint16_t>(bytes, 94, header);
  set<std::uint32_t>(bytes, 96, header);
  set<std::uint16_t>(bytes, 105, record);
  set<std::uint32_t>(bytes, 107, points);
  set<std::uint32_t>(bytes, 111, points);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    set<double>(bytes, 131 + 8 * axis, 0.01);
    set<double>(bytes, 179 + 16 * axis, points == 0 ? 0 : 0.01 * static_cast<double>((points - 1) * (axis + 1)));
  }
  for (std::uint32_t i = 0; i < points; ++i) {
    const std::size_t from = header + i * record;
    for (std::uint32_t axis = 0; axis < 3; ++axis) set<std::int32_t>(bytes, from + 4 * axis, static_cast<std::int32_t>(i * (axis + 1)));
    set<std::uint8_t>(bytes, from + 14, 1 | 1 << 3);
    set<std::uint8_t>(bytes, from + 15, 2);
  }
  return bytes;
}

/// A folder of its own that goes with the test.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tuile-las-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// The records of a file as LASzip itself reads them from its path: independent of our streams, chunk tables and headers.
inline Bytes laszip_records(const std::filesystem::path& path, const FileInfo& info) {
  laszip_POINTER laszip = nullptr;
  laszip_BOOL compressed = 0;
  laszip_point* p = nullptr;
  laszip_create(&laszip);
  Bytes out(info.header.point_count * info.header.record_length);
  if (laszip_open_reader(laszip, path.c_str(), &compressed) == 0 && laszip_get_point_pointer(laszip, &p) == 0) {
    const unsigned format = info.header.point_format;
    for (std::uint64_t i = 0; i < info.header.point_count; ++i) {
      if (laszip_read_point(laszip) != 0) {
        out.clear();
        break;
      }
      std::size_t to = i * info.header.record_length;
      const auto put = [&](const void* from, std::size_t size) {
        std::memcpy(out.data() + to, from, size);
        to += size;
      };
      put(&p->X, 14);
      const auto line = static_cast<std::uint8_t>(p->scan_direction_flag << 6 | p->edge_of_flight_line << 7);
      if (format >= 6) {
        const std::uint8_t flags[3] = {
            static_cast<std::uint8_t>(p->extended_return_number | p->extended_number_of_returns << 4),
            static_cast<std::uint8_t>(p->extended_classification_flags | p->extended_scanner_channel << 4 | line),
            p->extended_classification};
        put(flags, 3);
        put(&p->user_data, 1);
        put(&p->extended_scan_angle, 2);
        put(&p->point_source_ID, 2);
      } else {
        const std::uint8_t flags[2] = {
            static_cast<std::uint8_t>(p->return_number | p->number_of_returns << 3 | line),
            static_cast<std::uint8_t>(p->classification | p->synthetic_flag << 5 | p->keypoint_flag << 6 | p->withheld_flag << 7)};
        put(flags, 2);
        put(&p->scan_angle_rank, 1);
        put(&p->user_data, 1);
        put(&p->point_source_ID, 2);
      }
      if (format != 0 && format != 2) put(&p->gps_time, 8);
      if (format == 2 || format == 3 || format == 5 || format == 7 || format == 8 || format == 10) put(p->rgb, 6);
      if (format == 8 || format == 10) put(&p->rgb[3], 2);
      if (format == 4 || format == 5 || format >= 9) put(p->wave_packet, 29);
      if (p->num_extra_bytes > 0) put(p->extra_bytes, static_cast<std::size_t>(p->num_extra_bytes));
    }
  } else {
    out.clear();
  }
  laszip_close_reader(laszip);
  laszip_destroy(laszip);
  return out;
}

}  // namespace tuile::las::test
