#include "catalog/hilbert.hpp"

#include <cstdlib>
#include <map>
#include <utility>

namespace tuile::catalog {
namespace {

TEST(Hilbert, VisitsEveryCellOnceAndStepsToNeighboursOnly) {
  constexpr unsigned bits = 5;
  std::map<std::uint64_t, std::pair<int, int>> cells;
  for (std::uint32_t x = 0; x < 32; ++x) {
    for (std::uint32_t y = 0; y < 32; ++y) cells[hilbert_index(x, y, bits)] = {static_cast<int>(x), static_cast<int>(y)};
  }
  ASSERT_EQ(cells.size(), 1024U);
  EXPECT_EQ(cells.begin()->first, 0U);
  EXPECT_EQ(cells.rbegin()->first, 1023U);
  for (auto next = std::next(cells.begin()), here = cells.begin(); next != cells.end(); ++next, ++here) {
    EXPECT_EQ(std::abs(next->second.first - here->second.first) + std::abs(next->second.second - here->second.second), 1);
  }
}

}  // namespace
}  // namespace tuile::catalog
