#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <latch>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tuile/truth/store.hpp"

namespace tuile::truth {
namespace {

/// A cell of about `vertices` · 16 bytes that says who it is.
CellHandle make_cell(const std::string& mark, std::size_t vertices = 10, Outcome outcome = Outcome::data) {
  auto cell = std::make_shared<CellAreas>();
  cell->outcome = outcome;
  cell->reason = mark;
  cell->areas.vertices.resize(vertices);
  return cell;
}

std::size_t size_of(const std::string& key, std::size_t vertices = 10) { return key.size() + make_cell(key, vertices)->bytes(); }

/// Gets `key`, and says whether it had to be made.
bool is_made(MemoryCache& cache, const std::string& key, std::size_t vertices = 10) {
  bool made = false;
  const CellHandle cell = cache.get(key,
                                    [&] {
                                      made = true;
                                      return make_cell(key, vertices);
                                    },
                                    {});
  EXPECT_EQ(cell->reason, key);
  return made;
}

TEST(MemoryCache, keeps_the_most_recently_used_within_its_bytes) {
  MemoryCache cache(3 * size_of("a"));
  EXPECT_TRUE(is_made(cache, "a"));
  EXPECT_TRUE(is_made(cache, "b"));
  EXPECT_TRUE(is_made(cache, "c"));
  EXPECT_EQ(cache.statistics().bytes, 3 * size_of("a"));
  EXPECT_FALSE(is_made(cache, "a"));  // the most recently used now
  EXPECT_TRUE(is_made(cache, "d"));   // b leaves
  EXPECT_FALSE(is_made(cache, "a"));
  EXPECT_FALSE(is_made(cache, "c"));
  EXPECT_FALSE(is_made(cache, "d"));
  EXPECT_TRUE(is_made(cache, "b"));  // a leaves
  EXPECT_TRUE(is_made(cache, "a"));
  const CacheStatistics counts = cache.statistics();
  EXPECT_EQ(counts.misses, 6U);
  EXPECT_EQ(counts.hits, 4U);
  EXPECT_EQ(counts.evictions, 3U);
  EXPECT_EQ(counts.joined, 0U);
  EXPECT_EQ(counts.entries, 3U);
  EXPECT_EQ(counts.bytes, 3 * size_of("a"));
}

TEST(MemoryCache, one_large_cell_displaces_many_and_a_larger_one_none) {
  MemoryCache cache(4 * size_of("a"));
  for (const char* key : {"a", "b", "c", "d"}) is_made(cache, key);
  EXPECT_TRUE(is_made(cache, "L", 30));  // not twice, but more than once the size of the others
  EXPECT_LE(cache.statistics().bytes, 4 * size_of("a"));
  EXPECT_FALSE(is_made(cache, "L", 30));
  const std::size_t entries = cache.statistics().entries;
  EXPECT_TRUE(is_made(cache, "giant", 100000));
  EXPECT_TRUE(is_made(cache, "giant", 100000));
  EXPECT_EQ(cache.statistics().entries, entries);
}

TEST(MemoryCache, a_lower_limit_and_clear_free_at_once) {
  MemoryCache cache(10 * size_of("a"));
  for (const char* key : {"a", "b", "c", "d"}) is_made(cache, key);
  cache.set_limit(2 * size_of("a"));
  EXPECT_EQ(cache.statistics().entries, 2U);
  EXPECT_EQ(cache.statistics().evictions, 2U);
  EXPECT_FALSE(is_made(cache, "d"));
  EXPECT_TRUE(is_made(cache, "a"));
  std::weak_ptr<const CellAreas> watched = cache.get("a", [] { return make_cell("never"); }, {});
  EXPECT_FALSE(watched.expired());
  cache.clear();
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(cache.statistics().bytes, 0U);
  EXPECT_EQ(cache.statistics().entries, 0U);
  EXPECT_EQ(cache.statistics().evictions, 3U);
  EXPECT_TRUE(is_made(cache, "d"));
}

TEST(MemoryCache, unsound_cells_are_given_but_not_kept) {
  MemoryCache cache(1 << 20);
  for (const Outcome outcome : {Outcome::failed, Outcome::truncated, Outcome::not_requested}) {
    int made = 0;
    for (int i = 0; i < 2; ++i)
      EXPECT_EQ(cache
                    .get("k",
                         [&] {
                           ++made;
                           return make_cell("k", 1, outcome);
                         },
                         {})
                    ->outcome,
                outcome);
    EXPECT_EQ(made, 2);
  }
  EXPECT_EQ(cache.statistics().entries, 0U);
  cache.get("k", [] { return make_cell("k", 1, Outcome::confirmed_empty); }, {});
  EXPECT_FALSE(is_made(cache, "k"));
}

TEST(MemoryCache, sixteen_askers_make_one_fetch) {
  for (const Outcome outcome : {Outcome::data, Outcome::failed}) {
    MemoryCache cache(1 << 20);
    constexpr int askers = 16;
    std::atomic<int> made{0};
    std::latch all_came(askers);
    std::vector<CellHandle> cells(askers);
    std::vector<std::jthread> threads;
    for (int i = 0; i < askers; ++i) {
      threads.emplace_back([&, i] {
        all_came.count_down();
        cells[static_cast<std::size_t>(i)] =
            cache.get("k",
                      [&] {
                        ++made;
                        all_came.wait();
                        std::this_thread::sleep_for(std::chrono::milliseconds(100));  // time for the others to begin to wait
                        return make_cell("k", 10, outcome);
                      },
                      {});
      });
    }
    threads.clear();
    const CacheStatistics counts = cache.statistics();
    EXPECT_EQ(counts.hits + counts.misses, 16U);
    EXPECT_EQ(counts.misses, static_cast<std::uint64_t>(made));
    EXPECT_LE(counts.joined, counts.hits);
    // A failure is not kept: who came after it (the machine may be slow) asks anew.
    if (outcome == Outcome::data) {
      EXPECT_EQ(made, 1);
      for (const CellHandle& cell : cells) EXPECT_EQ(cell, cells[0]);
    }
  }
}

TEST(MemoryCache, a_maker_that_gives_up_hands_over) {
  MemoryCache cache(1 << 20);
  std::stop_source first_stop;
  std::latch making(1);
  std::atomic<int> made{0};
  std::jthread first([&] {
    EXPECT_THROW(cache.get(
                     "k",
                     [&]() -> CellHandle {
                       making.count_down();
                       std::mutex mutex;
                       std::condition_variable_any never;
                       std::unique_lock lock(mutex);
                       never.wait(lock, first_stop.get_token(), [] { return false; });
                       throw Cancelled("the first asker has gone");
                     },
                     first_stop.get_token()),
                 Cancelled);
  });
  making.wait();
  std::vector<std::jthread> others;
  for (int i = 0; i < 4; ++i) {
    others.emplace_back([&] {
      const CellHandle cell = cache.get("k",
                                        [&] {
                                          ++made;
                                          return make_cell("second");
                                        },
                                        {});
      EXPECT_EQ(cell->reason, "second");
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  first_stop.request_stop();
  others.clear();
  first.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(cache.statistics().misses, 2U);
  EXPECT_EQ(cache.statistics().hits, 3U);
}

TEST(MemoryCache, an_error_is_everybodys_who_makes) {
  MemoryCache cache(1 << 20);
  std::barrier together(8);
  std::atomic<int> errors{0}, made{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        together.arrive_and_wait();
        try {
          cache.get("k",
                    [&]() -> CellHandle {
                      ++made;
                      throw ConfigError("no vector data");
                    },
                    {});
        } catch (const ConfigError&) {
          ++errors;
        }
      });
    }
  }
  EXPECT_EQ(errors, 8);
  EXPECT_EQ(made, 8);
  EXPECT_TRUE(is_made(cache, "k"));
  EXPECT_FALSE(is_made(cache, "k"));
  EXPECT_THROW(cache.get("null", [] { return CellHandle(); }, {}), InvalidArgument);
}

TEST(MemoryCache, who_waits_can_be_cancelled_alone) {
  MemoryCache cache(1 << 20);
  std::latch making(1), release(1);
  std::jthread first([&] {
    EXPECT_EQ(cache
                  .get("k",
                       [&] {
                         making.count_down();
                         release.wait();
                         return make_cell("k");
                       },
                       {})
                  ->reason,
              "k");
  });
  making.wait();
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    stop.request_stop();
  });
  EXPECT_THROW(cache.get(
                   "k", [] { return make_cell("wrong"); }, stop.get_token()),
               Cancelled);
  EXPECT_THROW(cache.get(
                   "k", [] { return make_cell("wrong"); }, stop.get_token()),
               Cancelled);  // at once
  release.count_down();
  first.join();
  EXPECT_FALSE(is_made(cache, "k"));
  EXPECT_EQ(cache.statistics().misses, 1U);
  EXPECT_EQ(cache.statistics().hits, 1U);
}

TEST(MemoryCache, many_threads_many_keys_a_small_limit) {
  const std::size_t limit = 12 * size_of("key 10", 100);
  MemoryCache cache(limit);
  std::atomic<std::uint64_t> asked{0}, cancelled{0}, made{0};
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        std::minstd_rand random(t + 1);
        for (int i = 0; i < 1500; ++i) {
          const std::string key = "key " + std::to_string(random() % 30);
          const bool gives_up = random() % 8 == 0;
          ++asked;
          try {
            const CellHandle cell = cache.get(key,
                                              [&]() -> CellHandle {
                                                ++made;
                                                if (gives_up) throw Cancelled("gone");
                                                std::this_thread::yield();
                                                return make_cell(key, random() % 200, random() % 5 == 0 ? Outcome::failed : Outcome::data);
                                              },
                                              {});
            if (cell->reason != key) ADD_FAILURE() << cell->reason << " for " << key;
          } catch (const Cancelled&) {
            ++cancelled;
          }
          if (i % 100 == 0 && cache.statistics().bytes > limit) ADD_FAILURE() << "beyond the limit";
        }
      });
    }
  }
  const CacheStatistics counts = cache.statistics();
  EXPECT_EQ(counts.hits + counts.misses, asked.load());
  EXPECT_EQ(counts.misses, made.load());
  EXPECT_GT(counts.evictions, 0U);
  EXPECT_LE(counts.bytes, limit);
}

TEST(MemoryCache, the_process_has_one_and_its_limit_only_grows) {
  const auto cache = process_memory_cache(2 * size_of("a"));
  EXPECT_EQ(process_memory_cache(1), cache);
  EXPECT_TRUE(is_made(*cache, "a"));
  EXPECT_TRUE(is_made(*cache, "b"));
  EXPECT_FALSE(is_made(*cache, "a"));
  EXPECT_TRUE(is_made(*cache, "c"));
  EXPECT_TRUE(is_made(*cache, "b"));
  EXPECT_EQ(process_memory_cache(3 * size_of("a")), cache);
  for (const char* key : {"a", "b", "c"}) is_made(*cache, key);
  for (const char* key : {"a", "b", "c"}) EXPECT_FALSE(is_made(*cache, key));
  cache->clear();
}

}  // namespace
}  // namespace tuile::truth
