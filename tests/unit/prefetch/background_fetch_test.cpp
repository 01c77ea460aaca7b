#include "prefetch/background_fetch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tuile/core/error.hpp"

namespace tuile::prefetch {
namespace {

using Ticket = BackgroundFetch::Ticket;
using namespace std::chrono_literals;

auto soon() { return std::chrono::steady_clock::now() + 10ms; }

/// Waits until stopped.
void wait_for_stop(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, stop, [] { return false; });
  throw Cancelled("the task was stopped");
}

TEST(BackgroundFetch, one_thread_runs_tasks_in_their_order) {
  std::vector<int> order;  // of the one thread, read after its tasks
  BackgroundFetch pool(1);
  std::vector<Ticket> tickets;
  for (int i = 0; i < 100; ++i) tickets.push_back(pool.submit([&order, i](std::stop_token) { order.push_back(i); }));
  for (const Ticket& ticket : tickets) ticket.wait({});
  ASSERT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  for (const Ticket& ticket : tickets) EXPECT_TRUE(ticket.ready());
  pool.shutdown();
  const BackgroundStatistics counts = pool.statistics();
  EXPECT_EQ(counts.submitted, 100U);
  EXPECT_EQ(counts.finished, 100U);
  EXPECT_EQ(counts.failed, 0U);
  EXPECT_EQ(counts.cancelled, 0U);
}

TEST(BackgroundFetch, as_many_tasks_run_at_once_as_there_are_threads) {
  BackgroundFetch pool(4);
  std::latch together(4);
  std::vector<Ticket> tickets;
  for (int i = 0; i < 4; ++i) tickets.push_back(pool.submit([&](std::stop_token) { together.arrive_and_wait(); }));
  for (const Ticket& ticket : tickets) EXPECT_NO_THROW(ticket.wait({}, std::chrono::steady_clock::now() + 60s));
}

TEST(BackgroundFetch, a_tasks_error_is_its_own_and_thrown_to_all_who_wait) {
  for (const int threads : {0, 2}) {
    BackgroundFetch pool(threads);
    const Ticket bad = pool.submit([](std::stop_token) { throw NotFound("no such layer"); });
    const Ticket good = pool.submit([](std::stop_token) {});
    const Ticket odd = pool.submit([](std::stop_token) { throw 5; });
    EXPECT_NO_THROW(good.wait({}));
    for (int i = 0; i < 2; ++i) {
      try {
        bad.wait({});
        ADD_FAILURE() << "nothing thrown";
      } catch (const NotFound& error) {
        EXPECT_STREQ(error.what(), "no such layer");
      }
    }
    EXPECT_THROW(odd.wait({}), int);
    EXPECT_EQ(pool.statistics().finished, 3U);
    EXPECT_EQ(pool.statistics().failed, 2U);
  }
}

TEST(BackgroundFetch, what_nobody_wants_any_more_never_begins) {
  for (const int threads : {0, 1}) {
    BackgroundFetch pool(threads);
    std::latch release(1);
    std::atomic<int> ran{0};
    const Ticket busy = pool.submit([&](std::stop_token) { release.wait(); });
    std::optional<Ticket> first = pool.submit([&](std::stop_token) { ++ran; });
    std::optional<Ticket> second = first;
    {
      const Ticket dropped = pool.submit([&](std::stop_token) { ran += 100; });
    }
    first.reset();
    EXPECT_EQ(pool.statistics().cancelled, 1U);
    release.count_down();
    busy.wait({});
    second->wait({});
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(pool.statistics().cancelled, 1U);
    EXPECT_EQ(pool.statistics().finished, 2U);
  }
}

TEST(BackgroundFetch, what_runs_goes_on_without_a_ticket) {
  std::atomic<bool> ended{false};
  BackgroundFetch pool(1);
  std::latch began(1), release(1);
  {
    const Ticket ticket = pool.submit([&](std::stop_token) {
      began.count_down();
      release.wait();
      ended = true;
    });
    began.wait();
  }
  release.count_down();
  pool.submit([](std::stop_token) {}).wait({});
  EXPECT_TRUE(ended);
}

TEST(BackgroundFetch, without_threads_tasks_run_where_they_are_waited_for) {
  BackgroundFetch pool(0);
  std::thread::id ran_in;
  int runs = 0;
  const Ticket ticket = pool.submit([&](std::stop_token) {
    ran_in = std::this_thread::get_id();
    ++runs;
    std::this_thread::sleep_for(5ms);
  });
  std::this_thread::sleep_for(10ms);
  EXPECT_FALSE(ticket.ready());
  EXPECT_EQ(runs, 0);
  ticket.wait({}, std::chrono::steady_clock::now());  // a deadline bounds waiting, not running
  EXPECT_EQ(ran_in, std::this_thread::get_id());
  EXPECT_TRUE(ticket.ready());
  ticket.wait({});
  EXPECT_EQ(runs, 1);
  const BackgroundStatistics counts = pool.statistics();
  EXPECT_GE(counts.busy_seconds, 0.005);
  EXPECT_GE(counts.waited_seconds, counts.busy_seconds);
}

TEST(BackgroundFetch, without_threads_a_stopped_caller_leaves_the_task_to_the_next) {
  BackgroundFetch pool(0);
  std::latch began(1);
  std::atomic<int> runs{0};
  const Ticket ticket = pool.submit([&](std::stop_token stop) {
    if (++runs == 1) {
      began.count_down();
      wait_for_stop(stop);
    }
  });
  std::stop_source stop;
  std::jthread first([&] { EXPECT_THROW(ticket.wait(stop.get_token()), Cancelled); });
  began.wait();
  std::jthread second([&] { EXPECT_NO_THROW(ticket.wait({})); });
  EXPECT_THROW(ticket.wait({}, soon()), TimeoutError);  // another runs it
  stop.request_stop();
  second.join();
  EXPECT_EQ(runs, 2);
  EXPECT_TRUE(ticket.ready());
  EXPECT_EQ(pool.statistics().finished, 1U);
  EXPECT_EQ(pool.statistics().failed, 0U);
}

TEST(BackgroundFetch, waiting_ends_by_stop_and_by_deadline_and_the_task_goes_on) {
  BackgroundFetch pool(1);
  std::latch release(1);
  const Ticket ticket = pool.submit([&](std::stop_token) { release.wait(); });
  EXPECT_THROW(ticket.wait({}, soon()), TimeoutError);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(10ms);
    stop.request_stop();
  });
  EXPECT_THROW(ticket.wait(stop.get_token()), Cancelled);
  EXPECT_THROW(ticket.wait(stop.get_token(), soon()), Cancelled);
  EXPECT_FALSE(ticket.ready());
  release.count_down();
  EXPECT_NO_THROW(ticket.wait({}));
  EXPECT_NO_THROW(ticket.wait(stop.get_token()));  // it has ended
  EXPECT_GE(pool.statistics().waited_seconds, 0.01);
}

TEST(BackgroundFetch, the_end_cancels_drains_and_wakes) {
  for (const int threads : {0, 1, 3}) {
    std::optional<BackgroundFetch> pool(threads);
    std::latch began(1);
    const Ticket running = pool->submit([&](std::stop_token stop) {
      began.count_down();
      wait_for_stop(stop);
    });
    std::jthread waiter([&] { EXPECT_THROW(running.wait({}), Cancelled); });
    began.wait();
    std::vector<Ticket> queued;
    std::atomic<int> ran{0};
    for (int i = 0; i < 5; ++i) {
      queued.push_back(pool->submit([&](std::stop_token stop) {
        ++ran;
        wait_for_stop(stop);
      }));
    }
    std::vector<std::jthread> waiters;
    for (int i = 0; i < 5; ++i)
      waiters.emplace_back([&queued, i] { EXPECT_THROW(queued[static_cast<std::size_t>(i)].wait({}), Cancelled); });
    pool->shutdown();
    waiters.clear();
    waiter.join();
    for (const Ticket& ticket : queued) EXPECT_TRUE(ticket.ready());
    const Ticket late = pool->submit([&](std::stop_token) { ran += 100; });
    EXPECT_TRUE(late.ready());
    EXPECT_THROW(late.wait({}), Cancelled);
    const BackgroundStatistics counts = pool->statistics();
    EXPECT_EQ(counts.submitted, 7U);
    EXPECT_EQ(counts.finished + counts.cancelled, 7U);
    EXPECT_LT(ran, 100);
    pool->shutdown();
    pool.reset();
    // Tickets outlive the pool.
    EXPECT_THROW(queued[0].wait({}), Cancelled);
    EXPECT_TRUE(running.ready());
  }
}

TEST(BackgroundFetch, refuses_impossible_numbers_of_threads) {
  EXPECT_THROW(BackgroundFetch(-1), InvalidArgument);
  EXPECT_THROW(BackgroundFetch(1025), InvalidArgument);
}

TEST(BackgroundFetch, every_task_is_accounted_for_under_load) {
  for (const int threads : {0, 4}) {
    std::atomic<std::uint64_t> ran{0}, submitted{0};
    BackgroundFetch pool(threads);
    {
      std::vector<std::jthread> users;
      for (unsigned u = 0; u < 4; ++u) {
        users.emplace_back([&, u] {
          std::vector<Ticket> held;
          for (unsigned i = 0; i < 500; ++i) {
            held.push_back(pool.submit([&, fails = (i + u) % 7 == 0](std::stop_token) {
              ++ran;
              if (fails) throw IoError("now and then");
            }));
            ++submitted;
            if (i % 3 == 0) {
              try {
                held.back().wait({});
              } catch (const IoError&) {
              }
            }
            if (i % 5 == 0) held.clear();
          }
        });
      }
    }
    pool.shutdown();
    const BackgroundStatistics counts = pool.statistics();
    EXPECT_EQ(counts.submitted, submitted.load());
    EXPECT_EQ(counts.finished, ran.load());
    EXPECT_EQ(counts.finished + counts.cancelled, submitted.load());
    EXPECT_GT(counts.failed, 0U);
    EXPECT_GT(counts.cancelled, 0U);
  }
}

}  // namespace
}  // namespace tuile::prefetch
