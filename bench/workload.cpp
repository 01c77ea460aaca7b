#include "workload.hpp"

#include <unistd.h>

#include <cmath>

#include "tuile/core/error.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/source/byte_source.hpp"

namespace fs = std::filesystem;

namespace tuile::bench {

namespace {

constexpr double points_per_pulse = 1.1;  // of the synthetic town

/// The divisor of `count` that makes the squarest grid.
int columns_of(int count) {
  int columns = 1;
  for (int i = 1; i * i <= count; ++i) {
    if (count % i == 0) columns = i;
  }
  return columns;
}

}  // namespace

Workload::Workload(WorkloadOptions options)
    : options_(std::move(options)),
      executor_(options_.threads),
      folder_(fs::temp_directory_path() / ("tuile-bench-" + std::to_string(::getpid()))) {
  fs::create_directories(folder_);
}

Workload::~Workload() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string Workload::fresh_folder(const std::string& name) {
  const fs::path folder = folder_ / (name + "-" + std::to_string(++folders_));
  fs::create_directories(folder);
  return folder.string();
}

const std::vector<std::string>& Workload::town(const std::string& name, std::vector<std::string>& paths, int tiles_x, int tiles_y,
                                               double points, double density) {
  if (!paths.empty()) return paths;
  log("making " + std::to_string(tiles_x * tiles_y) + " tiles of " + std::to_string(static_cast<int>(std::lround(1000 * points))) +
      " thousand points");
  synth::TownOptions options;
  options.tiles_x = tiles_x;
  options.tiles_y = tiles_y;
  options.density = density;
  options.size = std::max(1.0, std::round(std::sqrt(1e6 * points / points_per_pulse / density)));
  options.point_format = 8;
  paths = synth::write_town(options, (folder_ / name).string(), executor_);
  return paths;
}

const std::vector<std::string>& Workload::tiles() {
  if (!options_.tiles.empty()) return options_.tiles;
  const int columns = columns_of(sizes().tiles);
  return town("tiles", tiles_, columns, sizes().tiles / columns, sizes().points, 20);
}

std::vector<std::string> Workload::some_tiles(std::size_t most) {
  const std::vector<std::string>& all = tiles();
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()))};
}

const std::vector<std::string>& Workload::tuning_tiles() {
  if (!options_.tiles.empty()) return options_.tiles;
  return town("tuning", tuning_tiles_, 4, 3, 0.2 * sizes().points, 20);
}

// As sparse as a town can be, so that a halo of 10 m is about as small a part of these tiles as of those of a kilometre.
const std::vector<std::string>& Workload::small_tiles() { return town("small", small_tiles_, 10, 10, sizes().small, 0.1); }

const std::string& Workload::large_tile() { return town("large", large_tile_, 1, 1, sizes().large, 30).front(); }

const PointBlock& Workload::points() {
  if (points_) return *points_;
  const std::string& path = tiles().front();
  try {
    const auto source = source::open_file(path);
    const las::FileInfo info = las::read_info(*source);
    const FieldSet fields = features::make_plan(features::set_columns("full"), {features::Neighbourhood{}}).fields();
    points_ = las::decode(source::read_all(*source).span(), info, {.fields = fields, .bbox = std::nullopt, .stop = {}}, executor_).points;
  } catch (const Error& error) {
    rethrow_at(error, path);
  }
  if (points_->size() == 0) throw InvalidArgument(path + " has no points; give a tile to measure on");
  return *points_;
}

features::FeaturePlan neighbourhood_plan(std::string_view set, const features::Neighbourhood& neighbourhood) {
  std::vector<std::string> names;
  for (const std::string& name : features::set_columns(set)) {
    const features::Feature feature = features::find(name).value();
    // Scores that are multiplied by the height are left to the row about heights.
    if (feature == features::Feature::facade_score) continue;
    if (features::info(feature).neighbourhood || feature == features::Feature::num_points_2m) names.push_back(name);
  }
  return features::make_plan(names, {neighbourhood});
}

}  // namespace tuile::bench
