#include "prefetch/strip_store.hpp"

#include <gtest/gtest.h>

namespace tuile::prefetch {
namespace {

/// A tile of `points` points without attributes.
Tile tile_of(std::size_t points) {
  Tile tile;
  tile.points.units = Buffer<GridPoint>(points);
  return tile;
}
std::size_t bytes_of(std::size_t points) { return tile_of(points).points.bytes(); }

const Bounds west{0, 0, 1, 10}, east{9, 0, 10, 10};

TEST(StripStore, GivesWhatWasExpectedOnce) {
  StripStore store(1 << 20);
  store.expect({"a", east});
  store.put({"a", east}, tile_of(3));
  store.put({"a", west}, tile_of(3));
  EXPECT_FALSE(store.take({"a", west})) << "nobody expects it";
  const auto strip = store.take({"a", east});
  ASSERT_TRUE(strip);
  EXPECT_EQ(strip->points.size(), 3U);
  EXPECT_EQ(store.bytes(), 0U);
  EXPECT_FALSE(store.take({"a", east}));
  EXPECT_FALSE(store.expects({"a", east}));
}

TEST(StripStore, WantsWhatIsExpectedAndNotThere) {
  StripStore store(1 << 20);
  store.expect({"a", west});
  store.expect({"a", std::nullopt});
  store.expect({"a", east});
  EXPECT_EQ(store.wanted("a", false), (std::vector<Bounds>{west, east}));
  EXPECT_EQ(store.wanted("a", true), (std::vector<Bounds>{west})) << "the tile's own decode will leave the other";
  store.put({"a", west}, tile_of(1));
  EXPECT_TRUE(store.wanted("a", true).empty());
  store.forget({"a", east});
  EXPECT_TRUE(store.wanted("a", false).empty());
  EXPECT_TRUE(store.wanted("unknown", false).empty());
}

TEST(StripStore, WhatIsWantedLastLeavesFirst) {
  StripStore store(2 * bytes_of(100));
  for (const char* path : {"a", "b", "c"}) store.expect({path, east});
  store.put({"c", east}, tile_of(100));
  store.put({"a", east}, tile_of(100));
  store.put({"b", east}, tile_of(100));
  EXPECT_TRUE(store.take({"a", east}));
  EXPECT_TRUE(store.take({"b", east}));
  EXPECT_FALSE(store.take({"c", east}));
}

TEST(StripStore, WhatIsLargeLeavesBeforeWhatIsSmall) {
  StripStore store(bytes_of(110));
  store.expect({"large", std::nullopt});
  store.expect({"small", east});
  store.put({"large", std::nullopt}, tile_of(100));
  EXPECT_TRUE(store.has_room(bytes_of(10)));
  EXPECT_FALSE(store.has_room(bytes_of(11)));
  store.put({"small", east}, tile_of(20));
  EXPECT_FALSE(store.take({"large", std::nullopt}));
  EXPECT_TRUE(store.take({"small", east}));
  EXPECT_FALSE(store.has_room(bytes_of(111)));
}

TEST(StripStore, CountsTheTurnsUntilAWholeTile) {
  StripStore store(1 << 20);
  for (const char* path : {"a", "b", "c", "d"}) {
    store.expect({path, std::nullopt});
    store.expect({path, east});
  }
  store.take({"a", std::nullopt});
  EXPECT_TRUE(store.comes_soon("b", 1));
  EXPECT_FALSE(store.comes_soon("c", 1));
  EXPECT_TRUE(store.comes_soon("c", 2));
  store.take({"c", std::nullopt});
  EXPECT_TRUE(store.comes_soon("d", 1));
  store.forget({"d", std::nullopt});
  EXPECT_FALSE(store.comes_soon("d", 100)) << "it will not come any more";
  EXPECT_FALSE(store.comes_soon("unknown", 100));
}

}  // namespace
}  // namespace tuile::prefetch
