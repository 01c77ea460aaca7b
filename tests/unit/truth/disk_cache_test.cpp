#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>

#include "fake_source.hpp"
#include "support/temporary_folder.hpp"
#include "truth/feature_codec.hpp"
#include "tuile/truth/store.hpp"

namespace tuile::truth {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

/// What the key `key` has, always: `bytes` of geometry that follow from the key, so that a wrong answer shows.
FetchResult answer(const std::string& key, std::size_t bytes = 1000) {
  FetchResult result;
  result.outcome = Outcome::data;
  std::mt19937 random(static_cast<unsigned>(std::hash<std::string>()(key)));
  std::string geometry(bytes, '\0');
  for (char& c : geometry) c = static_cast<char>(random());
  result.features.push_back({key, geometry, {{"key", key}}});
  return result;
}

bool is_right(const FetchResult& result, const std::string& key, std::size_t bytes = 1000) {
  const FetchResult expected = answer(key, bytes);
  return result.outcome == expected.outcome && result.features.size() == 1 && result.features[0].id == key &&
         result.features[0].geometry == expected.features[0].geometry && result.features[0].attributes == expected.features[0].attributes;
}

bool holds(DiskCache& cache, const std::string& key, std::size_t bytes = 1000) {
  FetchResult result;
  if (!cache.get(key, result)) return false;
  EXPECT_TRUE(is_right(result, key, bytes)) << key;
  return true;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) found.push_back(entry.path());
  }
  return found;
}

std::uint64_t size_in(const fs::path& folder) {
  std::uint64_t total = 0;
  for (const fs::path& path : files_in(folder)) total += fs::file_size(path);
  return total;
}

fs::path only_file_in(const fs::path& folder) {
  const auto found = files_in(folder);
  EXPECT_EQ(found.size(), 1U);
  return found.at(0);
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

std::int64_t now() { return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

TEST(DiskCache, keeps_answers_for_whoever_comes_next) {
  const TemporaryFolder folder;
  {
    DiskCache cache({.folder = folder / "deep/cache"});
    EXPECT_FALSE(fs::exists(folder / "deep"));  // nothing to keep yet
    FetchResult untouched = answer("untouched");
    EXPECT_FALSE(cache.get("a", untouched));
    EXPECT_TRUE(is_right(untouched, "untouched"));
    cache.put("a", answer("a"));
    EXPECT_TRUE(holds(cache, "a"));
    cache.put("a", answer("a"));
    const CacheStatistics counts = cache.statistics();
    EXPECT_EQ(counts.hits, 1U);
    EXPECT_EQ(counts.misses, 1U);
    EXPECT_EQ(counts.entries, 1U);
    EXPECT_EQ(counts.bytes, size_in(folder.path()));
    EXPECT_EQ(cache.problem(), "");
  }
  DiskCache again({.folder = folder / "deep/cache"});
  EXPECT_EQ(again.statistics().entries, 1U);
  EXPECT_EQ(again.statistics().bytes, size_in(folder.path()));
  EXPECT_TRUE(holds(again, "a"));
  EXPECT_FALSE(holds(again, "b"));

  const fs::path path = only_file_in(folder.path());
  EXPECT_EQ(path.extension(), ".tuile-truth");
  EXPECT_EQ(path.parent_path().filename().string(), path.filename().string().substr(0, 2));
  EXPECT_THROW(DiskCache({.folder = ""}), InvalidArgument);
}

TEST(DiskCache, keeps_sound_answers_only) {
  const TemporaryFolder folder;
  DiskCache cache({.folder = folder.path().string()});
  for (const Outcome outcome : {Outcome::failed, Outcome::truncated, Outcome::not_requested}) {
    FetchResult result = answer("a");
    result.outcome = outcome;
    cache.put("a", result);
    EXPECT_TRUE(files_in(folder.path()).empty());
  }
  FetchResult empty;
  empty.outcome = Outcome::confirmed_empty;
  cache.put("empty", empty);
  FetchResult back = answer("other");
  ASSERT_TRUE(cache.get("empty", back));
  EXPECT_EQ(back.outcome, Outcome::confirmed_empty);
  EXPECT_TRUE(back.features.empty());
  EXPECT_EQ(cache.problem(), "");
}

TEST(DiskCache, damaged_outdated_and_foreign_entries_are_misses_and_go) {
  const TemporaryFolder folder;
  DiskCache cache({.folder = folder.path().string(), .max_age_days = 2});
  cache.put("a", answer("a"));
  const fs::path path = only_file_in(folder.path());
  const std::string whole = read(path);
  std::string flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 1);
  const std::int64_t day = 86400;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"empty", ""},
      {"cut", whole.substr(0, whole.size() - 1)},
      {"header only", whole.substr(0, 16)},
      {"longer", whole + "x"},
      {"flipped", flipped},
      {"zeros", std::string(whole.size(), '\0')},
      {"another key's", encode_entry("b", now(), answer("a"))},
      {"outdated", encode_entry("a", now() - 2 * day - 60, answer("a"))},
      {"from the future", encode_entry("a", now() + 2 * day, answer("a"))},
  };
  for (const auto& [name, bytes] : cases) {
    write(path, bytes);
    EXPECT_FALSE(holds(cache, "a")) << name;
    EXPECT_FALSE(fs::exists(path)) << name;
    cache.put("a", answer("a"));
    EXPECT_TRUE(holds(cache, "a")) << name;
    EXPECT_EQ(cache.statistics().entries, 1U);
  }
  write(path, encode_entry("a", now() - 2 * day + 3600, answer("a")));
  EXPECT_TRUE(holds(cache, "a"));
  EXPECT_EQ(cache.statistics().misses, cases.size());
  EXPECT_EQ(cache.problem(), "");
}

TEST(DiskCache, the_least_recently_used_leave) {
  const TemporaryFolder folder;
  std::uint64_t size = 0;
  {
    DiskCache cache({.folder = folder.path().string()});
    cache.put("0", answer("0"));
    size = size_in(folder.path());
  }
  // Room for ten; one more and two leave, so that the next finds room.
  DiskCache cache({.folder = folder.path().string(), .limit = 10 * size + 5});
  for (const char* key : {"1", "2", "3", "4", "5", "6", "7", "8", "9"}) cache.put(key, answer(key));
  EXPECT_EQ(cache.statistics().evictions, 0U);
  EXPECT_TRUE(holds(cache, "0"));
  EXPECT_TRUE(holds(cache, "2"));
  cache.put("A", answer("A"));
  EXPECT_EQ(cache.statistics().evictions, 2U);
  EXPECT_EQ(cache.statistics().bytes, size_in(folder.path()));
  EXPECT_EQ(cache.statistics().entries, 9U);
  EXPECT_FALSE(holds(cache, "1"));
  EXPECT_FALSE(holds(cache, "3"));
  for (const char* key : {"0", "2", "4", "5", "6", "7", "8", "9", "A"}) EXPECT_TRUE(holds(cache, key)) << key;

  cache.put("giant", answer("giant", 100000));
  EXPECT_FALSE(holds(cache, "giant", 100000));
  EXPECT_TRUE(holds(cache, "A"));
}

TEST(DiskCache, never_more_bytes_than_the_limit) {
  const TemporaryFolder folder;
  DiskCache cache({.folder = folder.path().string(), .limit = 50000});
  std::mt19937 random(5);
  for (int i = 0; i < 200; ++i) {
    const std::string key = std::to_string(random() % 100);
    const std::size_t bytes = 100 * std::stoul(key);
    if (!holds(cache, key, bytes)) cache.put(key, answer(key, bytes));
    ASSERT_LE(size_in(folder.path()), 50000U);
    ASSERT_EQ(cache.statistics().bytes, size_in(folder.path()));
    ASSERT_EQ(cache.statistics().entries, files_in(folder.path()).size());
  }
  EXPECT_GT(cache.statistics().evictions, 30U);
  EXPECT_GT(cache.statistics().hits, 8U);
}

TEST(DiskCache, cleans_up_after_the_dead_only) {
  const TemporaryFolder folder;
  const std::string hash(32, 'a');
  const auto age = [](const std::string& path, int minutes) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::minutes(minutes));
  };
  const std::string stale = folder.write("aa/." + hash + ".tmp-1-2-3", "half"), fresh = folder.write("aa/." + hash + ".tmp-1-2-4", "half");
  const std::string foreign = folder.write("aa/notes.txt", "mine"), hidden = folder.write("aa/.tmp-x", "mine");
  const std::string outside = folder.write("." + hash + ".tmp-1-2-3", "mine"), other = folder.write("zz/" + hash + ".tuile-truth", "mine");
  for (const std::string& path : {stale, foreign, hidden, outside, other}) age(path, 61);
  age(fresh, 59);
  DiskCache cache({.folder = folder.path().string(), .limit = 3000});
  EXPECT_FALSE(fs::exists(stale));
  EXPECT_EQ(cache.statistics().entries, 0U);
  for (int i = 0; i < 20; ++i) cache.put(std::to_string(i), answer(std::to_string(i)));
  EXPECT_GT(cache.statistics().evictions, 10U);
  for (const std::string& path : {fresh, foreign, hidden, outside, other}) EXPECT_TRUE(fs::exists(path)) << path;
}

TEST(DiskCache, a_disk_that_refuses_costs_a_warning) {
  const TemporaryFolder folder;
  folder.write("file", "not a folder");
  DiskCache cache({.folder = folder / "file"});
  EXPECT_FALSE(holds(cache, "a"));
  cache.put("a", answer("a"));
  EXPECT_NE(cache.problem().find(folder / "file"), std::string::npos) << cache.problem();
  EXPECT_FALSE(holds(cache, "a"));
  EXPECT_EQ(cache.statistics().misses, 2U);
  EXPECT_EQ(cache.statistics().entries, 0U);
}

TEST(DiskCache, a_write_that_fails_leaves_nothing_half) {
  const TemporaryFolder folder;
  DiskCache cache({.folder = folder.path().string()});
  cache.put("a", answer("a"));
  const fs::path path = only_file_in(folder.path());
  // An entry whose place is taken by something that cannot be replaced: the rename fails.
  fs::remove(path);
  fs::create_directories(path / "occupied");
  cache.put("a", answer("a"));
  EXPECT_NE(cache.problem(), "");
  EXPECT_TRUE(files_in(folder.path()).empty());
  EXPECT_FALSE(holds(cache, "a"));
}

/// Puts and gets at random; returns the number of wrong answers.
int hammer(DiskCache& cache, unsigned seed, int rounds) {
  std::mt19937 random(seed);
  int wrong = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::size_t number = random() % 60;
    const std::string key = "key " + std::to_string(number);
    FetchResult result;
    if (!cache.get(key, result)) {
      cache.put(key, answer(key, 50 * number));
    } else if (!is_right(result, key, 50 * number)) {
      ++wrong;
    }
  }
  return wrong;
}

TEST(DiskCache, several_processes_in_one_folder) {
  const TemporaryFolder folder;
  const std::uint64_t limit = 40000;
  std::vector<pid_t> children;
  for (unsigned p = 0; p < 3; ++p) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int wrong = 1;
      try {
        DiskCache cache({.folder = folder.path().string(), .limit = limit});
        wrong = hammer(cache, p + 1, 1500);
        if (!cache.problem().empty() || cache.statistics().evictions == 0 || cache.statistics().hits == 0) wrong = 2;
      } catch (...) {
        wrong = 3;
      }
      ::_exit(wrong == 0 ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_LE(size_in(folder.path()), limit + 3 * (limit / 8 + 4000));
  for (const fs::path& path : files_in(folder.path())) EXPECT_EQ(path.extension(), ".tuile-truth") << path;
  // What is left is whole.
  DiskCache cache({.folder = folder.path().string()});
  EXPECT_EQ(hammer(cache, 9, 300), 0);
  EXPECT_GT(cache.statistics().hits, 50U);
}

TEST(DiskCache, several_threads_in_one_cache) {
  const TemporaryFolder folder;
  DiskCache cache({.folder = folder.path().string(), .limit = 40000});
  std::vector<int> wrong(4, -1);
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t) threads.emplace_back([&, t] { wrong[t] = hammer(cache, t + 1, 600); });
  }
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
  EXPECT_EQ(cache.problem(), "");
  const CacheStatistics counts = cache.statistics();
  EXPECT_EQ(counts.hits + counts.misses, 2400U);
  EXPECT_EQ(counts.bytes, size_in(folder.path()));
  EXPECT_EQ(counts.entries, files_in(folder.path()).size());
  EXPECT_LE(counts.bytes, 40000U);
}

}  // namespace
}  // namespace tuile::truth
