#include "gdal_raster.hpp"

#include <cpl_vsi.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "gdal/session.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"

namespace tuile::imagery {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// A name in GDAL's memory file system that nobody else has; goes with its owner.
class MemoryFile {
 public:
  MemoryFile() {
    static std::atomic<unsigned> counter{0};
    name_ = "/vsimem/tuile-imagery-" + std::to_string(counter.fetch_add(1)) + "/image";
  }
  explicit MemoryFile(std::span<const std::byte> bytes) : MemoryFile() {
    // GDAL asks for a pointer to non-const but only reads: nothing opens the file for writing.
    auto* data = const_cast<GByte*>(reinterpret_cast<const GByte*>(bytes.data()));
    VSIFCloseL(VSIFileFromMemBuffer(name_.c_str(), data, bytes.size(), FALSE));
  }
  ~MemoryFile() { VSIUnlink(name_.c_str()); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  const char* name() const noexcept { return name_.c_str(); }

 private:
  std::string name_;
};

void apply(const std::array<double, 6>& t, std::span<double> x, std::span<double> y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double u = x[i], v = y[i];
    x[i] = t[0] + u * t[1] + v * t[2];
    y[i] = t[3] + u * t[4] + v * t[5];
  }
}

}  // namespace

struct Image::Impl {
  std::optional<MemoryFile> file;  // before the dataset: closed after it
  gdal::OwnedDataset dataset;
  std::vector<int> colour_bands;  // GDAL's numbers, from 1
  std::vector<std::optional<double>> no_data;
  int alpha = 0;
  bool masked = false;  // has a mask of its own that is no alpha band

  ImageInfo inspect(const std::string& name) {
    GDALDatasetH opened = dataset.get();
    ImageInfo info;
    info.name = name;
    info.columns = GDALGetRasterXSize(opened);
    info.rows = GDALGetRasterYSize(opened);
    info.readable = true;
    for (int number = 1; number <= GDALGetRasterCount(opened); ++number) {
      GDALRasterBandH band = GDALGetRasterBand(opened, number);
      if (GDALGetRasterColorInterpretation(band) == GCI_AlphaBand) {
        alpha = number;
        continue;
      }
      const GDALDataType type = GDALGetRasterDataType(band);
      const bool readable = type == GDT_Byte || type == GDT_UInt16;
      if (info.type.empty() || !readable) info.type = GDALGetDataTypeName(type);
      info.readable = info.readable && readable;
      int has_value = 0;
      const double value = GDALGetRasterNoDataValue(band, &has_value);
      colour_bands.push_back(number);
      no_data.push_back(has_value != 0 ? std::optional(value) : std::nullopt);
    }
    info.colours = static_cast<int>(colour_bands.size());
    if (info.colours > 0 && alpha == 0) masked = (GDALGetMaskFlags(GDALGetRasterBand(opened, colour_bands[0])) & GMF_PER_DATASET) != 0;
    info.georeferenced = GDALGetGeoTransform(opened, info.to_crs.data()) == CE_None;
    return info;
  }
};

Image::Image(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Image::Image(Image&&) noexcept = default;
Image::~Image() = default;

Image Image::open(const std::string& path) {
  checked_path(path);
  // What GDAL itself resolves (/vsizip/…) is left to it; for plain files the system's word is clearer than GDAL's.
  if (!path.starts_with("/vsi") && ::access(path.c_str(), R_OK) != 0) throw_errno(errno, "open", path);
  const gdal::Session quiet;
  auto impl = std::make_unique<Impl>();
  impl->dataset.reset(GDALOpenEx(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR, nullptr, nullptr, nullptr));
  if (!impl->dataset) throw ConfigError("imagery: " + path + " is no image that GDAL can read" + quiet.why() + "; a GeoTIFF is expected");
  Image image(std::move(impl));
  image.info_ = image.impl_->inspect(path);
  return image;
}

Image Image::parse(std::span<const std::byte> bytes, const std::string& name) {
  const gdal::Session quiet;
  auto impl = std::make_unique<Impl>();
  impl->file.emplace(bytes);
  const char* const drivers[] = {"GTiff", "PNG", "JPEG", nullptr};
  impl->dataset.reset(GDALOpenEx(impl->file->name(), GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR, drivers, nullptr, nullptr));
  if (!impl->dataset) throw IoError(name + " is no image" + quiet.why());
  Image image(std::move(impl));
  image.info_ = image.impl_->inspect(name);
  return image;
}

std::vector<std::string> Image::files() const {
  const gdal::Session quiet;
  char** list = GDALGetFileList(impl_->dataset.get());
  std::vector<std::string> files;
  for (int i = 0; i < CSLCount(list); ++i) files.emplace_back(list[i]);
  CSLDestroy(list);
  return files;
}

Pixels Image::read(const Window& window, std::int64_t step, int first, int bands) const {
  const gdal::Session quiet;
  const auto fail = [&]() -> void { throw IoError("cannot read the pixels of " + info_.name + quiet.why() + "; is the image whole?"); };
  Pixels out;
  out.columns = static_cast<std::uint32_t>(window.columns / step);
  out.rows = static_cast<std::uint32_t>(window.rows / step);
  out.bands = static_cast<std::uint32_t>(bands);
  const std::size_t count = std::size_t{out.columns} * out.rows;

  // A pixel is without data where all bands of the image say so, not only those that are asked for.
  bool has_no_data = false;
  for (const auto& value : impl_->no_data) has_no_data = has_no_data || value.has_value();
  const std::size_t from = has_no_data ? 0 : static_cast<std::size_t>(first);
  const std::size_t taken = has_no_data ? impl_->colour_bands.size() : static_cast<std::size_t>(bands);
  std::vector<int> numbers(impl_->colour_bands.begin() + static_cast<std::ptrdiff_t>(from),
                           impl_->colour_bands.begin() + static_cast<std::ptrdiff_t>(from + taken));
  Buffer<std::uint16_t> values(count * taken);
  const auto space = static_cast<GSpacing>(sizeof(std::uint16_t) * taken);
  const auto x = static_cast<int>(window.column), y = static_cast<int>(window.row);
  const auto width = static_cast<int>(window.columns), height = static_cast<int>(window.rows);
  const auto to_width = static_cast<int>(out.columns), to_height = static_cast<int>(out.rows);
  if (GDALDatasetRasterIOEx(impl_->dataset.get(), GF_Read, x, y, width, height, values.data(), to_width, to_height, GDT_UInt16,
                            static_cast<int>(taken), numbers.data(), space, space * to_width, sizeof(std::uint16_t), nullptr) != CE_None) {
    fail();
  }

  out.known = Buffer<std::uint8_t>(count, 1);
  if (impl_->alpha != 0 || impl_->masked) {
    GDALRasterBandH mask = impl_->alpha != 0 ? GDALGetRasterBand(impl_->dataset.get(), impl_->alpha)
                                             : GDALGetMaskBand(GDALGetRasterBand(impl_->dataset.get(), impl_->colour_bands[0]));
    // Clamped to 8 bits: only 0 hides.
    if (GDALRasterIOEx(mask, GF_Read, x, y, width, height, out.known.data(), to_width, to_height, GDT_Byte, 0, 0, nullptr) != CE_None)
      fail();
    for (std::uint8_t& known : out.known) known = known != 0 ? 1 : 0;
  }
  if (has_no_data) {
    for (std::size_t i = 0; i < count; ++i) {
      bool hidden = true;
      for (std::size_t b = 0; hidden && b < taken; ++b) {
        const auto& value = impl_->no_data[b];
        hidden = !value || static_cast<double>(values[i * taken + b]) == *value;
      }
      if (hidden) out.known[i] = 0;
    }
  }

  const std::uint16_t factor = info_.type == "Byte" ? 257 : 1;
  const std::size_t skip = static_cast<std::size_t>(first) - from;
  if (taken == out.bands) {
    out.values = std::move(values);
  } else {
    out.values = Buffer<std::uint16_t>(count * out.bands);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t b = 0; b < out.bands; ++b) out.values[i * out.bands + b] = values[i * taken + skip + b];
    }
  }
  if (factor != 1) {
    for (std::uint16_t& value : out.values) value = static_cast<std::uint16_t>(value * factor);
  }
  return out;
}

struct CrsMap::Impl {
  std::array<double, 6> to_crs{}, to_pixels{};
  gdal::OwnedTransformation to_image, from_image;  // null: the systems are the same
  bool same = true;

  static void run(const gdal::OwnedTransformation& transformation, std::span<double> x, std::span<double> y) {
    if (!transformation) return;
    const gdal::Session quiet;
    std::vector<int> done(x.size());
    OCTTransformEx(transformation.get(), static_cast<int>(x.size()), x.data(), y.data(), nullptr, done.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (done[i] == 0 || !std::isfinite(x[i]) || !std::isfinite(y[i])) x[i] = y[i] = nan;
    }
  }

  /// Whether places all over the image move by less than a hundredth of a pixel.
  bool moves_nothing(const ImageInfo& info) const {
    const double pixel = std::min(std::hypot(to_crs[1], to_crs[4]), std::hypot(to_crs[2], to_crs[5]));
    std::vector<double> x, y;
    for (int row = 0; row <= 4; ++row) {
      for (int column = 0; column <= 4; ++column) {
        x.push_back(static_cast<double>(info.columns) * column / 4);
        y.push_back(static_cast<double>(info.rows) * row / 4);
      }
    }
    apply(to_crs, x, y);
    std::vector<double> moved_x = x, moved_y = y;
    run(from_image, moved_x, moved_y);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!(std::hypot(moved_x[i] - x[i], moved_y[i] - y[i]) < 0.01 * pixel)) return false;
    }
    return true;
  }
};

CrsMap::CrsMap(const Image& image, int epsg) : impl_(std::make_unique<Impl>()) {
  const gdal::Session quiet;
  impl_->to_crs = image.info().to_crs;
  if (GDALInvGeoTransform(impl_->to_crs.data(), impl_->to_pixels.data()) == 0) {
    throw Unsupported("the georeference of " + image.info().name + " has no inverse; write it anew with gdal_translate -a_ullr");
  }
  OGRSpatialReferenceH own = GDALGetSpatialRef(image.impl_->dataset.get());
  if (epsg == 0 || own == nullptr) return;
  const gdal::OwnedCrs asked = gdal::make_crs(epsg, quiet);
  const std::string code = "EPSG:" + std::to_string(epsg), system = "the coordinate system of " + image.info().name;
  impl_->to_image = gdal::make_transformation(asked.get(), own, code, system, quiet);
  impl_->from_image = gdal::make_transformation(own, asked.get(), system, code, quiet);
  impl_->same = impl_->moves_nothing(image.info());
  if (impl_->same) {
    impl_->to_image.reset();
    impl_->from_image.reset();
  }
}

CrsMap::~CrsMap() = default;

bool CrsMap::same_crs() const noexcept { return impl_->same; }

void CrsMap::to_pixels(std::span<double> x, std::span<double> y) const {
  Impl::run(impl_->to_image, x, y);
  apply(impl_->to_pixels, x, y);
}

void CrsMap::from_pixels(std::span<double> x, std::span<double> y) const {
  apply(impl_->to_crs, x, y);
  Impl::run(impl_->from_image, x, y);
}

bool north_comes_first(int epsg) {
  const gdal::Session quiet;
  const gdal::OwnedCrs system = gdal::make_crs(epsg, quiet, OAMS_AUTHORITY_COMPLIANT);
  return OSREPSGTreatsAsLatLong(system.get()) != 0 || OSREPSGTreatsAsNorthingEasting(system.get()) != 0;
}

std::vector<std::byte> encode_geotiff(std::span<const std::uint8_t> values, std::uint32_t columns, std::uint32_t rows, std::uint32_t bands,
                                      double west, double north, double pixel, int epsg) {
  const gdal::Session quiet;
  const auto require = [&](bool worked, const char* what) {
    if (!worked) throw IoError(std::string("GDAL cannot ") + what + quiet.why());
  };
  const gdal::OwnedCrs system = gdal::make_crs(epsg, quiet);
  const MemoryFile file;
  GDALDriverH driver = GDALGetDriverByName("GTiff");
  require(driver != nullptr, "write GeoTIFF: it was built without");
  const char* const colour = bands >= 3 ? "PHOTOMETRIC=RGB" : "PHOTOMETRIC=MINISBLACK";
  const char* const options[] = {"TILED=YES", "COMPRESS=DEFLATE", "PREDICTOR=2", "INTERLEAVE=PIXEL", "ALPHA=NO", colour, nullptr};
  const auto width = static_cast<int>(columns), height = static_cast<int>(rows), depth = static_cast<int>(bands);
  gdal::OwnedDataset dataset(GDALCreate(driver, file.name(), width, height, depth, GDT_Byte, const_cast<char**>(options)));
  require(dataset != nullptr, "create a GeoTIFF");
  std::array<double, 6> transform{west, pixel, 0, north, 0, -pixel};
  require(GDALSetGeoTransform(dataset.get(), transform.data()) == CE_None, "georeference the image");
  require(GDALSetSpatialRef(dataset.get(), system.get()) == CE_None, "write the coordinate system");
  // One row of tiles at a time, so that they lie in the file in their order.
  constexpr int tile = 256;
  const std::size_t row_bytes = std::size_t{columns} * bands;
  for (int row = 0; row < height; row += tile) {
    auto* from = const_cast<std::uint8_t*>(values.data() + static_cast<std::size_t>(row) * row_bytes);
    require(GDALDatasetRasterIOEx(dataset.get(), GF_Write, 0, row, width, std::min(tile, height - row), from, width,
                                  std::min(tile, height - row), GDT_Byte, depth, nullptr, depth, static_cast<GSpacing>(row_bytes), 1,
                                  nullptr) == CE_None,
            "write the pixels");
  }
  GDALFlushCache(dataset.get());
  dataset.reset();
  require(quiet.why().empty(), "write the image");
  vsi_l_offset size = 0;
  const GByte* written = VSIGetMemFileBuffer(file.name(), &size, FALSE);
  require(written != nullptr, "give the image back");
  const auto* begin = reinterpret_cast<const std::byte*>(written);
  return {begin, begin + size};
}

}  // namespace tuile::imagery
