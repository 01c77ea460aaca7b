#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "fake_source.hpp"
#include "tuile/truth/store.hpp"

namespace tuile::truth {
namespace {

using test::FakeSource;

TruthStore make_store(std::shared_ptr<FakeSource> source, std::vector<Layer> layers, double cell = 2000) {
  return {std::move(source), std::move(layers), {.cell = cell, .memory = std::make_shared<MemoryCache>(64 << 20)}};
}

std::size_t cells_of(const Bounds& box) {
  return make_store(std::make_shared<FakeSource>(true), {test::plain_layer("batiment")}).units(box, 2154).size();
}

TEST(TruthUnits, cells_are_half_open_with_a_millimetre) {
  EXPECT_EQ(cells_of({0, 0, 1000, 1000}), 1U);
  EXPECT_EQ(cells_of({1000, 1000, 2000, 2000}), 1U);  // ends on a border
  EXPECT_EQ(cells_of({2000, 2000, 3000, 3000}), 1U);  // begins on one
  EXPECT_EQ(cells_of({1999.9995, 0, 2000.0005, 1}), 1U);
  EXPECT_EQ(cells_of({1000, 0, 2000.0009, 1000}), 1U);
  EXPECT_EQ(cells_of({1999.9991, 0, 3000, 1000}), 1U);
  EXPECT_EQ(cells_of({1000, 0, 2000.01, 1000}), 2U);
  EXPECT_EQ(cells_of({1999.99, 0, 3000, 1000}), 2U);
  EXPECT_EQ(cells_of({1500, 1500, 2500, 2500}), 4U);
  EXPECT_EQ(cells_of({-1000, -1000, 0, 0}), 1U);
  EXPECT_EQ(cells_of({-1000, -2000, 1000, 2000}), 4U);
  EXPECT_EQ(cells_of({2000, 2000, 2000, 2000}), 1U);  // a place, on a corner
  EXPECT_EQ(cells_of({982000, 6523000, 983000, 6524000}), 1U);
  EXPECT_EQ(cells_of({}), 0U);
}

TEST(TruthUnits, a_cell_lies_on_the_grid_and_a_box_in_its_cells) {
  const TruthStore store = make_store(std::make_shared<FakeSource>(true), {test::plain_layer("a"), test::plain_layer("b")});
  const auto units = store.units({-500, 3900, 2500, 4100}, 32632);
  ASSERT_EQ(units.size(), 12U);
  for (std::size_t i = 0; i < units.size(); ++i) {
    EXPECT_EQ(units[i].layer, i / 6);
    EXPECT_EQ(units[i].epsg, 32632);
    EXPECT_EQ(units[i].cell.width(), 2000);
    EXPECT_EQ(std::fmod(units[i].cell.min_x, 2000), 0);
    EXPECT_EQ(std::fmod(units[i].cell.min_y, 2000), 0);
  }
  EXPECT_EQ(units[0].cell, (Bounds{-2000, 2000, 0, 4000}));
  EXPECT_EQ(units[5].cell, (Bounds{2000, 4000, 4000, 6000}));
}

TEST(TruthUnits, boxes_of_no_tile_are_refused) {
  const double infinity = std::numeric_limits<double>::infinity();
  const TruthStore remote = make_store(std::make_shared<FakeSource>(true), {test::plain_layer("a")});
  EXPECT_THROW(remote.units({0, 0, 1e9, 1e9}, 2154), InvalidArgument);
  EXPECT_THROW(remote.units({0, 0, 1e300, 1}, 2154), InvalidArgument);
  EXPECT_THROW(remote.units({-infinity, 0, 1, 1}, 2154), InvalidArgument);
  EXPECT_THROW(remote.units({1e300, 0, 1e300, 1}, 2154), InvalidArgument);
  EXPECT_TRUE(remote.units({std::nan(""), 0, 1, 1}, 2154).empty());
  const TruthStore local = make_store(std::make_shared<FakeSource>(false), {test::plain_layer("a")});
  EXPECT_EQ(local.units({0, 0, 1e9, 1e9}, 2154).size(), 1U);
  EXPECT_THROW(local.units({-infinity, 0, 1, 1}, 2154), InvalidArgument);
}

TEST(TruthUnits, a_store_without_its_parts_is_refused) {
  const auto source = std::make_shared<FakeSource>(true);
  EXPECT_THROW(TruthStore(nullptr, {}, {.memory = std::make_shared<MemoryCache>(1)}), InvalidArgument);
  EXPECT_THROW(TruthStore(source, {}, {}), InvalidArgument);
  for (const double cell : {0.0, -5.0, 0.5, std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_THROW(TruthStore(source, {}, {.cell = cell, .memory = std::make_shared<MemoryCache>(1)}), InvalidArgument) << cell;
}

TEST(TruthUnits, the_source_is_asked_for_the_cell_and_the_layers_reach) {
  const auto source = std::make_shared<FakeSource>(true);
  TruthStore store = make_store(source, {test::plain_layer("area"), test::band_layer("line", 7)});
  store.get({100, 100, 200, 200}, 2154, {});
  const auto calls = source->calls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].layer, "area");
  EXPECT_EQ(calls[0].box, (Bounds{-1, -1, 2001, 2001}));
  const double margin = reach(store.layers()[1]);
  EXPECT_GE(margin, 7);
  EXPECT_EQ(calls[1].box, (Bounds{0, 0, 2000, 2000}).expanded(margin));
}

/// Every rectangle of a random map that touches a random box, and no other, whatever the grid: by trying them all.
TEST(TruthUnits, random_boxes_on_random_grids_against_trying_all) {
  std::mt19937 random(11);
  const auto whole = [&](int low, int high) { return static_cast<double>(std::uniform_int_distribution<int>(low, high)(random)); };
  std::size_t compared = 0;
  for (int round = 0; round < 150; ++round) {
    const bool remote = round % 4 != 0;
    const double cell = std::array{100.0, 250.0, 333.3, 1000.0, 2000.0}[random() % 5];
    const auto source = std::make_shared<FakeSource>(remote);
    for (const char* layer : {"a", "b"}) {
      for (int i = 0; i < 60; ++i) {
        // Whole metres, often on multiples of 50, so that much touches borders exactly.
        const double step = random() % 2 == 0 ? 50 : 1;
        const double x = step * std::floor(whole(-1500, 1500) / step), y = step * std::floor(whole(-1500, 1500) / step);
        const double w = step * std::ceil(whole(1, 600) / step), h = step * std::ceil(whole(1, 200) / step);
        source->layers[layer].push_back(test::rectangle(std::to_string(random() % 1000000), {x, y, x + w, y + h}));
      }
    }
    TruthStore store = make_store(source, {test::plain_layer("b"), test::plain_layer("a")}, cell);
    for (int query = 0; query < 4; ++query) {
      const double step = random() % 2 == 0 ? 50 : 0.25;
      const double x = step * std::floor(whole(-1200, 1200) / step), y = step * std::floor(whole(-1200, 1200) / step);
      const Bounds box{x, y, x + step * whole(0, 12), y + step * whole(0, 12)};
      const GroundTruth truth = store.get(box, 2154, {});
      ASSERT_EQ(truth.layers.size(), 2U);
      for (const LayerTruth& layer : truth.layers) {
        std::map<std::string, Bounds> expected;
        for (const auto& object : source->layers[layer.layer]) {
          if (object.bounds.intersects(box)) expected.emplace(object.feature.id, object.bounds);
        }
        ASSERT_TRUE(is_sound(layer.outcome));
        ASSERT_EQ(layer.areas.size(), expected.size());
        std::size_t row = 0;
        for (const auto& [id, bounds] : expected) {
          EXPECT_EQ(layer.areas.ids[row], id);
          EXPECT_EQ(layer.areas.bounds[row], bounds);
          EXPECT_EQ(layer.areas.area_begin[row + 1] - layer.areas.area_begin[row], 1U);
          ++row;
          ++compared;
        }
        EXPECT_EQ(layer.areas.vertices.size(), 4 * expected.size());
      }
    }
  }
  EXPECT_GT(compared, 500U);
}

/// Lines that lie outside the box, or outside its cell, and whose band reaches in.
TEST(TruthUnits, bands_that_reach_in_from_outside_against_trying_all) {
  std::mt19937 random(13);
  std::uniform_real_distribution<double> coordinate(-600, 600);
  std::size_t compared = 0;
  for (int round = 0; round < 40; ++round) {
    const double half = 3;
    const auto source = std::make_shared<FakeSource>(round % 2 == 0);
    for (int i = 0; i < 150; ++i) {
      const double x = coordinate(random), y = coordinate(random), length = 40;
      const bool level = random() % 2 == 0;
      const Bounds line{x, y, level ? x + length : x, level ? y : y + length};
      source->layers["line"].push_back({{std::to_string(i), test::segment_wkb(line.min_x, line.min_y, line.max_x, line.max_y), {}}, line});
    }
    TruthStore store = make_store(source, {test::band_layer("line", half)}, 100);
    const double x = 50 * std::floor(coordinate(random) / 50), y = 50 * std::floor(coordinate(random) / 50);
    const Bounds box{x, y, x + 100, y + 150};
    const GroundTruth truth = store.get(box, 2154, {});
    std::set<std::string> expected;
    for (const auto& object : source->layers["line"]) {
      const bool level = object.bounds.height() == 0;
      Bounds band = object.bounds;  // flat caps: as long as the line
      (level ? band.min_y : band.min_x) -= half;
      (level ? band.max_y : band.max_x) += half;
      if (band.intersects(box)) expected.insert(object.feature.id);
    }
    EXPECT_EQ(std::set<std::string>(truth.layers[0].areas.ids.begin(), truth.layers[0].areas.ids.end()), expected);
    compared += expected.size();
  }
  EXPECT_GT(compared, 50U);
}

TEST(TruthUnits, a_local_source_is_asked_for_the_tile_alone) {
  const auto source = std::make_shared<FakeSource>(false);
  source->coverage = Bounds{0, 0, 1000, 1000};
  source->layers["line"] = {{{"north", test::segment_wkb(500, 999, 600, 999), {}}, {500, 999, 600, 999}},
                            {{"inside", test::segment_wkb(100, 498, 200, 498), {}}, {100, 498, 200, 498}}};
  TruthStore store = make_store(source, {test::plain_layer("area"), test::band_layer("line", 3)});

  // A tile at the edge of what is covered: its margin is not covered on three sides, but that is no failure, and the line on the fourth is
  // found.
  GroundTruth truth = store.get({0, 500, 1000, 1000}, 2154, {});
  EXPECT_EQ(source->calls()[0].box, (Bounds{0, 500, 1000, 1000}));
  EXPECT_TRUE(truth.complete());
  EXPECT_EQ(truth.layers[1].areas.ids, (std::vector<std::string>{"inside", "north"}));

  // A line beyond the tile counts as far as the file goes on there.
  source->coverage = Bounds{0, 499.5, 1000, 1000};
  truth = store.get({0, 499.5, 1000, 1000}, 2154, {});
  EXPECT_TRUE(truth.complete());
  EXPECT_EQ(truth.layers[1].areas.ids, std::vector<std::string>{"north"});
  source->coverage = Bounds{-100, 490, 1100, 1000};
  truth = store.get({0, 499, 1000, 1000}, 2154, {});
  EXPECT_EQ(truth.layers[1].areas.ids, (std::vector<std::string>{"inside", "north"}));

  // A tile beyond the border is a failure, whatever lies in it.
  source->coverage = Bounds{0, 0, 1000, 1000};
  truth = store.get({500, 500, 1500, 1000}, 2154, {});
  EXPECT_FALSE(truth.complete());
  EXPECT_EQ(truth.layers[0].outcome, Outcome::failed);
  EXPECT_EQ(truth.layers[0].kind, ErrorKind::not_found);
  EXPECT_EQ(truth.layers[1].areas.size(), 0U);
}

}  // namespace
}  // namespace tuile::truth
