#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <utility>

#include "gdal_raster.hpp"
#include "tuile/imagery/imagery.hpp"

namespace tuile::imagery {

namespace {

/// A file beside its place until publish(); removed when that never comes.
class FileBeside {
 public:
  explicit FileBeside(std::filesystem::path place) : place_(std::move(place)) {
    static std::atomic<unsigned> counter{0};
    do {
      path_ = place_.string() + fmt::format(".part-{}-{}", ::getpid(), counter.fetch_add(1));
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ < 0) throw_errno(errno, "create", place_.string());
  }
  ~FileBeside() {
    if (descriptor_ < 0) return;
    ::unlink(path_.c_str());
    ::close(descriptor_);
  }
  FileBeside(const FileBeside&) = delete;
  FileBeside& operator=(const FileBeside&) = delete;

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw_errno(errno, "write", place_.string());
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  void publish() {
    if (::fsync(descriptor_) != 0) throw_errno(errno, "flush", place_.string());
    if (::rename(path_.c_str(), place_.c_str()) != 0) throw_errno(errno, "publish", place_.string());
    ::close(std::exchange(descriptor_, -1));
  }

 private:
  std::filesystem::path place_;
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace

void write_geotiff(const std::string& path, std::span<const std::uint8_t> values, std::uint32_t columns, std::uint32_t rows,
                   std::uint32_t bands, double west, double north, double pixel, int epsg) {
  constexpr auto limit = static_cast<std::uint32_t>(std::numeric_limits<int>::max());
  if (columns == 0 || rows == 0 || bands == 0 || columns > limit || rows > limit || bands > 65535 ||
      values.size() != std::size_t{columns} * rows * bands || !(pixel > 0)) {
    throw InvalidArgument(
        fmt::format("write_geotiff: {} values for {} × {} pixels of {} bands and {} m; columns × rows × bands are expected", values.size(),
                    columns, rows, bands, pixel));
  }
  const std::vector<std::byte> bytes = encode_geotiff(values, columns, rows, bands, west, north, pixel, epsg);
  FileBeside file(path);
  file.write(bytes);
  file.publish();
}

}  // namespace tuile::imagery
