#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <optional>
#include <stop_token>

#include "las/records.hpp"
#include "synth/class_file.hpp"
#include "synth/map_layers.hpp"
#include "synth/orthophoto.hpp"
#include "synth/sampling.hpp"
#include "truth/vector_files.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/atomic_file.hpp"
#include "tuile/core/file/temporaries.hpp"
#include "tuile/las/new_file.hpp"

namespace tuile::synth {
namespace {

constexpr const char* lambert93_ign69 =
    R"(COMPD_CS["RGF93 v1 / Lambert-93 + NGF-IGN69 height",PROJCS["RGF93 v1 / Lambert-93",GEOGCS["RGF93 v1",)"
    R"(DATUM["Reseau_Geodesique_Francais_1993_v1",SPHEROID["GRS 1980",6378137,298.257222101,AUTHORITY["EPSG","7019"]],AUTHORITY["EPSG","6171"]],)"
    R"(PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4171"]],)"
    R"(PROJECTION["Lambert_Conformal_Conic_2SP"],PARAMETER["latitude_of_origin",46.5],PARAMETER["central_meridian",3],)"
    R"(PARAMETER["standard_parallel_1",49],PARAMETER["standard_parallel_2",44],PARAMETER["false_easting",700000],)"
    R"(PARAMETER["false_northing",6600000],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH],)"
    R"(AUTHORITY["EPSG","2154"]],VERT_CS["NGF-IGN69 height",VERT_DATUM["Nivellement General de la France - IGN69",2005,)"
    R"(AUTHORITY["EPSG","5119"]],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Gravity-related height",UP],AUTHORITY["EPSG","5720"]],)"
    R"(AUTHORITY["EPSG","5698"]])";

las::FileInfo layout_of(const TownOptions& options) {
  las::FileInfo layout = las::new_layout(options.point_format, point_scale, lambert93_ign69, "OGC WKT of EPSG:2154 + IGN69", "tuile synth");
  layout.crs.epsg = 2154;
  return layout;
}

/// Records of point format 6 or 8. Source: LAS 1.4 R15, tables 15 and 17.
std::vector<std::byte> pack(const std::vector<TownPoint>& points, int point_format) {
  const std::size_t length = las::standard_record_length(static_cast<std::uint8_t>(point_format));
  std::vector<std::byte> records(points.size() * length);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const TownPoint& point = points[i];
    las::RecordBytes out(records.data() + i * length);
    out.put(point.x);
    out.put(point.y);
    out.put(point.z);
    out.put(point.intensity);
    out.put(static_cast<std::uint8_t>(point.return_number | (point.number_of_returns << 4)));
    out.put(static_cast<std::uint8_t>((point.scan_direction ? 1 << 6 : 0) | (point.edge_of_flight_line ? 1 << 7 : 0)));
    out.put(point.classification);
    out.put(std::uint8_t{0});  // user data
    out.put(point.scan_angle);
    out.put(point.point_source_id);
    out.put(point.gps_time);
    if (point_format == 8) {
      out.put(point.red);
      out.put(point.green);
      out.put(point.blue);
      out.put(point.nir);
    }
  }
  return records;
}

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Cancelled("stopped before the town was complete; run again to write all its tiles");
}

/// One file that is being written, and appears when it is done.
template <class Writer>
class Publication {
 public:
  template <class... Arguments>
  explicit Publication(const std::string& place, const Arguments&... arguments)
      : file_(place), writer_(file_.temporary_path().string(), arguments...) {}
  Writer& writer() noexcept { return writer_; }
  void publish() {
    writer_.finish();
    file_.publish();
  }

 private:
  AtomicFile file_;
  Writer writer_;
};

/// Samples `at_once` strips in parallel and writes them in order, so that memory does not grow with the tile.
/// classes   where to write them; empty: nowhere
void write_tile(const Scanner& scanner, const TownOptions& options, int x, int y, const std::string& place,
                const std::string& classes_place, std::size_t at_once, Executor& executor, const std::stop_token& stop) {
  Publication<las::RecordWriter> tile(place, layout_of(options));
  std::optional<Publication<ClassFile>> class_file;
  if (!classes_place.empty()) class_file.emplace(classes_place);
  const std::vector<Scanner::Strip> strips = scanner.strips(x, y);
  std::vector<std::vector<std::byte>> records(at_once);
  std::vector<std::vector<std::uint8_t>> classes(at_once);
  for (std::size_t begin = 0; begin < strips.size(); begin += at_once) {
    const std::size_t count = std::min(at_once, strips.size() - begin);
    executor.for_each(count, [&](std::size_t i) {
      throw_if_stopped(stop);
      std::vector<TownPoint> points;
      scanner.sample(strips[begin + i], points);
      records[i] = pack(points, options.point_format);
      classes[i].clear();
      if (class_file) std::transform(points.begin(), points.end(), std::back_inserter(classes[i]), std::mem_fn(&TownPoint::object_class));
    });
    for (std::size_t i = 0; i < count; ++i) {
      tile.writer().write(records[i]);
      if (class_file) class_file->writer().write(classes[i]);
    }
  }
  if (class_file) class_file->publish();
  tile.publish();
}

void make_folder(const std::filesystem::path& folder) {
  create_folders(folder);
  remove_stale_temporaries(folder);
}

}  // namespace

std::vector<std::string> write_town(const TownOptions& options, const std::string& directory, Executor& executor, std::stop_token stop) {
  throw_if_stopped(stop);
  const Town town = make_town(options);
  const Scanner scanner(town);
  const TownPaths paths = town_paths(options, directory);
  const std::filesystem::path folder = directory;
  make_folder(folder / "tiles");
  remove_stale_temporaries(folder);
  if (options.ground_truth) make_folder(folder / "classes");
  // About two strips per thread in all: those that the tiles under way do not need, go to each tile's own loop.
  const auto threads = static_cast<std::size_t>(executor.threads());
  const std::size_t at_once = std::max<std::size_t>(2, 2 * threads / std::min(threads, paths.tiles.size()));
  executor.for_each(paths.tiles.size(), [&](std::size_t i) {
    const int x = static_cast<int>(i) % options.tiles_x, y = static_cast<int>(i) / options.tiles_x;
    throw_if_stopped(stop);
    write_tile(scanner, options, x, y, paths.tiles[i], options.ground_truth ? paths.classes[i] : std::string(), at_once, executor, stop);
  });
  if (options.ground_truth) {
    truth::write_geopackage(paths.ground_truth, map_layers(town), 2154);
    const Orthophoto photo = Orthophoto::render(Scene(town), executor, stop);
    throw_if_stopped(stop);
    photo.write(paths.ortho_rgb, &Appearance::red, &Appearance::green, &Appearance::blue);
    throw_if_stopped(stop);
    photo.write(paths.ortho_irc, &Appearance::nir, &Appearance::red, &Appearance::green);
  }
  return paths.tiles;
}

}  // namespace tuile::synth
