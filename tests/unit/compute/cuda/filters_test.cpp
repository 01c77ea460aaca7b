// Each filter against its definition, by comparing all pairs.
#include <random>
#include <tuple>

#include "batch_run.hpp"
#include "brute_force.hpp"

namespace tuile::compute::cuda {
namespace {

using test::Cloud;
using test::town;

const features::FeaturePlan& any_plan() {
  static const features::FeaturePlan plan = features::make_plan({"neighborhood_extent"}, {{20}});
  return plan;
}

std::vector<GridPoint> of(const std::vector<GridPoint>& points, const std::vector<std::uint8_t>& valid) {
  std::vector<GridPoint> kept;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (valid[i] != 0) kept.push_back(points[i]);
  }
  return kept;
}

std::uint64_t distances_by_hand(const std::vector<GridPoint>& points, const GridPoint& from, int k) {
  std::uint64_t sum = 0;
  for (const test::Offset& o : test::nearest(points, from, static_cast<std::size_t>(k) + 1)) {
    sum += static_cast<std::uint64_t>(std::floor(256.0 * std::sqrt(static_cast<double>(o.d2))));
  }
  return sum;
}

std::vector<std::uint8_t> statistical_by_hand(const TestPiece& piece, const Preprocess::StatisticalOutliers& wanted,
                                              std::vector<std::uint64_t>& sums) {
  const auto& points = piece.cloud.points;
  double mean = 0, square = 0;
  for (const GridPoint& point : points) sums.push_back(distances_by_hand(points, point, wanted.k));
  const auto n = static_cast<double>(piece.rows);
  for (std::size_t i = 0; i < piece.rows; ++i) mean += static_cast<double>(sums[i]) / n;
  for (std::size_t i = 0; i < piece.rows; ++i) square += (static_cast<double>(sums[i]) - mean) * (static_cast<double>(sums[i]) - mean) / n;
  const double threshold = mean + wanted.deviations * std::sqrt(square);
  std::vector<std::uint8_t> valid;
  for (const std::uint64_t s : sums) {
    EXPECT_GT(std::abs(static_cast<double>(s) - threshold), 1e-6 * threshold) << "the case decides nothing";
    valid.push_back(static_cast<double>(s) > threshold ? 0 : 1);
  }
  return valid;
}

/// With extents of the points that stay: also that trees are whole after points have gone.
void expect(const TestPiece& piece, const BatchResult& result, std::size_t p, const std::vector<std::uint8_t>& valid,
            std::size_t step = 3) {
  const Piece& there = result.plan.pieces[p];
  const std::vector<std::uint8_t> got(result.valid.begin() + there.first_point,
                                      result.valid.begin() + there.first_point + static_cast<std::ptrdiff_t>(valid.size()));
  ASSERT_EQ(got, valid);
  const std::vector<GridPoint> kept = of(piece.cloud.points, valid);
  EXPECT_EQ(result.states[p].valid, kept.size());
  for (std::size_t row = 0; row < piece.rows; row += step) {
    const float extent = result.at(there.first_row + row, 0);
    if (valid[row] == 0) {
      ASSERT_TRUE(std::isnan(extent));
      continue;
    }
    const auto v = test::Exact(test::nearest(kept, piece.cloud.points[row], 20)).values(piece.grid.scale);
    ASSERT_EQ(extent, test::value_of(features::Feature::neighborhood_extent, v)) << row;
  }
}

std::uint32_t gone(const std::vector<std::uint8_t>& valid, std::size_t rows) {
  return static_cast<std::uint32_t>(std::count(valid.begin(), valid.begin() + static_cast<std::ptrdiff_t>(rows), 0));
}

TEST(Filters, StatisticalOutliers) {
  for (const int k : {4, 12, 63, 64, 100}) {
    Preprocess preprocess;
    preprocess.statistical_outliers = {k, 1.5};
    std::vector<TestPiece> pieces{piece_of(town(700, 900, 1)), piece_of(town(300, 900, 2))};
    pieces[0].rows = 500;
    const BatchResult result = BatchRun(pieces, any_plan(), preprocess).run();
    for (std::size_t p = 0; p < 2; ++p) {
      std::vector<std::uint64_t> sums;
      const auto valid = statistical_by_hand(pieces[p], preprocess.statistical_outliers, sums);
      const auto first = result.sums.begin() + result.plan.pieces[p].first_point;
      ASSERT_EQ(std::vector<std::uint64_t>(first, first + static_cast<std::ptrdiff_t>(sums.size())), sums) << k;
      expect(pieces[p], result, p, valid);
      EXPECT_GT(gone(valid, pieces[p].rows), 0U);
      EXPECT_EQ(result.states[p].removed_statistical, gone(valid, pieces[p].rows));
      EXPECT_EQ(result.states[p].distances.count, pieces[p].rows);
    }
  }
}

TEST(Filters, StatisticalOutliersBeyondFloat) {
  Cloud cloud = town(300, 900, 3);
  cloud.points.push_back({1'000'000'000, 0, 0});  // inexact, and far from all
  cloud.points.push_back({-1'000'000'000, 7, -9});
  for (int copies = 0; copies < 50; ++copies) cloud.points.push_back({5, 5, 5});
  Preprocess preprocess;
  preprocess.statistical_outliers = {12, 2};
  const TestPiece piece = piece_of(cloud);
  std::vector<std::uint64_t> sums;
  const auto valid = statistical_by_hand(piece, preprocess.statistical_outliers, sums);
  const BatchResult result = BatchRun({piece}, any_plan(), preprocess).run();
  EXPECT_EQ(result.sums, sums);
  expect(piece, result, 0, valid);
  EXPECT_EQ(gone(valid, piece.rows), 2U);
}

TEST(Filters, FewerPointsThanOthersAsked) {
  Preprocess preprocess;
  preprocess.statistical_outliers = {40, 1};
  const TestPiece piece = piece_of(town(23, 900, 4));
  std::vector<std::uint64_t> sums;
  const auto valid = statistical_by_hand(piece, preprocess.statistical_outliers, sums);
  const BatchResult result = BatchRun({piece}, any_plan(), preprocess).run();
  EXPECT_EQ(result.sums, sums);
  expect(piece, result, 0, valid);
}

TEST(Filters, RadiusOutliers) {
  for (const int least : {-1, 1, 4, 60}) {  // what is below 0 marks nothing
    TestPiece piece = piece_of(town(900, 1500, 5));
    piece.rows = 700;
    Preprocess preprocess;
    preprocess.radius_outliers = {1.0, least};
    std::vector<std::uint8_t> valid;
    for (const GridPoint& point : piece.cloud.points) {
      std::size_t within = 0;
      for (const test::Offset& o : test::offsets_from(piece.cloud.points, point)) within += o.d2 <= 10'000 ? 1 : 0;
      valid.push_back(within - 1 < static_cast<std::size_t>(std::max(0, least)) ? 0 : 1);
    }
    const BatchResult result = BatchRun({piece}, any_plan(), preprocess).run();
    expect(piece, result, 0, valid);
    EXPECT_EQ(result.states[0].removed_radius, gone(valid, piece.rows)) << least;
  }
}

/// The cell by dividing rationals: floor(c · scale / size) with scale and size in thousandths.
std::int64_t cell_by_hand(std::int64_t coordinate, std::int64_t scale, std::int64_t size) {
  const std::int64_t numerator = coordinate * scale;
  return numerator >= 0 ? numerator / size : -((-numerator + size - 1) / size);
}

void compare_voxels(TestPiece piece, std::int64_t scale, std::int64_t size, std::array<std::int64_t, 3> origin) {
  piece.grid.scale = static_cast<double>(scale) / 1000;
  piece.grid.origin = origin;
  Preprocess preprocess;
  preprocess.voxel = static_cast<double>(size) / 1000;
  const auto& points = piece.cloud.points;
  const auto cell = [&](const GridPoint& p) {
    return std::tuple{cell_by_hand(origin[0] + p.x, scale, size), cell_by_hand(origin[1] + p.y, scale, size),
                      cell_by_hand(origin[2] + p.z, scale, size)};
  };
  std::vector<std::uint8_t> valid(points.size(), 1);
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = 0; j < points.size() && valid[i] != 0; ++j) {
      const auto &a = points[j], &b = points[i];
      if (std::tuple{a.x, a.y, a.z, j} < std::tuple{b.x, b.y, b.z, i} && cell(a) == cell(b)) valid[i] = 0;
    }
  }
  const BatchResult result = BatchRun({piece}, any_plan(), preprocess).run();
  expect(piece, result, 0, valid, 7);
  EXPECT_GT(gone(valid, piece.rows), 0U);
  EXPECT_EQ(result.states[0].removed_voxel, gone(valid, piece.rows));
}

TEST(Filters, Voxels) {
  TestPiece piece = piece_of(town(900, 900, 6));
  piece.rows = 600;
  for (int copies = 0; copies < 100; ++copies) piece.cloud.points.push_back({300, 300, 30});
  compare_voxels(piece, 10, 500, {0, 0, 0});
  compare_voxels(piece, 10, 1000, {98'765'432'101, -652'400'007, -13});
  compare_voxels(piece, 10, 4000, {-450, -450, 0});
  compare_voxels(piece, 8, 500, {12'345, -777, 5});  // no whole number of units
  compare_voxels(piece, 7, 2000, {98'765'432'101, 0, 0});
  for (std::size_t i = 0; i < 450; ++i) piece.cloud.points[i].x += 1'000'000'000;
  compare_voxels(piece, 10, 1000, {0, 0, 0});
}

TEST(Filters, OneAfterTheOther) {
  TestPiece piece = piece_of(town(900, 900, 7));
  piece.rows = 700;
  Preprocess preprocess;
  preprocess.exclude_classes = {5};
  preprocess.statistical_outliers = {8, 1};
  preprocess.radius_outliers = {0.8, 5};
  preprocess.voxel = 0.5;
  const BatchResult result = BatchRun({piece}, any_plan(), preprocess).run();
  const auto& points = piece.cloud.points;
  std::vector<std::uint8_t> valid;
  for (const std::uint8_t code : piece.cloud.classes) valid.push_back(code == 5 ? 0 : 1);
  const std::uint32_t classes = gone(valid, piece.rows);
  // Statistical: by the sums, whose own test is above.
  double mean = 0, square = 0, n = 0;
  for (std::size_t i = 0; i < piece.rows; ++i) n += valid[i];
  for (std::size_t i = 0; i < piece.rows; ++i) mean += valid[i] * static_cast<double>(result.sums[i]) / n;
  for (std::size_t i = 0; i < piece.rows; ++i) square += valid[i] * std::pow(static_cast<double>(result.sums[i]) - mean, 2) / n;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (static_cast<double>(result.sums[i]) > mean + std::sqrt(square)) valid[i] = 0;
  }
  const std::uint32_t statistical = gone(valid, piece.rows) - classes;
  std::vector<GridPoint> kept = of(points, valid);
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::size_t within = 0;
    for (const test::Offset& o : test::offsets_from(kept, points[i])) within += o.d2 <= 6400 ? 1 : 0;
    if (within <= 5) valid[i] = 0;
  }
  const std::uint32_t radius = gone(valid, piece.rows) - classes - statistical;
  const std::vector<std::uint8_t> before = valid;
  const auto cell = [](const GridPoint& p) {
    return std::tuple{cell_by_hand(p.x, 10, 500), cell_by_hand(p.y, 10, 500), cell_by_hand(p.z, 10, 500)};
  };
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = 0; j < points.size(); ++j) {
      const auto &a = points[j], &b = points[i];
      if (before[j] != 0 && std::tuple{a.x, a.y, a.z, j} < std::tuple{b.x, b.y, b.z, i} && cell(a) == cell(b)) valid[i] = 0;
    }
  }
  EXPECT_GT(statistical, 0U);
  EXPECT_GT(radius, 0U);
  expect(piece, result, 0, valid);
  EXPECT_EQ(result.states[0].removed_classes, classes);
  EXPECT_EQ(result.states[0].removed_statistical, statistical);
  EXPECT_EQ(result.states[0].removed_radius, radius);
  EXPECT_EQ(result.states[0].removed_voxel, gone(valid, piece.rows) - classes - statistical - radius);
}

TEST(Filters, EverythingGoes) {
  const TestPiece piece = piece_of(town(200, 20'000, 8));
  Preprocess preprocess;
  preprocess.radius_outliers = {0.05, 50};
  preprocess.voxel = 1;
  const BatchResult result = BatchRun({piece}, any_plan(), preprocess).run();
  EXPECT_EQ(result.states[0].valid, 0U);
  EXPECT_EQ(result.states[0].removed_radius, 200U);
  EXPECT_EQ(result.states[0].removed_voxel, 0U);
}

/// A block's sums are of the rows whose neighbours it knows for certain; the others are listed.
TEST(Filters, SumsOfABlock) {
  TestPiece piece = piece_of(town(600, 900, 9));
  piece.given = {100, 0, 800, 900};
  Preprocess preprocess;
  preprocess.statistical_outliers = {12, 2};
  BatchRun run({piece}, any_plan(), preprocess);
  mark(run.plan(), run.arrays(), run.stream());
  order(run.plan(), run.arrays(), run.stream());
  distance_sums(run.plan(), run.arrays(), run.stream());
  finish(run.plan(), run.arrays(), run.stream());
  const BatchResult result = run.fetch();
  const auto& points = piece.cloud.points;
  DistanceSums sums{};
  std::vector<std::uint32_t> open;
  for (std::uint32_t i = 0; i < points.size(); ++i) {
    const test::Exact exact(test::nearest(points, points[i], 13));
    const double given = std::min({points[i].x - 100.0, 800.0 - points[i].x, 1.0 * points[i].y, 900.0 - points[i].y});
    if (static_cast<double>(exact.reach2) > given * given) {
      open.push_back(i);
    } else {
      add_distances(sums, distances_by_hand(points, points[i], 12));
    }
  }
  std::vector<std::uint32_t> listed(result.unfinished.begin(), result.unfinished.begin() + result.states[0].unfinished);
  std::sort(listed.begin(), listed.end());
  EXPECT_EQ(listed, open);
  EXPECT_GT(open.size(), 0U);
  EXPECT_EQ(std::memcmp(&sums, &result.states[0].distances, sizeof(sums)), 0);
}

}  // namespace
}  // namespace tuile::compute::cuda
