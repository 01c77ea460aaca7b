// Halos, batches, the order and the place of points, odd tiles, wrong input.

#include <algorithm>
#include <bit>
#include <exception>
#include <filesystem>
#include <numeric>
#include <typeinfo>

#include "conformance/compare.hpp"
#include "conformance/shapes.hpp"
#include "tuile/core/error.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::conformance {

namespace {

using compute::Backend;
using compute::TileInput;
using compute::TileOutput;

features::FeaturePlan full_plan() { return features::make_plan(features::set_columns("full"), {{20}, {20, 0.8, 30}}); }

/// A tile in the middle of a cloud, and what lies around it within `reach` units.
struct TileWithHalo {
  PointBlock core, halo;
  TileInput tile;

  TileWithHalo(const Cloud& cloud, GridBounds bounds, std::int32_t reach) {
    const GridBounds wide{bounds.min_x - reach, bounds.min_y - reach, bounds.max_x + reach, bounds.max_y + reach};
    core = coloured(block_of(part(cloud, bounds, true)));
    halo = coloured(block_of(part(part(cloud, wide, true), bounds, false)));
    tile = tile_of(core, &halo);
    tile.bounds = bounds;
    tile.halo_width = reach * 0.01;
  }
};

Case with_halo(const std::string& name, std::int32_t reach, double said_width, compute::Preprocess preprocess = {}) {
  return {name, [reach, said_width, preprocess](Backend& reference, Backend& tested, Scale scale) {
            TileWithHalo input(town(many(scale, 3000), 1500, 26), {400, 500, 1100, 1000}, reach);
            input.tile.halo_width = said_width;
            return compare(reference, tested, input.tile, full_plan(), preprocess);
          }};
}

std::string batch(Backend& reference, Backend& tested, Scale scale, const compute::Preprocess& preprocess) {
  const PointBlock town_block = coloured(block_of(town(many(scale, 1500), 1000, 24))), small = block_of(town(300, 500, 25)),
                   none = block_of(Cloud{});
  const PointBlock one = coloured(block_of(random_points(1, 10, 3))), ties = block_of(shapes()[3].make(700)),
                   far = block_of(random_points(300, 1'000'000, 4));
  const PointBlock heap = block_of(shapes().back().make(800));
  TileWithHalo haloed(town(2000, 1200, 26), {300, 300, 800, 800}, 200);
  const std::vector<TileInput> tiles{tile_of(town_block), tile_of(small), tile_of(none), haloed.tile,    tile_of(one),
                                     tile_of(ties),       tile_of(far),   tile_of(heap), tile_of(small), tile_of(none, &small)};
  std::string text = compare(reference, tested, tiles, full_plan(), preprocess);
  if (!text.empty()) return text;
  const std::vector<TileOutput> together = tested.compute(tiles, full_plan(), preprocess, {});
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const auto alone = tested.compute(std::span(&tiles[i], 1), full_plan(), preprocess, {});
    text = difference(together[i], alone.at(0));
    if (!text.empty()) return "tile " + std::to_string(i) + " alone: " + text;
  }
  return {};
}

std::string many_tiny_tiles(Backend& reference, Backend& tested, Scale scale) {
  std::vector<PointBlock> blocks;
  std::vector<TileInput> tiles;
  for (std::uint32_t i = 0; i < (scale == Scale::card ? 500u : 60u); ++i) blocks.push_back(block_of(town(i % 70, 300, i)));
  for (const PointBlock& block : blocks) tiles.push_back(tile_of(block));
  return compare(reference, tested, tiles, full_plan());
}

/// The same points in another order have the same rows.
std::string other_order(Backend& reference, Backend& tested, Scale scale) {
  const Cloud cloud = town(many(scale, 2000), 1200, 22);
  std::vector<std::size_t> order(cloud.points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(5));
  Cloud shuffled;
  for (const std::size_t i : order) {
    shuffled.points.push_back(cloud.points[i]);
    shuffled.classes.push_back(cloud.classes[i]);
  }
  const PointBlock block = block_of(cloud), other = block_of(shuffled);
  const auto plan = full_plan();
  const std::string text = compare(reference, tested, tile_of(other), plan);
  if (!text.empty()) return text;
  const TileInput first = tile_of(block), second = tile_of(other);
  const auto a = tested.compute(std::span(&first, 1), plan, {}, {}), b = tested.compute(std::span(&second, 1), plan, {}, {});
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t c = 0; c < plan.columns.size(); ++c) {
      if (std::bit_cast<std::uint32_t>(b[0].features.at(i, c)) != std::bit_cast<std::uint32_t>(a[0].features.at(order[i], c))) {
        return plan.columns[c].name + " of point " + std::to_string(order[i]) + " depends on the order";
      }
    }
  }
  return {};
}

std::string other_origin(Backend& reference, Backend& tested, Scale scale) {
  const Cloud cloud = town(many(scale, 1500), 1000, 23);
  Cloud moved = cloud;
  for (GridPoint& p : moved.points) p = {p.x - 900'000, p.y + 700'001, p.z + 13};
  Cloud away = cloud;  // beyond what float32 holds, were it not for the centre of the tile
  for (GridPoint& p : away.points) p = {p.x + 2'100'000'000, p.y - 2'100'000'000, p.z};
  for (const PointBlock& block : {block_of(cloud, 0.01, {0, 680'000'000, 0}), block_of(moved), block_of(away, 0.01, {-5'000'000'000, 1, 2}),
                                  block_of(cloud, 0.01, {-12'345, -54'321, 99}), block_of(cloud, 0.0254), block_of(cloud, 0.3048 / 1000)}) {
    const std::string text = compare(reference, tested, tile_of(block), full_plan());
    if (!text.empty()) return text;
  }
  return {};
}

/// A tile that has every attribute beside one that has none.
std::string mixed_attributes(Backend& reference, Backend& tested, Scale) {
  const PointBlock bare = block_of(town(300, 500, 71)), rich = coloured(block_of(town(300, 500, 72)));
  Cloud no_ground = town(300, 500, 73);
  no_ground.classes.assign(no_ground.points.size(), 5);
  const PointBlock flat = coloured(block_of(no_ground));
  const std::vector<TileInput> tiles{tile_of(bare), tile_of(rich), tile_of(flat), tile_of(bare, &rich), tile_of(flat, &bare)};
  return compare(reference, tested, tiles, full_plan());
}

std::string rows_in_a_file(Backend& reference, Backend& tested, Scale scale) {
  const PointBlock block = coloured(block_of(town(many(scale, 1000), 800, 74)));
  TileInput tile = tile_of(block);
  tile.spill_folder = std::filesystem::temp_directory_path().string();
  return compare(reference, tested, tile, full_plan());
}

std::string wrong_input(Backend& reference, Backend& tested, Scale) {
  const auto plan = full_plan();
  const PointBlock block = block_of(town(500, 2000, 34)), coarse = block_of(town(50, 2000, 35), 0.02),
                   elsewhere = block_of(town(50, 2000, 35), 0.01, {5, 0, 0});
  const TileInput nothing{};
  for (const TileInput& tile : {nothing, tile_of(block, &coarse), tile_of(block, &elsewhere)}) {
    const std::string text = compare(reference, tested, tile, plan);
    if (!text.empty()) return text;
  }
  if (!compare(reference, tested, std::span<const TileInput>(), plan).empty()) return "no tiles";
  std::stop_source source;
  source.request_stop();
  const TileInput tile = tile_of(block);
  try {
    tested.compute(std::span(&tile, 1), plan, {}, source.get_token());
  } catch (const Cancelled&) {
    return {};
  } catch (const std::exception& error) {
    return std::string("a stop gives ") + error.what();
  }
  return "a stop is not seen";
}

}  // namespace

std::vector<Case> tile_cases() {
  compute::Preprocess classes;
  classes.exclude_classes = {5, 6};
  return {
      with_halo("HaloWide", 300, 3.0),
      with_halo("HaloNarrow", 20, 0.2),
      with_halo("HaloUnsaid", 100, 0),
      with_halo("HaloOfNothing", 0, 0),
      with_halo("HaloWithExcludedClasses", 150, 1.5, classes),
      {"Batch", [](Backend& reference, Backend& tested, Scale scale) { return batch(reference, tested, scale, {}); }},
      {"BatchFiltered",
       [](Backend& reference, Backend& tested, Scale scale) {
         compute::Preprocess preprocess;
         preprocess.exclude_classes = {6};
         preprocess.statistical_outliers = {6, 2};
         preprocess.radius_outliers = {0.7, 3};
         preprocess.voxel = 0.15;
         return batch(reference, tested, scale, preprocess);
       }},
      {"ManyTinyTiles", &many_tiny_tiles},
      {"OrderOfPoints", &other_order},
      {"OriginAndScale", &other_origin},
      {"MixedAttributes", &mixed_attributes},
      {"RowsInAFile", &rows_in_a_file},
      {"WrongInput", &wrong_input},
  };
}

}  // namespace tuile::conformance
