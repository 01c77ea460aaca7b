#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "mosaic.hpp"
#include "parts.hpp"

namespace tuile::imagery {

namespace {

constexpr std::int64_t longest_side = 20'000;  // pixels of a raster in memory
constexpr std::int64_t rows_per_strip = 256;

/// What a text answer says: its words without mark-up, the beginning of them.
std::string quote(std::string_view body) {
  constexpr std::size_t longest = 240;
  std::string words;
  bool in_mark = false, space = false;
  for (const char c : body) {
    if (c == '\0') return fmt::format("{} bytes that are no text", body.size());
    if (in_mark || c == '<') {
      in_mark = c != '>';
      space = true;
    } else if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      space = true;
    } else {
      if (space && !words.empty()) words += ' ';
      space = false;
      words += c;
      if (words.size() >= longest) return "\"" + words + "…\"";
    }
  }
  return words.empty() ? fmt::format("{} bytes without a text", body.size()) : "\"" + words + "\"";
}

/// Exceptions that blame the request (WMS 1.3.0, table E.1; OWS Common, table 27).
bool blames_request(std::string_view body) {
  constexpr std::array<std::string_view, 10> codes{
      "LayerNotDefined",       "StyleNotDefined",       "InvalidFormat",         "InvalidCRS",           "InvalidSRS", "LayerNotQueryable",
      "OperationNotSupported", "MissingParameterValue", "InvalidParameterValue", "MissingDimensionValue"};
  return std::any_of(codes.begin(), codes.end(), [&](std::string_view code) { return body.find(code) != std::string_view::npos; });
}

/// At most six decimals, no zeros at the end.
std::string number(double value) {
  std::string text = fmt::format("{:.6f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

Raster empty_raster(const Lattice& lattice, const Window& window, std::uint32_t bands) {
  Raster raster;
  raster.west = static_cast<double>(window.column) * lattice.width;
  raster.north = -static_cast<double>(window.row) * lattice.height;
  raster.pixel = lattice.width;
  raster.columns = static_cast<std::uint32_t>(window.columns);
  raster.rows = static_cast<std::uint32_t>(window.rows);
  raster.bands = bands;
  const std::size_t count = std::size_t{raster.columns} * raster.rows;
  raster.values = Buffer<std::uint16_t>(count * bands);
  raster.known = Buffer<std::uint8_t>(count);
  return raster;
}

class Wms final : public ImagerySource {
 public:
  Wms(WmsOptions options, std::shared_ptr<source::HttpClient> client)
      : options_(std::move(options)), client_(std::move(client)), lattice_{0, 0, options_.resolution, options_.resolution} {}

  std::string name() const override { return "wms"; }
  bool is_remote() const noexcept override { return true; }
  double finest_pixel() const override { return options_.resolution; }
  FieldSet provides() const override { return FieldSet{}.with(Field::rgb).with(Field::nir); }
  std::string identity() const override {
    return fmt::format("wms {} {} {} {}", options_.url, options_.rgb_layer, options_.irc_layer, number(options_.resolution));
  }

  Colours fetch(const Bounds& box, int epsg, FieldSet wanted, std::stop_token stop) override {
    Colours colours;
    if (wanted.has(Field::rgb)) {
      get_part(colours, &Colours::rgb, &Colours::rgb_outcome, "RGB", [&] { return get(options_.rgb_layer, 3, box, epsg, stop); });
    }
    if (wanted.has(Field::nir)) {
      get_part(colours, &Colours::nir, &Colours::nir_outcome, "NIR", [&] { return get(options_.irc_layer, 1, box, epsg, stop); });
    }
    return colours;
  }

 private:
  Window window_of(const Bounds& box) const {
    Window window = cover(lattice_, box, 1);
    const Window bare = cover(lattice_, box, 0);
    // A kilometre is 5000 pixels and the service's limit: a border of one pixel is not worth three more requests.
    if (window.columns > options_.max_pixels && bare.columns <= options_.max_pixels) {
      window.column = bare.column;
      window.columns = bare.columns;
    }
    if (window.rows > options_.max_pixels && bare.rows <= options_.max_pixels) {
      window.row = bare.row;
      window.rows = bare.rows;
    }
    return window;
  }

  /// An image in as many requests as it takes.
  Raster get(const std::string& layer, std::uint32_t bands, const Bounds& box, int epsg, const std::stop_token& stop) const {
    if (epsg <= 0) throw Unsupported("the tile has no CRS, so no image can be asked for; set crs: to its EPSG code");
    if (box.empty()) throw InvalidArgument("the tile has no extent, so no image can be asked for");
    const Window window = window_of(box);
    if (std::max(window.columns, window.rows) > longest_side) {
      throw Unsupported(
          fmt::format("the tile needs an image of {} × {} pixels, more than {} a side; raise the resolution ({} m) or split the tile",
                      window.columns, window.rows, longest_side, number(options_.resolution)));
    }
    const bool north_first = north_comes_first(epsg);
    Raster raster = empty_raster(lattice_, window, bands);
    const std::int64_t across = (window.columns + options_.max_pixels - 1) / options_.max_pixels;
    const std::int64_t down = (window.rows + options_.max_pixels - 1) / options_.max_pixels;
    for (std::int64_t j = 0; j < down; ++j) {
      for (std::int64_t i = 0; i < across; ++i) {
        const std::int64_t left = window.columns * i / across, right = window.columns * (i + 1) / across;
        const std::int64_t top = window.rows * j / down, bottom = window.rows * (j + 1) / down;
        request(layer, {window.column + left, window.row + top, right - left, bottom - top}, epsg, north_first, left, top, raster, stop);
      }
    }
    if (std::find(raster.known.begin(), raster.known.end(), 1) == raster.known.end()) {
      throw NotFound(fmt::format("layer {} has no data at {} {} to {} {}; the service does not cover this place", layer, number(box.min_x),
                                 number(box.min_y), number(box.max_x), number(box.max_y)));
    }
    return raster;
  }

  /// Asks for `part` of the plane and puts it into `raster` at (left, top).
  void request(const std::string& layer, const Window& part, int epsg, bool north_first, std::int64_t left, std::int64_t top,
               Raster& raster, const std::stop_token& stop) const {
    const auto x = [&](std::int64_t column) { return number(static_cast<double>(column) * lattice_.width); };
    const auto y = [&](std::int64_t row) { return number(-static_cast<double>(row) * lattice_.height); };
    const std::string west = x(part.column), east = x(part.column + part.columns);
    const std::string north = y(part.row), south = y(part.row + part.rows);
    std::string url = options_.url;
    const std::size_t question = url.find('?');
    if (question == std::string::npos)
      url += '?';
    else if (url.back() != '?' && url.back() != '&')
      url += '&';
    url += fmt::format(
        "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS={}&STYLES=&CRS=EPSG:{}&BBOX={}&WIDTH={}&HEIGHT={}&FORMAT=image/geotiff",
        source::url_encode(layer), epsg,
        north_first ? south + "," + west + "," + north + "," + east : west + "," + south + "," + east + "," + north, part.columns,
        part.rows);
    source::HttpRequest asked;
    asked.url = url;
    // Four bands of 16 bits, uncompressed, and the headers.
    asked.largest_body = static_cast<std::size_t>(part.columns * part.rows) * 8 + (std::size_t{1} << 20);
    const std::string subject = "the answer of " + options_.url + " to layer " + layer;
    bool blamed = false;
    const auto check = [&](const source::HttpResponse& answer) { take(open(subject, answer, blamed), part, left, top, raster, stop); };
    client_->fetch(asked, check, stop);
  }

  void take(const Image& image, const Window& part, std::int64_t left, std::int64_t top, Raster& raster,
            const std::stop_token& stop) const {
    const std::string& subject = image.info().name;
    const ImageInfo& info = image.info();
    if (info.columns != part.columns || info.rows != part.rows) {
      throw Unsupported(fmt::format("{} has {} × {} pixels, {} × {} were asked for; lower imagery.wms.max_pixels to the service's limit",
                                    subject, info.columns, info.rows, part.columns, part.rows));
    }
    if (!info.readable || info.colours < static_cast<int>(raster.bands)) {
      throw Unsupported(fmt::format("{} has {} band(s) of type {}; at least {} of 8 or 16 bits are expected", subject, info.colours,
                                    info.type, raster.bands));
    }
    check_place(subject, info, part);
    bool white = true;
    for (std::int64_t row = 0, height = 0; row < part.rows; row += height) {
      if (stop.stop_requested()) throw Cancelled("stopped while reading imagery");
      height = std::min(rows_per_strip, part.rows - row);
      const Pixels strip = image.read({0, row, part.columns, height}, 1, 0, info.colours);
      white = white && std::all_of(strip.values.begin(), strip.values.end(), [](std::uint16_t value) { return value == 0xFFFF; });
      for (std::int64_t r = 0; r < height; ++r) {
        const std::size_t target = static_cast<std::size_t>(top + row + r) * raster.columns + static_cast<std::size_t>(left);
        const std::size_t from = static_cast<std::size_t>(r * part.columns);
        for (std::size_t c = 0; c < static_cast<std::size_t>(part.columns); ++c) {
          raster.known[target + c] = strip.known[from + c];
          std::copy_n(&strip.values[(from + c) * strip.bands], raster.bands, &raster.values[(target + c) * raster.bands]);
        }
      }
    }
    if (white) throw IoError(subject + " is white all over: the service has no image there, or lost it; try again later");
  }

  /// blamed: whether an answer to this request has blamed it before. The first time it is asked again: services whose database or
  /// configuration is away for a moment say so, too.
  static Image open(const std::string& subject, const source::HttpResponse& answer, bool& blamed) {
    try {
      return Image::parse(std::as_bytes(std::span(answer.body)), subject);
    } catch (const IoError& error) {
      if (answer.body.starts_with("II") || answer.body.starts_with("MM")) throw;  // a damaged TIFF
      const std::string message = subject + " is no image but says " + quote(answer.body);
      if (!blames_request(answer.body)) throw IoError(message);
      if (std::exchange(blamed, true)) throw Unsupported(message + "; check imagery.wms (url, layers) and the CRS");
      throw IoError(message);
    }
  }

  /// An answer without georeference is taken to be what was asked for; one that lies elsewhere is refused.
  void check_place(const std::string& subject, const ImageInfo& info, const Window& part) const {
    if (!info.georeferenced) return;
    const double west = static_cast<double>(part.column) * lattice_.width, north = -static_cast<double>(part.row) * lattice_.height;
    const double east = static_cast<double>(part.columns), south = static_cast<double>(part.rows);
    const auto& t = info.to_crs;
    const double right = t[0] + east * t[1] + south * t[2], bottom = t[3] + east * t[4] + south * t[5];
    const double off = std::max({std::abs(t[0] - west), std::abs(t[3] - north), std::abs(right - west - east * lattice_.width),
                                 std::abs(bottom - north + south * lattice_.height)});
    if (!(off <= 0.5 * lattice_.width)) {
      throw Unsupported(fmt::format("{} lies at {} {}, {} {} was asked for; does the service swap the axes?", subject, number(t[0]),
                                    number(t[3]), number(west), number(north)));
    }
  }

  WmsOptions options_;
  std::shared_ptr<source::HttpClient> client_;
  Lattice lattice_;
};

}  // namespace

std::unique_ptr<ImagerySource> make_wms(WmsOptions options, std::shared_ptr<source::HttpClient> client) {
  if (!source::is_url(options.url))
    throw InvalidArgument("imagery.wms.url is '" + options.url + "'; an http:// or https:// address is expected");
  if (!(options.resolution > 0) || !std::isfinite(options.resolution)) {
    throw InvalidArgument(fmt::format("the resolution of imagery is {} m; more than 0 is expected", options.resolution));
  }
  if (options.max_pixels < 1)
    throw InvalidArgument(fmt::format("imagery.wms.max_pixels is {}; at least 1 is expected", options.max_pixels));
  if (!client) throw InvalidArgument("make_wms needs an HTTP client");
  return std::make_unique<Wms>(std::move(options), std::move(client));
}

}  // namespace tuile::imagery
