#include <gtest/gtest.h>

#include "random_world.hpp"

namespace tuile::label::test {
namespace {

TEST(LabelPoints, AgreesWithEveryEdgeOfEveryArea) {
  Executor executor(2);
  std::array<std::size_t, 256> by_source{};
  for (unsigned seed = 0; seed < 400; ++seed) {
    const RandomWorld world(seed);
    const auto all = world.all();
    const LabelBlock labels = label_points(world.block(all), world.features(all), world.valid, world.truth(), world.plan(), executor);
    for (const std::size_t i : all) {
      ++by_source[labels.source[i]];
      const RandomWorld::Expected expected = world.expected(i), found{labels.labels[i], labels.source[i], labels.object[i]};
      ASSERT_EQ(found, expected) << "seed " << seed << ", point " << i << ": " << found.label << " " << found.source << " " << found.object
                                 << ", expected " << expected.label << " " << expected.source << " " << expected.object;
    }
  }
  for (const std::size_t source : {0, 1, 2, 3, 254}) EXPECT_GT(by_source[source], 2000U) << source;
}

TEST(LabelPoints, SameForTilesOriginsAndThreads) {
  Executor one(1), two(2), seven(7);
  for (unsigned seed = 1000; seed < 1080; ++seed) {
    const RandomWorld world(seed);
    const GroundTruth truth = world.truth();
    const LabelPlan plan = world.plan();
    const auto all = world.all();
    const LabelBlock whole = label_points(world.block(all), world.features(all), world.valid, truth, plan, one);
    for (Executor* executor : {&two, &seven})
      EXPECT_TRUE(same(whole, label_points(world.block(all), world.features(all), world.valid, truth, plan, *executor))) << seed;
    EXPECT_TRUE(same(whole, label_points(world.block(all, {-5000000, 6543210}), world.features(all), world.valid, truth, plan, two)))
        << seed;
    for (int quarter = 0; quarter < 4; ++quarter) {
      std::vector<std::size_t> picks;
      for (const std::size_t i : all) {
        const int cut = seed % 2 == 0 ? 30 : 17;
        if ((world.units[i].x < cut) == (quarter % 2 == 0) && (world.units[i].y < 1500 + cut) == (quarter / 2 == 0)) picks.push_back(i);
      }
      const LabelBlock part =
          label_points(world.block(picks, {1000 * quarter, 77}), world.features(picks), world.validity(picks), truth, plan, two);
      for (std::size_t k = 0; k < picks.size(); ++k) {
        ASSERT_EQ(part.labels[k], whole.labels[picks[k]]) << seed;
        ASSERT_EQ(part.source[k], whole.source[picks[k]]) << seed;
        ASSERT_EQ(part.object[k], whole.object[picks[k]]) << seed;
      }
    }
  }
}

/// Enough points and corners for many chunks of each, on one thread and on seven.
TEST(LabelPoints, ThreadsDoNotMatterOnALargeTile) {
  std::mt19937 random(9);
  Executor one(1), seven(7);
  const Grid grid{0.01, {90000000, 660000000, 0}};
  std::vector<GridPoint> units;
  for (int i = 0; i < 300000; ++i) units.push_back({static_cast<int>(random() % 20000), i / 15, 0});
  const PointBlock block = block_of(grid, units);
  std::vector<Polygon> polygons;
  for (int i = 0; i < 2000; ++i) {
    const Position centre = position_of(grid, units[random() % units.size()]);
    polygons.push_back({star(random, centre, 2, 6, 40), star(random, centre, 0.5, 1.5, 10)});
  }
  GroundTruth truth;
  truth.layers.push_back(layer_of("a", {polygons.begin(), polygons.begin() + 1000}));
  truth.layers.push_back(layer_of("b", {polygons.begin() + 1000, polygons.end()}));
  const LabelPlan plan{{{"a", {{6, {}}}}, {"b", {{9, {}}}}}, false};
  const FeatureBlock features = features_of({}, units.size(), {});
  const LabelBlock labels = label_points(block, features, {}, truth, plan, one);
  EXPECT_TRUE(same(labels, label_points(block, features, {}, truth, plan, seven)));
  std::size_t held = 0;
  for (std::size_t i = 0; i < units.size(); i += 1500) {
    int expected = -1;
    for (std::size_t a = 0; a < polygons.size() && expected < 0; ++a) {
      if (inside_by_parity(polygons[a], position_of(grid, units[i]))) expected = static_cast<int>(a);
    }
    ASSERT_EQ(labels.object[i], expected) << i;
    held += expected >= 0;
  }
  EXPECT_GT(held, 50U);
}

}  // namespace
}  // namespace tuile::label::test
