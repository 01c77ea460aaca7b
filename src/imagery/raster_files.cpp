#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "mosaic.hpp"
#include "parts.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::imagery {

namespace {

constexpr std::int64_t longest_side = 20'000;  // pixels of a raster in memory
constexpr int no_bands = -1;
constexpr double degree_pixel = 1e-3, metres_per_degree = 111'320;

struct File {
  std::string path;
  int rgb_band = no_bands;  ///< first of three
  int nir_band = no_bands;
};

bool is_infrared(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.find("irc") != std::string::npos;
}

/// Path, size and modification time.
std::string state_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return path;
  return fmt::format("{} {} {}.{:09}", path, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

File check(const std::string& path, const Image& image) {
  const ImageInfo& info = image.info();
  if (info.colours < 3) {
    throw ConfigError(
        fmt::format("imagery: {} has {} band{} of colour; 3 are expected (red, green, blue; in files named …irc… infrared first)", path,
                    info.colours, info.colours == 1 ? "" : "s"));
  }
  if (!info.readable) {
    throw ConfigError(
        fmt::format("imagery: {} holds values of type {}; Byte or UInt16 is expected: convert it with gdal_translate -ot UInt16 -scale",
                    path, info.type));
  }
  if (!info.georeferenced) {
    throw ConfigError(fmt::format(
        "imagery: {} has no georeference; write one with gdal_translate -a_srs -a_ullr, or put its world file beside it", path));
  }
  File file{path};
  if (is_infrared(path)) {
    file.nir_band = 0;
  } else {
    file.rgb_band = 0;
    if (info.colours >= 4) file.nir_band = 3;
  }
  return file;
}

class RasterFiles final : public ImagerySource {
 public:
  explicit RasterFiles(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      const Image image = Image::open(path);
      files_.push_back(check(path, image));
      const double pixel = std::hypot(image.info().to_crs[1], image.info().to_crs[4]);
      // A pixel of an image in degrees is taken as if they were metres at the equator.
      finest_ = std::min(finest_, pixel < degree_pixel ? pixel * metres_per_degree : pixel);
      name_ += (name_.empty() ? "" : ", ") + std::filesystem::path(path).filename().string();
      for (const std::string& part : image.files()) identity_ += state_of(part) + "\n";
    }
  }

  std::string name() const override { return name_; }
  bool is_remote() const noexcept override { return false; }
  std::string identity() const override { return identity_; }
  double finest_pixel() const override { return finest_; }
  FieldSet provides() const override {
    FieldSet fields;
    for (const File& file : files_) {
      if (file.rgb_band != no_bands) fields = fields.with(Field::rgb);
      if (file.nir_band != no_bands) fields = fields.with(Field::nir);
    }
    return fields;
  }

  Colours fetch(const Bounds& box, int epsg, FieldSet wanted, std::stop_token stop) override {
    Colours colours;
    if (wanted.has(Field::rgb)) {
      get_part(colours, &Colours::rgb, &Colours::rgb_outcome, "RGB", [&] { return read(&File::rgb_band, 3, box, epsg, stop); });
    }
    if (wanted.has(Field::nir)) {
      get_part(colours, &Colours::nir, &Colours::nir_outcome, "NIR", [&] { return read(&File::nir_band, 1, box, epsg, stop); });
    }
    return colours;
  }

 private:
  using Placements = std::vector<Placement>;

  /// Where the files lie in a CRS; worked out once.
  std::shared_ptr<const Placements> placements(int epsg, const std::stop_token& stop) {
    {
      const MutexLock guard(mutex_);
      if (const auto known = placements_.find(epsg); known != placements_.end()) return known->second;
    }
    // Two threads may do it at once at the beginning; none waits for the other.
    auto fresh = std::make_shared<Placements>();
    for (const File& file : files_) {
      if (stop.stop_requested()) throw Cancelled("stopped while looking at imagery");
      const Image image = Image::open(file.path);
      fresh->push_back(place(image, CrsMap(image, epsg)));
    }
    const MutexLock guard(mutex_);
    return placements_.emplace(epsg, std::move(fresh)).first->second;
  }

  Raster read(int File::*band, std::uint32_t bands, const Bounds& box, int epsg, const std::stop_token& stop) {
    const std::shared_ptr<const Placements> known = placements(epsg, stop);
    // The pixels of the result are those of the finest file wherever the box lies, so that colours do not depend on the tiling.
    const Placement* finest = nullptr;
    Bounds covered;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const Placement& placement = (*known)[i];
      if (files_[i].*band == no_bands || placement.extent.empty()) continue;
      const auto area = [](const Placement& p) { return p.lattice.width * p.lattice.height; };
      if (finest == nullptr || area(placement) < 0.99 * area(*finest)) finest = &placement;
      const Bounds& extent = placement.extent;
      covered = {std::min(covered.min_x, extent.min_x), std::min(covered.min_y, extent.min_y), std::max(covered.max_x, extent.max_x),
                 std::max(covered.max_y, extent.max_y)};
    }
    if (finest == nullptr) {
      throw NotFound(bands == 3
                         ? "none of the images has red, green and blue: " + name_ + "; add one whose name does not contain \"irc\""
                         : "none of the images has infrared: " + name_ + "; add one whose name contains \"irc\", or one of four bands");
    }
    const Window window = intersection(cover(finest->lattice, box, 1), cover(finest->lattice, covered, 0));
    const auto outside = [&] {
      return NotFound(fmt::format("no image has data in the box {:.2f} {:.2f} {:.2f} {:.2f}; add the images of this place", box.min_x,
                                  box.min_y, box.max_x, box.max_y));
    };
    if (box.empty() || window.empty()) throw outside();
    Mosaic mosaic(finest->lattice, window, bands, longest_side);
    const Bounds needed = box.expanded(2 * std::max(finest->lattice.width, finest->lattice.height));
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (files_[i].*band == no_bands || !(*known)[i].extent.intersects(needed)) continue;
      const Image image = Image::open(files_[i].path);
      mosaic.paste(image, CrsMap(image, epsg), (*known)[i], files_[i].*band, stop);
    }
    if (!mosaic.knows_something()) throw outside();
    return mosaic.take();
  }

  std::vector<File> files_;
  std::string name_, identity_;
  double finest_ = std::numeric_limits<double>::infinity();
  Mutex mutex_;
  std::map<int, std::shared_ptr<const Placements>> placements_ GUARDED_BY(mutex_);  ///< by EPSG code
};

}  // namespace

std::unique_ptr<ImagerySource> open_rasters(const std::vector<std::string>& paths) {
  if (paths.empty()) throw ConfigError("imagery: the list of images is empty; name at least one GeoTIFF");
  return std::make_unique<RasterFiles>(paths);
}

}  // namespace tuile::imagery
