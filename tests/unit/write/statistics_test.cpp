#include "write/statistics.hpp"

#include <cmath>

#include "write_support.hpp"

using namespace tuile;
using namespace tuile::write;

namespace {

FeatureBlock random_block(std::size_t points) {
  FeatureBlock block;
  block.names = {"a", "b", "all_nan"};
  block.points = points;
  block.values = Buffer<float>(points * 3);
  std::mt19937 random(3);
  std::uniform_real_distribution<float> value(-5.0F, 20.0F);
  for (std::size_t i = 0; i < points; ++i) {
    block.values[3 * i] = value(random);
    block.values[3 * i + 1] = random() % 4 == 0 ? std::nanf("") : value(random) * 1e-3F;
    block.values[3 * i + 2] = std::nanf("");
  }
  return block;
}

}  // namespace

TEST(Statistics, AgreesWithAPlainLoop) {
  const FeatureBlock block = random_block(200001);
  Executor executor(2);
  const std::vector<FeatureStatistics> statistics = compute_statistics(block, executor);
  ASSERT_EQ(statistics.size(), 3U);
  for (std::size_t column = 0; column < 2; ++column) {
    long double sum = 0;
    double low = INFINITY, high = -INFINITY;
    std::uint64_t nan = 0;
    for (std::size_t i = 0; i < block.points; ++i) {
      const double value = block.at(i, column);
      if (std::isnan(value)) {
        ++nan;
        continue;
      }
      sum += value;
      low = std::min(low, value);
      high = std::max(high, value);
    }
    EXPECT_EQ(statistics[column].name, block.names[column]);
    EXPECT_EQ(statistics[column].nan, nan);
    EXPECT_EQ(statistics[column].min, low);
    EXPECT_EQ(statistics[column].max, high);
    EXPECT_NEAR(statistics[column].mean, static_cast<double>(sum / static_cast<long double>(block.points - nan)), 1e-12);
  }
  EXPECT_EQ(statistics[2].nan, block.points);
  EXPECT_TRUE(std::isnan(statistics[2].min) && std::isnan(statistics[2].mean) && std::isnan(statistics[2].max));
}

TEST(Statistics, SameBitsWhateverTheThreads) {
  const FeatureBlock block = random_block(300000);
  Executor one(1), four(4);
  const std::vector<FeatureStatistics> expected = compute_statistics(block, one);
  for (int trial = 0; trial < 5; ++trial) {
    const std::vector<FeatureStatistics> found = compute_statistics(block, four);
    for (std::size_t column = 0; column < 2; ++column) EXPECT_EQ(found[column].mean, expected[column].mean);
  }
}

TEST(Statistics, NoRows) {
  Executor executor(1);
  const std::vector<FeatureStatistics> statistics = compute_statistics(random_block(0), executor);
  ASSERT_EQ(statistics.size(), 3U);
  EXPECT_TRUE(std::isnan(statistics[0].mean));
  EXPECT_EQ(statistics[0].nan, 0U);
}
