// Every way round that the searches can take, against all pairs, bit for bit.
#include <array>
#include <cstring>
#include <random>

#include "batch_run.hpp"
#include "brute_force.hpp"
#include "compute/preprocess.hpp"

namespace tuile::compute::cuda {
namespace {

using features::Neighbourhood;
using test::Cloud;
using test::town;

std::vector<std::string> neighbourhood_columns() {
  std::vector<std::string> names;
  for (std::size_t f = 0; f < features::feature_count; ++f) {
    const auto& info = features::info(static_cast<features::Feature>(f));
    if (info.neighbourhood || info.feature == features::Feature::num_points_2m) names.emplace_back(info.name);
  }
  return names;
}

/// Every `step`-th row of a batch of pieces.
void compare(const std::vector<TestPiece>& pieces, const Neighbourhood& scale, std::size_t step = 1) {
  const features::FeaturePlan plan = features::make_plan(neighbourhood_columns(), {scale});
  const BatchResult result = BatchRun(pieces, plan).run();
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    const TestPiece& piece = pieces[p];
    const double unit = piece.grid.scale;
    const auto& points = piece.cloud.points;
    const auto most = static_cast<std::size_t>(scale.radius > 0 ? scale.max_neighbors : scale.k);
    const test::Int128 limit = scale.radius > 0 ? test::Int128{squared_units(scale.radius, unit)} : test::Int128{-1};
    std::uint32_t degenerate = 0;
    for (std::size_t row = 0; row < piece.rows; row += step) {
      const features::NeighbourhoodValues v = test::Exact(test::nearest(points, points[row], most, limit)).values(unit);
      degenerate += features::is_degenerate(v.n, v.shape.l1) ? 1 : 0;
      const std::size_t at = result.plan.pieces[p].first_row + row;
      for (std::size_t c = 0; c < plan.columns.size(); ++c) {
        const features::Feature feature = plan.columns[c].feature;
        const float got = result.at(at, c);
        const float expected =
            feature == features::Feature::num_points_2m
                ? static_cast<float>(test::nearest(points, points[row], points.size(), test::Int128{squared_units(2.0, unit)}).size())
                : test::value_of(feature, v);
        ASSERT_EQ(std::memcmp(&got, &expected, sizeof(float)), 0)
            << plan.columns[c].name << " of row " << row << " of piece " << p << ": " << got << ", expected " << expected << ", n " << v.n;
      }
    }
    if (step == 1) {
      EXPECT_EQ(result.states[p].degenerate, degenerate);
    }
    EXPECT_EQ(result.states[p].truncated, 0U);
    EXPECT_EQ(result.states[p].unfinished, 0U);
    EXPECT_EQ(result.states[p].valid, points.size());
  }
}

void compare(const Cloud& cloud, const Neighbourhood& scale, double unit = 0.01, std::size_t step = 1) {
  compare({piece_of(cloud, unit)}, scale, step);
}

Cloud random_points(std::size_t count, std::int64_t reach, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto one = [&] { return static_cast<std::int32_t>(static_cast<std::int64_t>(random()) % (2 * reach + 1) - reach); };
  Cloud cloud;
  for (std::size_t i = 0; i < count; ++i) cloud.points.push_back({one(), one(), one()});
  return cloud;
}

TEST(Search, EveryLengthOfList) {
  const Cloud cloud = town(1500, 1200, 1);
  for (const int k : {3, 8, 9, 16, 17, 20, 21, 24, 32, 48, 64}) compare(cloud, {k}, 0.01, 3);
}
TEST(Search, TownNearest) { compare(town(3000, 1500, 2), {20}); }
TEST(Search, LongerThanAnyList) {
  compare(town(1500, 1200, 3), {65}, 0.01, 5);
  compare(town(1500, 1200, 4), {300}, 0.01, 17);
  compare(town(2000, 1200, 5), {1900}, 0.01, 101);
}
TEST(Search, Radius) {
  compare(town(1500, 1500, 6), {20, 1.0, 65536}, 0.01, 3);
  compare(town(1500, 1500, 7), {20, 1.5, 40}, 0.01, 3);    // nearest 40 within: a list
  compare(town(1500, 1200, 8), {20, 1.5, 100}, 0.01, 3);   // more than 100: by counting
  compare(town(1500, 1500, 9), {20, 0.05, 200}, 0.01, 3);  // mostly alone
  compare(town(1500, 1500, 10), {20, 0.05, 20}, 0.01, 3);
}
TEST(Search, RadiusWhoseSumsNeedIntegers) {
  compare(town(1500, 4000, 11), {20, 30.0, 1000}, 0.01, 29);   // most have more
  compare(town(1500, 4000, 11), {20, 30.0, 65536}, 0.01, 29);  // none has
  // Beside a piece whose sums float32 holds, and one that it does not tell apart.
  compare({piece_of(town(500, 900, 1), 0.1), piece_of(town(500, 900, 2), 0.01), piece_of(town(500, 900, 3), 0.001)}, {20, 5.0, 300}, 3);
}
TEST(Search, RadiusBeyondFloat) {
  compare(town(1000, 20000, 12), {20, 60.0, 500}, 0.01, 29);
  compare(town(1000, 20000, 12), {20, 60.0, 30}, 0.01, 29);
  compare(town(1000, 20000, 12), {20, 1e7, 65536}, 0.01, 101);
}
TEST(Search, Millimetres) { compare(town(1500, 12000, 13), {20}, 0.001, 3); }

TEST(Search, ExactlyAtTheLimitOfFloat) {
  // Neighbours at 4096 units, whose square is 2^24, at one less and one more.
  Cloud cloud;
  for (std::int32_t i = 0; i < 40; ++i) {
    cloud.points.push_back({0, 0, 0});
    cloud.points.push_back({4095, 0, 0});
    cloud.points.push_back({4096, 0, i % 3});
    cloud.points.push_back({0, 4096, 0});
    cloud.points.push_back({-4097, 0, 0});
  }
  for (const int k : {41, 60, 64, 90, 130}) compare(cloud, {k}, 0.01, 3);
  compare(cloud, {20, 40.95, 100}, 0.01, 3);
  compare(cloud, {20, 40.96, 200}, 0.01, 3);
  compare(cloud, {20, 40.96, 50}, 0.01, 3);
}

TEST(Search, GridOfTies) {
  Cloud cloud;
  for (std::int32_t x = 0; x < 12; ++x) {
    for (std::int32_t y = 0; y < 12; ++y) {
      for (std::int32_t z = 0; z < 5; ++z) cloud.points.push_back({x * 30, y * 30, z * 30});
    }
  }
  for (const int k : {4, 8, 20, 100}) compare(cloud, {k}, 0.01, 3);
  compare(cloud, {20, 0.6, 20}, 0.01, 3);
  compare(cloud, {20, 0.9, 70}, 0.01, 3);
}

TEST(Search, FarApart) {
  compare(random_points(500, 1'000'000, 14), {20});
  compare(random_points(500, 8000, 15), {20});
}
TEST(Search, CoordinatesThatFloatCannotHold) {
  compare(random_points(300, 2'000'000'000, 16), {20}, 0.001);
  Cloud cloud = town(600, 1000, 17);
  for (std::size_t i = 0; i < cloud.points.size(); i += 2) cloud.points[i].x += 1'000'000'000;
  compare(cloud, {20}, 0.01, 3);
  compare(cloud, {20, 1.0, 30}, 0.01, 3);
  // Opposite ends of the range: differences of 2^32, squares of 2^66.
  Cloud ends;
  for (std::int32_t i = 0; i < 40; ++i) {
    ends.points.push_back({2147483647 - i, 2147483647, 2147483647});
    ends.points.push_back({-2147483647 + i, -2147483647, -2147483647});
  }
  compare(ends, {60}, 0.001, 7);
}
TEST(Search, ExtentAtTheLimitOfExactness) {
  for (const std::int32_t length : {(1 << 25) - 1, 1 << 25}) {
    Cloud cloud = town(300, 600, 18);
    cloud.points.push_back({length, 0, 0});
    cloud.points.push_back({0, 0, 0});
    compare(cloud, {20}, 0.01, 7);
  }
}
TEST(Search, FewerPointsThanNeighbours) {
  for (const std::size_t n : {1U, 2U, 3U, 7U, 19U, 20U, 21U, 31U, 32U, 33U}) {
    compare(random_points(n, 50, 19), {20});
    compare(random_points(n, 50, 19), {100});
    compare(random_points(n, 50, 19), {20, 0.4, 10});
  }
}
TEST(Search, Copies) {
  Cloud equal;
  equal.points.assign(700, {5, -7, 9});
  compare(equal, {20}, 0.01, 31);
  compare(equal, {100}, 0.01, 101);
  compare(equal, {20, 1.0, 200}, 0.01, 101);
  Cloud cloud = town(600, 800, 20);
  for (std::size_t i = 0; i < 600; ++i) {
    for (std::size_t copy = 0; copy < i % 40; copy += 7) cloud.points.push_back(cloud.points[i]);
  }
  compare(cloud, {20}, 0.01, 7);
  std::mt19937 random(21);
  Cloud heap = town(500, 800, 22);
  for (int i = 0; i < 2500; ++i) {
    heap.points.push_back({static_cast<std::int32_t>(400 + random() % 4), static_cast<std::int32_t>(300 + random() % 4),
                           static_cast<std::int32_t>(60 + random() % 4)});
  }
  compare(heap, {20}, 0.01, 29);
  compare(heap, {100}, 0.01, 61);
  compare(heap, {20, 1.0, 50}, 0.01, 61);
  compare(heap, {20, 1.0, 200}, 0.01, 61);
}
/// Looked at pair by pair these would take many minutes.
TEST(Search, ManyCopiesTakeNoLonger) {
  std::mt19937 random(28);
  Cloud cloud = town(2000, 1500, 29);
  for (int i = 0; i < 20'000; ++i) {
    cloud.points.push_back({static_cast<std::int32_t>(700 + random() % 4), static_cast<std::int32_t>(300 + random() % 4),
                            static_cast<std::int32_t>(60 + random() % 4)});
  }
  cloud.points.insert(cloud.points.end(), 20'000, {100, 1200, 50});
  compare(cloud, {20}, 0.01, 4001);
  compare(cloud, {100}, 0.01, 4001);
  compare(cloud, {20, 1.0, 200}, 0.01, 4001);
}

TEST(Search, LinesAndPlanes) {
  Cloud line, plane;
  for (std::int32_t i = 0; i < 700; ++i) line.points.push_back({i * 3, i * 2, 0});
  for (std::int32_t i = 0; i < 900; ++i) plane.points.push_back({i % 30 * 10, i / 30 * 11, i % 30 * 5});
  compare(line, {20}, 0.01, 7);
  compare(plane, {20}, 0.01, 7);
}

/// Trees of three levels, pieces without points, of one, with points that have no rows.
TEST(Search, ManyPiecesAtOnce) {
  std::vector<TestPiece> pieces;
  for (const std::size_t points : {0U, 1U, 33U, 1100U, 0U, 500U}) {
    pieces.push_back(piece_of(town(points, 900, 23), pieces.size() % 2 == 0 ? 0.01 : 0.02));
    pieces.back().rows = points * 2 / 3;
  }
  compare(pieces, {20}, 7);
  compare(pieces, {20, 1.0, 100}, 7);
}

TEST(Search, ThreeLevels) { compare(town(35'000, 7000, 24), {12}, 0.01, 501); }

/// What reaches beyond is counted, what a block cannot know is listed, and neither is both.
TEST(Search, TruncatedAndUnfinished) {
  TestPiece piece = piece_of(town(1200, 1000, 25));
  piece.complete = {0, 0, 1000, 1000};
  piece.given = {-Sides::infinity, 100, 950, Sides::infinity};
  const Neighbourhood scale{20};
  const features::FeaturePlan plan = features::make_plan({"density", "num_points_2m"}, {scale});
  const BatchResult result = BatchRun({piece}, plan).run();
  std::uint32_t truncated = 0;
  std::vector<std::uint32_t> unfinished;
  const auto& points = piece.cloud.points;
  for (std::size_t row = 0; row < piece.rows; ++row) {
    const test::Exact exact(test::nearest(points, points[row], 20));
    const double reach2 = std::max(static_cast<double>(exact.reach2), 40000.0);
    const double x = points[row].x, y = points[row].y;
    const double edge = std::min({x, 1000 - x, y, 1000 - y}), given = std::min(y - 100, 950 - x);
    if (reach2 > given * given) {
      unfinished.push_back(static_cast<std::uint32_t>(row));
    } else {
      truncated += edge < 0 || reach2 > edge * edge ? 1 : 0;
    }
  }
  std::vector<std::uint32_t> listed(result.unfinished.begin(), result.unfinished.begin() + result.states[0].unfinished);
  std::sort(listed.begin(), listed.end());
  EXPECT_GT(truncated, 0U);
  EXPECT_GT(unfinished.size(), 0U);
  EXPECT_EQ(listed, unfinished);
  EXPECT_EQ(result.states[0].truncated, truncated);
}

TEST(Search, ExcludedClassesAreNobodysNeighbours) {
  Cloud cloud = town(1500, 1000, 26);
  Preprocess preprocess;
  preprocess.exclude_classes = {5, 6};
  const features::FeaturePlan plan = features::make_plan({"neighborhood_extent"}, {{20}});
  const BatchResult result = BatchRun({piece_of(cloud)}, plan, preprocess).run();
  std::vector<GridPoint> kept;
  for (std::size_t i = 0; i < cloud.points.size(); ++i) {
    if (cloud.classes[i] == 2) kept.push_back(cloud.points[i]);
  }
  EXPECT_EQ(result.states[0].removed_classes, cloud.points.size() - kept.size());
  EXPECT_EQ(result.states[0].valid, kept.size());
  for (std::size_t i = 0; i < cloud.points.size(); i += 3) {
    ASSERT_EQ(result.valid[i], cloud.classes[i] == 2 ? 1 : 0);
    if (cloud.classes[i] != 2) {
      ASSERT_TRUE(std::isnan(result.at(i, 0)));  // not touched
      continue;
    }
    const auto v = test::Exact(test::nearest(kept, cloud.points[i], 20)).values(0.01);
    ASSERT_EQ(result.at(i, 0), test::value_of(features::Feature::neighborhood_extent, v));
  }
}

TEST(Search, NothingValid) {
  Cloud cloud = town(100, 500, 27);
  Preprocess preprocess;
  preprocess.exclude_classes = {2, 5, 6};
  const features::FeaturePlan plan = features::make_plan({"planarity", "num_points_2m"}, {{20}, {100}, {20, 1.0}});
  const BatchResult result = BatchRun({piece_of(cloud)}, plan, preprocess).run();
  EXPECT_EQ(result.states[0].valid, 0U);
  for (const float value : result.values) ASSERT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace tuile::compute::cuda
