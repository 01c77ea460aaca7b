#include "prefetch/truth_fetcher.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>
#include <vector>

#include "unit/truth/fake_source.hpp"

namespace tuile::prefetch {
namespace {

using namespace std::chrono_literals;
using test::FakeSource;

const Bounds across_four_cells{1500, 1500, 2500, 2500};

std::shared_ptr<FakeSource> make_source() {
  auto source = std::make_shared<FakeSource>(true);
  for (int i = 0; i < 40; ++i) {
    const double x = 1000 + 50 * i;
    source->layers["a"].push_back(test::rectangle(std::to_string(i), {x, x, x + 30, x + 30}));
    source->layers["b"].push_back(test::rectangle(std::to_string(i), {x, 3500 - x, x + 70, 3520 - x}));
  }
  return source;
}

truth::TruthStore make_store(std::shared_ptr<FakeSource> source) {
  return {std::move(source), {test::plain_layer("a"), test::plain_layer("b")}, {.memory = std::make_shared<truth::MemoryCache>(64 << 20)}};
}

TEST(TruthFetcher, gives_what_the_store_gives_once) {
  auto sequential = make_store(make_source());
  const GroundTruth expected = sequential.get(across_four_cells, 2154, {});
  ASSERT_GT(expected.layers[0].areas.size(), 10U);
  for (const int threads : {0, 1, 5}) {
    auto store = make_store(make_source());
    BackgroundFetch pool(threads);
    const TruthFetcher loader(store, pool);
    const auto ticket = loader.start(across_four_cells, 2154);
    std::vector<std::shared_ptr<const GroundTruth>> got(6);
    {
      std::vector<std::jthread> waiters;
      for (auto& truth : got) waiters.emplace_back([&] { truth = ticket->wait({}); });
    }
    for (const auto& truth : got) EXPECT_EQ(truth, got[0]);
    ASSERT_TRUE(got[0]);
    EXPECT_TRUE(ticket->ready());
    EXPECT_EQ(ticket->wait({}), got[0]);
    EXPECT_EQ(store.statistics().fetches, 8U);
    EXPECT_EQ(pool.statistics().submitted, 8U);
    for (std::size_t l = 0; l < 2; ++l) {
      EXPECT_EQ(got[0]->layers[l].areas.ids, expected.layers[l].areas.ids);
      EXPECT_EQ(got[0]->layers[l].areas.vertices, expected.layers[l].areas.vertices);
    }
  }
}

TEST(TruthFetcher, layers_and_cells_are_fetched_at_the_same_time) {
  const auto source = make_source();
  std::latch together(8);
  source->instead = [&](const FakeSource::Call&) -> std::optional<truth::FetchResult> {
    together.arrive_and_wait();
    return std::nullopt;
  };
  auto store = make_store(source);
  BackgroundFetch pool(8);
  const auto ticket = TruthFetcher(store, pool).start(across_four_cells, 2154);
  EXPECT_TRUE(ticket->wait({}, std::chrono::steady_clock::now() + 60s)->complete());
}

TEST(TruthFetcher, without_threads_one_after_the_other_when_waited_for) {
  const auto source = make_source();
  std::atomic<int> at_once{0}, most{0};
  source->instead = [&](const FakeSource::Call&) -> std::optional<truth::FetchResult> {
    most = std::max<int>(most, ++at_once);
    std::this_thread::yield();
    --at_once;
    return std::nullopt;
  };
  auto store = make_store(source);
  BackgroundFetch pool(0);
  const auto ticket = TruthFetcher(store, pool).start(across_four_cells, 2154);
  EXPECT_FALSE(ticket->ready());
  EXPECT_TRUE(source->calls().empty());
  ticket->wait({});
  EXPECT_EQ(most, 1);
  EXPECT_EQ(source->calls().size(), 8U);
}

TEST(TruthFetcher, what_has_not_begun_when_the_ticket_goes_is_never_fetched) {
  const auto source = make_source();
  std::latch began(1), release(1);
  source->instead = [&](const FakeSource::Call&) -> std::optional<truth::FetchResult> {
    began.count_down();
    release.wait();
    return std::nullopt;
  };
  auto store = make_store(source);
  {
    BackgroundFetch pool(1);
    {
      const auto ticket = TruthFetcher(store, pool).start(across_four_cells, 2154);
      began.wait();
    }
    EXPECT_EQ(pool.statistics().cancelled, 7U);
    release.count_down();
  }
  EXPECT_EQ(source->calls().size(), 1U);
}

TEST(TruthFetcher, failures_are_outcomes_and_errors_come_with_wait) {
  const auto source = make_source();
  source->instead = [](const FakeSource::Call& call) -> std::optional<truth::FetchResult> {
    if (call.layer != "b") return std::nullopt;
    return test::fake_failure(Outcome::truncated, "more than it gives");
  };
  auto store = make_store(source);
  BackgroundFetch pool(2);
  const TruthFetcher loader(store, pool);
  const auto truth = loader.start({0, 0, 1500, 1500}, 2154)->wait({});
  EXPECT_EQ(truth->layers[0].outcome, Outcome::data);
  EXPECT_EQ(truth->layers[1].outcome, Outcome::truncated);

  const auto too_large = loader.start({0, 0, 1e9, 1e9}, 2154);
  EXPECT_TRUE(too_large->ready());
  EXPECT_THROW(too_large->wait({}), InvalidArgument);

  const auto nothing = loader.start({}, 2154);
  EXPECT_TRUE(nothing->ready());
  EXPECT_TRUE(nothing->wait({})->complete());

  source->instead = [](const FakeSource::Call&) -> std::optional<truth::FetchResult> { throw ConfigError("no vector data"); };
  EXPECT_THROW(loader.start({4000, 4000, 4500, 4500}, 2154)->wait({}), ConfigError);
}

TEST(TruthFetcher, stop_deadline_and_the_end_of_the_pool) {
  const auto source = make_source();
  source->latency = 1h;
  auto store = make_store(source);
  BackgroundFetch pool(2);
  const auto ticket = TruthFetcher(store, pool).start(across_four_cells, 2154);
  EXPECT_THROW(ticket->wait({}, std::chrono::steady_clock::now() + 10ms), TimeoutError);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(10ms);
    stop.request_stop();
  });
  EXPECT_THROW(ticket->wait(stop.get_token()), Cancelled);
  std::jthread waiter([&] { EXPECT_THROW(ticket->wait({}), Cancelled); });
  pool.shutdown();
  waiter.join();
  EXPECT_TRUE(ticket->ready());
}

TEST(TruthFetcher, many_tiles_one_after_the_other_share_their_cells) {
  const auto source = make_source();
  source->latency = 2ms;
  auto store = make_store(source);
  BackgroundFetch pool(4);
  const TruthFetcher loader(store, pool);
  std::vector<std::shared_ptr<const TruthTicket>> tickets;
  for (int row = 0; row < 5; ++row) {
    for (int column = 0; column < 4; ++column)
      tickets.push_back(loader.start({column * 500.0, row * 400.0, (column + 1) * 500.0, (row + 1) * 400.0}, 2154));
  }
  for (const auto& ticket : tickets) EXPECT_TRUE(ticket->wait({})->complete());
  EXPECT_EQ(source->calls().size(), 2U);
}

}  // namespace
}  // namespace tuile::prefetch
