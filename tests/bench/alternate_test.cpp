#include "alternate.hpp"

#include <string>

#include "tuile/core/error.hpp"

namespace tuile::bench {
namespace {

TEST(Median, IsTheMiddleOrTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(median({5, 1, 3}), 3);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
  EXPECT_THROW(median({}), InvalidArgument);
}

TEST(Alternate, RunsEveryWorkInTurn) {
  std::string order;
  const auto times = alternate(3, {[&] { order += 'a'; }, [&] { order += 'b'; }, [&] { order += 'c'; }});
  EXPECT_EQ(order, "abcabcabc");
  ASSERT_EQ(times.size(), 3U);
  for (const Times& work : times) EXPECT_EQ(work.all.size(), 3U);
  EXPECT_THROW(alternate(0, {[] {}}), InvalidArgument);
}

TEST(Spread, IsOfNeighbouringRuns) {
  const auto spread = spread_of({10, 30, 20}, {1, 10, 4});
  ASSERT_TRUE(spread);
  EXPECT_EQ(spread->low, 3);
  EXPECT_EQ(spread->high, 10);
  EXPECT_FALSE(spread_of({1}, {1}));
}

TEST(SpeedRow, RatioIsHowManyTimesFaster) {
  const Row row = speed_row("a", 12, "M points/s", {{2, 3, 4}}, "b", {{6, 12, 9}}, 3);
  EXPECT_EQ(row.value, 4);
  EXPECT_DOUBLE_EQ(row.baseline, 12.0 / 9);
  EXPECT_DOUBLE_EQ(row.ratio, 3);
  EXPECT_EQ(row.runs, 3);
  EXPECT_TRUE(row.met());
  ASSERT_TRUE(row.spread);
  EXPECT_DOUBLE_EQ(row.spread->low, 9.0 / 4);
  EXPECT_DOUBLE_EQ(row.spread->high, 4);
  EXPECT_FALSE(speed_row("a", 12, "", {{2, 3, 4}}, "b", {{6, 12, 8.9}}, 3).met());
}

TEST(CostRow, LessIsBetter) {
  const Row row = cost_row("a", {11, 10, 12}, "s", "b", {10, 10, 10}, 1.05);
  EXPECT_DOUBLE_EQ(row.ratio, 1.1);
  EXPECT_FALSE(row.met());
  EXPECT_DOUBLE_EQ(row.spread->low, 1.0);
  EXPECT_DOUBLE_EQ(row.spread->high, 1.2);
  EXPECT_TRUE(cost_row("a", {10}, "s", "b", {10}, 1.05).met());
  EXPECT_TRUE(cost_row("a", {99}, "s", "b", {10}, std::nullopt).met());
}

}  // namespace
}  // namespace tuile::bench
