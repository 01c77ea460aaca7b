#include <gtest/gtest.h>

#include <functional>

#include "random_world.hpp"
#include "tuile/core/error.hpp"

namespace tuile::label::test {
namespace {

/// Points 0 … 9 in a line at y = 5 with x = 10 · i + 5, in metres.
struct Line {
  PointBlock points = block_of({1.0, {0, 0, 0}}, places());
  GroundTruth truth;
  LabelPlan plan{{}, false};
  FeatureBlock features = features_of({}, 10, {});
  std::vector<std::uint8_t> valid;
  Executor executor{1};

  static std::vector<GridPoint> places() {
    std::vector<GridPoint> units;
    for (int i = 0; i < 10; ++i) units.push_back({10 * i + 5, 5, 0});
    return units;
  }
  /// Holds the points [first, last].
  static Polygon over(int first, int last) {
    const double from = 10.0 * first, to = 10.0 * last + 10;
    return {{{from, 0}, {to, 0}, {to, 10}, {from, 10}}};
  }
  void add(const std::string& name, const std::vector<Polygon>& polygons, std::vector<Rule> rules) {
    truth.layers.push_back(layer_of(name, polygons));
    plan.layers.push_back({name, std::move(rules)});
  }
  /// One value per point and column.
  void set(const std::vector<std::pair<std::string, std::vector<float>>>& columns) {
    std::vector<std::string> names;
    std::vector<float> values(10 * columns.size());
    for (std::size_t c = 0; c < columns.size(); ++c) {
      names.push_back(columns[c].first);
      for (std::size_t i = 0; i < 10; ++i) values[i * columns.size() + c] = columns[c].second[i % columns[c].second.size()];
    }
    features = features_of(names, 10, values);
  }
  LabelBlock run() { return label_points(points, features, valid, truth, plan, executor); }
};

template <class T>
std::vector<int> listed(const Buffer<T>& values) {
  return {values.begin(), values.end()};
}

TEST(LabelPoints, FirstLayerAndSmallestObjectWin) {
  Line line;
  line.add("high", {Line::over(2, 3), Line::over(3, 4), Line::over(0, 3)}, {{6, {}}});
  line.add("empty", {}, {{10, {}}});
  line.add("low", {Line::over(0, 8)}, {{9, {}}});
  const LabelBlock labels = line.run();
  EXPECT_EQ(listed(labels.labels), (std::vector{6, 6, 6, 6, 6, 9, 9, 9, 9, 1}));
  EXPECT_EQ(listed(labels.source), (std::vector{1, 1, 1, 1, 1, 3, 3, 3, 3, 0}));
  EXPECT_EQ(listed(labels.object), (std::vector{2, 2, 0, 0, 1, 3, 3, 3, 3, -1}));
}

TEST(LabelPoints, RulesInOrderThenTheNextLayer) {
  Line line;
  line.add("vegetation", {Line::over(0, 9)}, {{3, Condition("h < 0.5")}, {4, Condition("h < 1.5")}, {5, Condition("h >= 1.5")}});
  line.add("water", {Line::over(0, 4)}, {{9, Condition("")}});
  line.set({{"x", {99}}, {"height_above_ground", {0.4F, 0.5F, 1.5F, nan, nan, 0.4F, 0.5F, 1.5F, nan, nan}}});
  const LabelBlock labels = line.run();
  EXPECT_EQ(listed(labels.labels), (std::vector{3, 4, 5, 9, 9, 3, 4, 5, 1, 1}));
  EXPECT_EQ(listed(labels.source), (std::vector{1, 1, 1, 2, 2, 1, 1, 1, 0, 0}));
  EXPECT_EQ(listed(labels.object), (std::vector{0, 0, 0, 1, 1, 0, 0, 0, -1, -1}));
}

TEST(LabelPoints, ALayerWithoutRulesLabelsNothing) {
  Line line;
  line.add("nothing", {Line::over(0, 9)}, {});
  EXPECT_EQ(listed(line.run().source), std::vector<int>(10, 0));
}

TEST(LabelPoints, InvalidPointsKeepTheFilesClass) {
  Line line;
  line.add("building", {Line::over(0, 9)}, {{6, {}}});
  line.valid = {1, 0, 1, 1, 1, 1, 1, 1, 1, 0};
  const LabelBlock labels = line.run();
  EXPECT_EQ(listed(labels.labels), (std::vector{6, 1, 6, 6, 6, 6, 6, 6, 6, 1}));
  EXPECT_EQ(listed(labels.object), (std::vector{0, -1, 0, 0, 0, 0, 0, 0, 0, -1}));
}

TEST(LabelPoints, GreenRoughBuildingsBecomeVegetation) {
  Line line;
  line.add("building", {Line::over(0, 7)}, {{6, {}}});
  line.plan.ndvi = true;
  line.points.classification[9] = 6;  // by the file
  line.valid = {1, 1, 1, 1, 1, 1, 1, 0, 1, 1};
  line.set({{"ndvi", {0.3F, 0.9F, 0.9F, 0.29F, 0.9F, 0.9F, nan, 0.9F, 0.9F, 0.9F}},
            {"planarity", {0.49F, 0, 0, 0, 0.5F, 0, 0, 0, 0, 0}},
            {"height_above_ground", {0.4F, 0.5F, 1.5F, 9, 9, nan, 9, 9, 9, 9}}});
  const LabelBlock labels = line.run();
  EXPECT_EQ(listed(labels.labels), (std::vector{3, 4, 5, 6, 6, 6, 6, 1, 1, 5}));
  EXPECT_EQ(listed(labels.source), (std::vector{254, 254, 254, 1, 1, 1, 1, 0, 0, 254}));
  EXPECT_EQ(listed(labels.object), (std::vector{-1, -1, -1, 0, 0, 0, 0, -1, -1, -1}));
}

TEST(LabelPoints, UnusableCornersHoldNothing) {
  Line line;
  const double inf = std::numeric_limits<double>::infinity(), number_not = std::numeric_limits<double>::quiet_NaN();
  std::vector<Polygon> polygons(4, Line::over(0, 9));
  polygons[0][0].push_back({number_not, 5});
  polygons[1][0].push_back({5, inf});
  polygons[2][0].push_back({5, -2e100});
  polygons[3][0].push_back({-9e99, 5});  // still fine: a spike
  line.add("building", polygons, {{6, {}}});
  EXPECT_EQ(listed(line.run().object), std::vector<int>(10, 3));
}

TEST(LabelPoints, NothingToDo) {
  Executor executor(2);
  const LabelPlan plan{{{"a", {{6, {}}}}}, false};
  GroundTruth truth;
  truth.layers.push_back(layer_of("a", {Line::over(0, 9)}));
  EXPECT_EQ(label_points(PointBlock{}, {}, {}, truth, plan, executor).size(), 0U);
  EXPECT_EQ(label_points(PointBlock{}, {}, {}, {}, {{}, false}, executor).size(), 0U);
  Line line;
  EXPECT_EQ(listed(line.run().labels), std::vector<int>(10, 1));
  line.add("a", {}, {{6, {}}});
  EXPECT_EQ(listed(line.run().labels), std::vector<int>(10, 1));
  line.add("far", {{{{1e6, 0}, {2e6, 0}, {2e6, 9}}}}, {{6, {}}});
  EXPECT_EQ(listed(line.run().labels), std::vector<int>(10, 1));
}

/// The extent may be a line or a single place.
TEST(LabelPoints, PointsAllInOnePlace) {
  Executor executor(2);
  for (const int distance : {0, 1}) {
    std::vector<GridPoint> units;
    for (int i = 0; i < 1000; ++i) units.push_back({7 + i * distance, 7, i});
    GroundTruth truth;
    truth.layers.push_back(layer_of("a", {{{{0, 0}, {500, 0}, {500, 500}, {0, 500}}}}));
    const LabelBlock labels =
        label_points(block_of({1.0, {0, 0, 0}}, units), features_of({}, 1000, {}), {}, truth, {{{"a", {{6, {}}}}}, false}, executor);
    for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(labels.labels[i], units[i].x < 500 ? 6 : 1) << i;
  }
}

/// 253 layers and thousands of areas on top of each other: time and memory of the order of one.
TEST(LabelPoints, CrowdedPlaces) {
  std::mt19937 random(1);
  Executor executor(2);
  const Grid grid{0.01, {90000000, 660000000, 0}};
  std::vector<GridPoint> units;
  for (int i = 0; i < 200000; ++i) units.push_back({static_cast<int>(random() % 30000), static_cast<int>(random() % 30000), 0});
  const PointBlock block = block_of(grid, units);
  const FeatureBlock features = features_of({}, units.size(), {});
  const Position middle = position_of(grid, {15000, 15000, 0});
  std::vector<Polygon> pile;
  for (int i = 0; i < 5000; ++i) pile.push_back({star(random, middle, 100, 140, 20)});
  GroundTruth truth;
  truth.layers.push_back(layer_of("pile", pile));
  LabelBlock labels = label_points(block, features, {}, truth, {{{"pile", {{6, {}}}}}, false}, executor);
  for (std::size_t i = 0; i < units.size(); i += 4000) {
    int expected = -1;
    for (std::size_t a = 0; a < pile.size() && expected < 0; ++a) {
      if (inside_by_parity(pile[a], position_of(grid, units[i]))) expected = static_cast<int>(a);
    }
    ASSERT_EQ(labels.object[i], expected);
  }
  truth.layers.clear();
  LabelPlan plan{{}, false};
  for (int l = 0; l < 253; ++l) {
    truth.layers.push_back(layer_of(std::to_string(l), {pile[static_cast<std::size_t>(l)]}));
    plan.layers.push_back({std::to_string(l), {{static_cast<std::uint8_t>(l), Condition(l == 252 ? "" : "1 < 0")}}});
  }
  labels = label_points(block, features, {}, truth, plan, executor);
  for (std::size_t i = 0; i < units.size(); i += 100) {
    const bool inside = inside_by_parity(pile[252], position_of(grid, units[i]));
    ASSERT_EQ(labels.source[i], inside ? 253 : 0);
    ASSERT_EQ(labels.object[i], inside ? 252 : -1);
  }
}

TEST(LabelPlan, NeedsEachColumnOnce) {
  using features::Feature;
  LabelPlan plan{
      {{"a", {{6, Condition("verticality > 0.4 or h > 1")}, {7, Condition("h < 0")}}}, {"b", {{9, Condition("verticality < 0")}}}}, false};
  EXPECT_EQ(plan.needs(), (std::vector{Feature::verticality, Feature::height_above_ground}));
  plan.ndvi = true;
  EXPECT_EQ(plan.needs(), (std::vector{Feature::verticality, Feature::height_above_ground, Feature::planarity, Feature::ndvi}));
  EXPECT_TRUE((LabelPlan{{{"a", {{6, {}}}}}, false}).needs().empty());
}

TEST(LabelPoints, MisfitsAreRefused) {
  const auto message = [](const std::function<void(Line&)>& damage) -> std::string {
    Line line;
    line.add("a", {Line::over(0, 3), Line::over(2, 5)}, {{6, Condition("h > 0")}});
    line.add("b", {}, {{9, {}}});
    line.set({{"height_above_ground", {1}}, {"planarity", {1}}, {"ndvi", {1}}});
    line.plan.ndvi = true;
    EXPECT_EQ(line.run().size(), 10U);
    damage(line);
    try {
      line.run();
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "no error";
  };
  const auto expect = [&](const char* part, const std::function<void(Line&)>& damage) {
    const std::string text = message(damage);
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  expect("2 layers; the plan's 1", [](Line& l) { l.plan.layers.pop_back(); });
  expect("layer 2 of the ground truth is 'c'; 'b' is expected", [](Line& l) { l.truth.layers[1].layer = "c"; });
  expect("layer 'b' is failed", [](Line& l) { l.truth.layers[1].outcome = Outcome::failed; });
  expect("layer 'a' is truncated", [](Line& l) { l.truth.layers[0].outcome = Outcome::truncated; });
  expect("layer 'a' is not requested", [](Line& l) { l.truth.layers[0].outcome = Outcome::not_requested; });
  expect("no column 'height_above_ground'", [](Line& l) { l.features.names[0] = "h"; });
  expect("no column 'ndvi'", [](Line& l) { l.features.names[2] = "ndvi_k50"; });
  expect("9 rows", [](Line& l) { l.features.points = 9; });
  expect("29 values", [](Line& l) { l.features.values.shrink(29); });
  expect("`valid` has 9 entries", [](Line& l) { l.valid.assign(9, 1); });
  expect("9 classes", [](Line& l) { l.points.classification.shrink(9); });
  expect("scale", [](Line& l) { l.points.grid.scale = std::numeric_limits<double>::quiet_NaN(); });
  expect("scale", [](Line& l) { l.points.grid.scale = 0; });
  expect("areas of layer 'a' contradict themselves", [](Line& l) { l.truth.layers[0].areas.vertices.pop_back(); });
  expect("areas of layer 'a' contradict themselves", [](Line& l) { l.truth.layers[0].areas.ring_begin[1] = 9; });
  expect("areas of layer 'a' contradict themselves", [](Line& l) { l.truth.layers[0].areas.area_begin[2] = 9; });
  expect("areas of layer 'a' contradict themselves", [](Line& l) { l.truth.layers[0].areas.ids.pop_back(); });
  expect("254 layers; at most 253", [](Line& l) {
    l.plan.layers.resize(254);
    l.truth.layers.resize(254);
  });
}

TEST(LabelPoints, StopsWhenAsked) {
  Line line;
  line.add("a", {Line::over(0, 3)}, {{6, {}}});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(label_points(line.points, line.features, {}, line.truth, line.plan, line.executor, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace tuile::label::test
