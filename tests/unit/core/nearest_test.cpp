#include "tuile/core/nearest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace tuile {
namespace {

/// The definition, by recursion.
std::size_t slow_distance(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a.size() + b.size();
  const std::string a1 = a.substr(1), b1 = b.substr(1);
  std::size_t best = std::min({slow_distance(a1, b) + 1, slow_distance(a, b1) + 1, slow_distance(a1, b1) + (a[0] == b[0] ? 0 : 1)});
  if (a.size() > 1 && b.size() > 1 && a[0] == b[1] && a[1] == b[0]) best = std::min(best, slow_distance(a.substr(2), b.substr(2)) + 1);
  return best;
}

TEST(EditDistance, IsTheDefinition) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::string a(random() % 6, ' '), b(random() % 6, ' ');
    for (char& c : a) c = static_cast<char>('a' + random() % 3);
    for (char& c : b) c = static_cast<char>('a' + random() % 3);
    EXPECT_EQ(edit_distance(a, b), slow_distance(a, b)) << a << " " << b;
  }
}

TEST(Nearest, IsCloseOrNothing) {
  const std::vector<std::string> names{"workers", "ahead", "retries"};
  EXPECT_EQ(nearest("wrokers", names), "workers");
  EXPECT_EQ(nearest("retrys", names), "retries");
  EXPECT_EQ(nearest("colour", names), "");
  EXPECT_EQ(nearest(std::string(100000, 'w'), names), "");
}

}  // namespace
}  // namespace tuile
