#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <latch>
#include <random>
#include <thread>

#include "fake_source.hpp"
#include "support/temporary_folder.hpp"
#include "tuile/truth/store.hpp"

namespace tuile::truth {
namespace {

namespace fs = std::filesystem;
using test::FakeSource;
using test::TemporaryFolder;

std::shared_ptr<FakeSource> make_source(bool remote = true) {
  auto source = std::make_shared<FakeSource>(remote);
  std::mt19937 random(1);
  for (const char* layer : {"batiment", "cimetiere"}) {
    for (int i = 0; i < 300; ++i) {
      const double x = static_cast<double>(random() % 2500), y = static_cast<double>(random() % 2500);
      source->layers[layer].push_back(test::rectangle(std::string(layer) + std::to_string(i), {x, y, x + 12, y + 8}));
    }
  }
  return source;
}

std::vector<Layer> three_layers() { return {test::plain_layer("batiment"), test::plain_layer("cimetiere"), test::plain_layer("vide")}; }

StoreOptions options(const std::string& folder = "") {
  StoreOptions chosen;
  chosen.memory = std::make_shared<MemoryCache>(64 << 20);
  if (!folder.empty()) chosen.disk = std::make_shared<DiskCache>(DiskCache::Options{.folder = folder});
  return chosen;
}

void expect_same(const GroundTruth& a, const GroundTruth& b) {
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    EXPECT_EQ(a.layers[l].outcome, b.layers[l].outcome);
    EXPECT_EQ(a.layers[l].areas.ids, b.layers[l].areas.ids);
    EXPECT_EQ(a.layers[l].areas.vertices, b.layers[l].areas.vertices);
    EXPECT_EQ(a.layers[l].areas.ring_begin, b.layers[l].areas.ring_begin);
  }
}

TEST(TruthStore, twenty_tiles_of_one_cell_make_one_fetch_a_layer) {
  const auto source = make_source();
  TruthStore store(source, three_layers(), options());
  for (int row = 0; row < 5; ++row) {
    for (int column = 0; column < 4; ++column) {
      const GroundTruth truth = store.get({column * 500.0, row * 400.0, (column + 1) * 500.0, (row + 1) * 400.0}, 2154, {});
      EXPECT_TRUE(truth.complete());
      EXPECT_EQ(truth.layers[0].outcome, Outcome::data);
      EXPECT_GT(truth.layers[0].areas.size(), 0U);
      EXPECT_EQ(truth.layers[2].outcome, Outcome::confirmed_empty);
    }
  }
  for (const Layer& layer : three_layers()) EXPECT_EQ(source->count(layer.name), 1U) << layer.name;
  const StoreStatistics counts = store.statistics();
  EXPECT_EQ(counts.fetches, 3U);
  EXPECT_EQ(counts.failures, 0U);
  EXPECT_EQ(counts.memory.misses, 3U);
  EXPECT_EQ(counts.memory.hits, 57U);
}

TEST(TruthStore, tells_where_the_truth_is_from) {
  auto layers = three_layers();
  layers[1].attributes = {"nature", "etages", "absent"};
  TruthStore store(make_source(), layers, options());
  const GroundTruth truth = store.get({0, 0, 500, 500}, 2154, {});
  EXPECT_EQ(truth.source, "fake");
  EXPECT_EQ(truth.edition, "2026-06");
  EXPECT_EQ(truth.layers[0].layer, "batiment");
  EXPECT_EQ(truth.layers[1].attribute_names, layers[1].attributes);
  ASSERT_GT(truth.layers[1].areas.size(), 0U);
  EXPECT_EQ(truth.layers[1].areas.attributes[0], (std::vector<std::string>{"Indifférenciée", "2", ""}));
}

TEST(TruthStore, a_second_store_on_the_same_disk_fetches_nothing) {
  const TemporaryFolder folder;
  const Bounds box{1500, 100, 2500, 900};
  const auto first_source = make_source();
  TruthStore first(first_source, three_layers(), options(folder.path().string()));
  const GroundTruth truth = first.get(box, 2154, {});
  EXPECT_EQ(first.statistics().fetches, 6U);
  EXPECT_EQ(first.statistics().disk.misses, 6U);

  const auto second_source = make_source();
  TruthStore second(second_source, three_layers(), options(folder.path().string()));
  expect_same(second.get(box, 2154, {}), truth);
  EXPECT_TRUE(second_source->calls().empty());
  EXPECT_EQ(second.statistics().fetches, 0U);
  EXPECT_EQ(second.statistics().disk.hits, 6U);

  // Another edition, CRS, service or reach is another answer; another definition is the same answer, made into other areas.
  const auto fetches_of = [&](auto change) {
    const auto source = make_source();
    auto layers = three_layers();
    int epsg = 2154;
    change(*source, layers, epsg);
    TruthStore store(source, layers, options(folder.path().string()));
    store.get(box, epsg, {});
    return store.statistics().fetches;
  };
  EXPECT_EQ(fetches_of([](FakeSource& source, auto&, int&) { source.told_edition = "2026-09"; }), 6U);
  EXPECT_EQ(fetches_of([](FakeSource& source, auto&, int&) { source.told_identity = "elsewhere"; }), 6U);
  EXPECT_EQ(fetches_of([](FakeSource&, auto&, int& epsg) { epsg = 32631; }), 6U);
  EXPECT_EQ(fetches_of([](FakeSource&, auto& layers, int&) { layers[0] = test::band_layer("batiment", 30); }), 2U);
  EXPECT_EQ(fetches_of([](FakeSource&, auto& layers, int&) { layers[0].only = {{.attribute = "etages", .values = {"2"}}}; }), 0U);
}

TEST(TruthStore, stores_that_share_memory_tell_definitions_apart) {
  const auto source = make_source();
  StoreOptions shared = options();
  auto filtered = three_layers();
  filtered[0].only = {{.attribute = "etages", .kind = AttributeTest::Kind::not_in, .values = {"2"}}};
  TruthStore all(source, three_layers(), shared), none(source, filtered, shared), again(source, three_layers(), shared);
  EXPECT_GT(all.get({0, 0, 500, 500}, 2154, {}).layers[0].areas.size(), 0U);
  EXPECT_EQ(none.get({0, 0, 500, 500}, 2154, {}).layers[0].areas.size(), 0U);
  EXPECT_EQ(none.statistics().fetches, 1U);  // the other two layers are the same
  again.get({0, 0, 500, 500}, 2154, {});
  EXPECT_EQ(again.statistics().fetches, 0U);
}

TEST(TruthStore, damaged_entries_are_fetched_anew) {
  const TemporaryFolder folder;
  const Bounds box{0, 0, 1000, 1000};
  const GroundTruth truth = TruthStore(make_source(), three_layers(), options(folder.path().string())).get(box, 2154, {});
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  ASSERT_EQ(files.size(), 3U);
  std::sort(files.begin(), files.end());
  fs::resize_file(files[0], fs::file_size(files[0]) / 2);
  fs::copy_file(files[2], files[1], fs::copy_options::overwrite_existing);
  {
    std::fstream file(files[2], std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(40);
    file.put('\x7f');
  }
  const auto source = make_source();
  TruthStore store(source, three_layers(), options(folder.path().string()));
  expect_same(store.get(box, 2154, {}), truth);
  EXPECT_EQ(store.statistics().fetches, 3U);
  TruthStore healed(make_source(), three_layers(), options(folder.path().string()));
  expect_same(healed.get(box, 2154, {}), truth);
  EXPECT_EQ(healed.statistics().fetches, 0U);
}

TEST(TruthStore, files_have_no_need_of_the_disk_cache) {
  const TemporaryFolder folder;
  const auto source = make_source(false);
  TruthStore store(source, three_layers(), options(folder.path().string()));
  store.get({0, 0, 1000, 1000}, 2154, {});
  store.get({0, 0, 1000, 1000}, 2154, {});  // from memory
  EXPECT_EQ(source->calls().size(), 3U);
  store.get({1000, 0, 2000, 1000}, 2154, {});
  EXPECT_EQ(source->calls().size(), 6U);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(TruthStore, failures_are_outcomes_and_are_not_kept) {
  const TemporaryFolder folder;
  const auto source = make_source();
  int failures = 2;
  source->instead = [&](const FakeSource::Call& call) -> std::optional<FetchResult> {
    if (call.layer != "cimetiere" || failures-- <= 0) return std::nullopt;
    return test::fake_failure(failures == 1 ? Outcome::failed : Outcome::truncated, "try " + std::to_string(failures), ErrorKind::corrupt);
  };
  TruthStore store(source, three_layers(), options(folder.path().string()));
  const Bounds box{0, 0, 500, 500};
  GroundTruth truth = store.get(box, 2154, {});
  EXPECT_FALSE(truth.complete());
  EXPECT_EQ(truth.layers[0].outcome, Outcome::data);
  EXPECT_EQ(truth.layers[1].outcome, Outcome::failed);
  EXPECT_EQ(truth.layers[1].reason, "try 1");
  EXPECT_EQ(truth.layers[1].kind, ErrorKind::corrupt);
  EXPECT_EQ(truth.layers[1].areas.size(), 0U);
  truth = store.get(box, 2154, {});
  EXPECT_EQ(truth.layers[1].outcome, Outcome::truncated);
  truth = store.get(box, 2154, {});
  EXPECT_TRUE(truth.complete());
  EXPECT_GT(truth.layers[1].areas.size(), 0U);
  EXPECT_EQ(source->count("batiment"), 1U);
  EXPECT_EQ(source->count("cimetiere"), 3U);
  EXPECT_EQ(store.statistics().fetches, 5U);
  EXPECT_EQ(store.statistics().failures, 2U);
}

TEST(TruthStore, errors_of_a_source_become_outcomes_but_three) {
  const auto source = make_source();
  TruthStore store(source, three_layers(), options());
  const auto unit = store.units({0, 0, 500, 500}, 2154).at(0);
  const auto fail_with = [&](auto error) {
    source->instead = [error](const FakeSource::Call&) -> std::optional<FetchResult> { throw error; };
  };
  fail_with(NotFound("no such layer"));
  EXPECT_EQ(store.load(unit, {})->outcome, Outcome::failed);
  EXPECT_EQ(store.load(unit, {})->reason, "no such layer");
  EXPECT_EQ(store.load(unit, {})->kind, ErrorKind::not_found);
  fail_with(std::runtime_error("a bug"));
  EXPECT_EQ(store.load(unit, {})->outcome, Outcome::failed);
  fail_with(ConfigError("no vector data"));
  EXPECT_THROW(store.load(unit, {}), ConfigError);
  fail_with(Cancelled("stopped"));
  EXPECT_THROW(store.load(unit, {}), Cancelled);
  fail_with(std::bad_alloc());
  EXPECT_THROW(store.load(unit, {}), OutOfMemory);
  source->instead = [](const FakeSource::Call&) -> std::optional<FetchResult> { return test::fake_failure(Outcome::not_requested, ""); };
  EXPECT_EQ(store.load(unit, {})->outcome, Outcome::failed);
  source->instead = nullptr;
  EXPECT_EQ(store.load(unit, {})->outcome, Outcome::data);
}

TEST(TruthStore, a_layers_outcome_is_the_worst_of_its_cells) {
  TruthStore store(make_source(), {test::plain_layer("a")}, options());
  const Bounds box{1000, 0, 3000, 1000};
  const auto units = store.units(box, 2154);
  ASSERT_EQ(units.size(), 2U);
  const auto cell = [](Outcome outcome, const std::string& id) {
    auto made = std::make_shared<CellAreas>();
    made->outcome = outcome;
    if (!is_sound(outcome)) made->reason = "because of " + id;
    if (!is_sound(outcome)) made->kind = id == "first" ? ErrorKind::corrupt : ErrorKind::io;
    made->repaired = 2;
    if (outcome != Outcome::data) return made;
    made->areas.vertices = {{1500, 10}, {1600, 10}, {1600, 20}};
    made->areas.ring_begin = {0, 3};
    made->areas.area_begin = {0, 1};
    made->areas.ids = {id};
    made->areas.bounds = {{1500, 10, 1600, 20}};
    made->areas.attributes = {{}};
    return made;
  };
  const Outcome by_badness[] = {Outcome::confirmed_empty, Outcome::data, Outcome::truncated, Outcome::failed};
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      const std::vector<CellHandle> cells = {cell(by_badness[i], "first"), cell(by_badness[j], "second")};
      const LayerTruth layer = store.assemble(box, units, cells).layers.at(0);
      EXPECT_EQ(layer.outcome, by_badness[std::max(i, j)]) << i << j;
      EXPECT_EQ(layer.reason, std::max(i, j) < 2 ? "" : i >= j ? "because of first" : "because of second") << i << j;
      EXPECT_EQ(layer.kind, std::max(i, j) >= 2 && i >= j ? ErrorKind::corrupt : ErrorKind::io);
      EXPECT_EQ(layer.areas.size(), std::max(i, j) >= 2 ? 0U : static_cast<std::size_t>((i == 1) + (j == 1))) << i << j;
      EXPECT_EQ(layer.repaired, 4U);
    }
  }
  EXPECT_THROW(store.assemble(box, units, {}), InvalidArgument);
  // Nothing to ask for is nothing missing.
  const GroundTruth nothing = store.get({}, 2154, {});
  EXPECT_TRUE(nothing.complete());
  EXPECT_EQ(nothing.layers.at(0).outcome, Outcome::confirmed_empty);
  EXPECT_EQ(store.statistics().fetches, 0U);
}

TEST(TruthStore, sixteen_tiles_at_once_make_one_fetch_a_layer) {
  const auto source = make_source();
  source->latency = std::chrono::milliseconds(50);
  TruthStore store(source, three_layers(), options());
  const GroundTruth expected = TruthStore(make_source(), three_layers(), options()).get({250, 250, 750, 750}, 2154, {});
  std::latch together(16);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        together.arrive_and_wait();
        expect_same(store.get({250, 250, 750, 750}, 2154, {}), expected);
      });
    }
  }
  EXPECT_EQ(store.statistics().fetches, 3U);
  EXPECT_EQ(store.statistics().memory.hits, 45U);
}

TEST(TruthStore, who_waits_and_who_fetches_can_be_cancelled) {
  const auto source = make_source();
  source->latency = std::chrono::hours(1);
  TruthStore store(source, three_layers(), options());
  const auto unit = store.units({0, 0, 500, 500}, 2154).at(0);
  std::stop_source stops[3];
  std::vector<std::jthread> threads;
  for (std::stop_source& stop : stops) {
    threads.emplace_back([&] { EXPECT_THROW(store.load(unit, stop.get_token()), Cancelled); });
    while (source->calls().empty()) std::this_thread::yield();
  }
  for (std::stop_source& stop : stops) stop.request_stop();
  threads.clear();
  source->latency = std::chrono::milliseconds(0);
  EXPECT_EQ(store.load(unit, {})->outcome, Outcome::data);
}

TEST(TruthStore, features_are_those_that_touch_the_box) {
  const TemporaryFolder folder;
  for (const bool remote : {true, false}) {
    const auto source = make_source(remote);
    source->layers["batiment"].push_back(test::rectangle("on the border", {1990, 500, 2010, 520}));
    TruthStore store(source, three_layers(), options(folder.path().string()));
    for (const Bounds& box : {Bounds{1500, 100, 2300, 900}, Bounds{0, 0, 10, 10}, Bounds{500, 500, 1000, 1500}}) {
      std::vector<std::string> expected, found;
      for (const auto& object : source->layers["batiment"]) {
        if (object.bounds.intersects(box)) expected.push_back(object.feature.id);
      }
      std::sort(expected.begin(), expected.end());
      const FetchResult result = store.features(0, box, 2154, {});
      for (const Feature& feature : result.features) found.push_back(feature.id);
      EXPECT_EQ(found, expected);
      EXPECT_EQ(result.outcome, expected.empty() ? Outcome::confirmed_empty : Outcome::data);
      for (const Feature& feature : result.features) EXPECT_EQ(to_text(*feature.find("HAUTEUR")), "3.5");
    }
    EXPECT_EQ(source->calls().size(), remote ? 2U : 3U);
    // The tile's truth comes from the same answers.
    store.get({1500, 100, 2300, 900}, 2154, {});
    EXPECT_EQ(source->count("batiment"), remote ? 2U : 4U);
    EXPECT_EQ(store.features(2, {0, 0, 10, 10}, 2154, {}).outcome, Outcome::confirmed_empty);
    EXPECT_THROW(store.features(3, {0, 0, 10, 10}, 2154, {}), std::out_of_range);
    source->instead = [](const FakeSource::Call&) { return test::fake_failure(Outcome::truncated, "too much"); };
    const FetchResult failure = store.features(1, {9000, 9000, 9010, 9010}, 2154, {});
    EXPECT_EQ(failure.outcome, Outcome::truncated);
    EXPECT_EQ(failure.reason, "too much");
  }
}

}  // namespace
}  // namespace tuile::truth
