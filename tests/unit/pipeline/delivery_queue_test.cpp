#include "pipeline/delivery_queue.hpp"

#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "tuile/core/error.hpp"

namespace tuile::pipeline {
namespace {

using namespace std::chrono_literals;

DeliveredTile tile(std::size_t index) { return {.index = index, .name = std::to_string(index)}; }
FailedTile failure(const std::string& path) { return {path, ErrorKind::corrupt, path + ": damaged"}; }

std::size_t index_of(const std::optional<DeliveryQueue::Result>& result) { return std::get<DeliveredTile>(result.value()).index; }

/// Whether the call is still under way after a while.
template <class Action>
class Waiting {
 public:
  explicit Waiting(Action action)
      : thread_([this, run = std::move(action)] {
          run();
          done_ = true;
        }) {}
  bool still() const {
    std::this_thread::sleep_for(50ms);
    return !done_;
  }
  void join() { thread_.join(); }

 private:
  std::atomic<bool> done_{false};
  std::jthread thread_;
};

TEST(DeliveryQueue, HandsOutInTheRunsOrder) {
  DeliveryQueue queue(1);
  for (const std::size_t index : {2, 3, 1}) queue.put(tile(index));  // none of them waits: 0 may stand behind them
  queue.put(tile(0));
  queue.end(nullptr);
  for (std::size_t index = 0; index < 4; ++index) EXPECT_EQ(index_of(queue.get({})), index);
  EXPECT_FALSE(queue.get({}));
  EXPECT_FALSE(queue.get({}));
}

TEST(DeliveryQueue, HoldsBackWhatIsNotWantedYet) {
  DeliveryQueue queue(2);
  queue.put(tile(0));
  queue.put(tile(1));
  Waiting third([&] { queue.put(tile(2)); });
  EXPECT_TRUE(third.still());
  EXPECT_EQ(index_of(queue.get({})), 0U);
  third.join();
  Waiting begun([&] { queue.admit(); });  // 1 and 2 wait
  EXPECT_TRUE(begun.still());
  EXPECT_EQ(index_of(queue.get({})), 1U);
  begun.join();
  EXPECT_EQ(index_of(queue.get({})), 2U);
}

TEST(DeliveryQueue, ATileThatIsLateHoldsBackThoseNotBegun) {
  DeliveryQueue queue(1);
  queue.admit();
  queue.put(tile(1));
  Waiting begun([&] { queue.admit(); });
  EXPECT_TRUE(begun.still());
  queue.put(tile(0));
  EXPECT_EQ(index_of(queue.get({})), 0U);
  EXPECT_TRUE(begun.still());
  EXPECT_EQ(index_of(queue.get({})), 1U);
  begun.join();
}

TEST(DeliveryQueue, FailuresTakeTheirTurn) {
  DeliveryQueue queue(1);
  queue.put(1, failure("b"));
  queue.put(tile(0));
  queue.put(ProcessOptions::no_tile, failure("text"));
  queue.end(nullptr);
  EXPECT_EQ(std::get<FailedTile>(queue.get({}).value()).path, "text");
  EXPECT_EQ(index_of(queue.get({})), 0U);
  EXPECT_EQ(std::get<FailedTile>(queue.get({}).value()).path, "b");
  EXPECT_FALSE(queue.get({}));
}

TEST(DeliveryQueue, WhatIsLeftOfARunThatEndedEarlyThenItsError) {
  DeliveryQueue queue(1);
  queue.put(tile(3));
  queue.put(tile(5));
  queue.end(std::make_exception_ptr(IoError("the disk is gone")));
  EXPECT_EQ(index_of(queue.get({})), 3U);
  EXPECT_EQ(index_of(queue.get({})), 5U);
  for (int i = 0; i < 3; ++i) EXPECT_THROW(queue.get({}), IoError);
}

TEST(DeliveryQueue, AStopEndsTheWaitAndNothingElse) {
  DeliveryQueue queue(1);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  EXPECT_THROW(queue.get(stop.get_token()), Cancelled);
  queue.put(tile(0));
  EXPECT_EQ(index_of(queue.get(stop.get_token())), 0U);  // what is there needs no wait
  EXPECT_THROW(queue.get(stop.get_token()), Cancelled);
}

TEST(DeliveryQueue, CloseLetsEverybodyGo) {
  DeliveryQueue queue(1);
  queue.put(tile(0));
  std::atomic<int> cancelled = 0;
  Waiting held([&] {
    try {
      queue.put(tile(1));
    } catch (const Cancelled&) {
      ++cancelled;
    }
  });
  Waiting begun([&] { queue.admit(); });
  EXPECT_TRUE(held.still());
  EXPECT_TRUE(begun.still());
  queue.close();
  held.join();
  begun.join();
  EXPECT_THROW(queue.get({}), Cancelled);
  EXPECT_THROW(queue.put(tile(2)), Cancelled);
  queue.put(3, failure("late"));
  queue.end(nullptr);
  EXPECT_THROW(queue.get({}), Cancelled);
  EXPECT_EQ(cancelled, 1);
}

TEST(DeliveryQueue, CloseLetsAWaitingReaderGo) {
  DeliveryQueue queue(1);
  std::atomic<bool> cancelled = false;
  Waiting reader([&] {
    try {
      queue.get({});
    } catch (const Cancelled&) {
      cancelled = true;
    }
  });
  EXPECT_TRUE(reader.still());
  queue.close();
  reader.join();
  EXPECT_TRUE(cancelled);
}

/// A run as the main job is: tiles are begun in order by several computers, and delivered by writers, one at a time, in any order.
TEST(DeliveryQueue, SeveralComputersAndWriters) {
  constexpr std::size_t tiles = 400, computers = 4;
  for (const std::size_t ready : {std::size_t{1}, std::size_t{3}}) {
    DeliveryQueue queue(ready);
    std::mutex taking, delivering;
    std::size_t next = 0;
    std::atomic<std::size_t> begun = 0, handed_out = 0, most = 0;
    {
      std::vector<std::jthread> threads;
      for (std::size_t c = 0; c < computers; ++c) {
        threads.emplace_back([&, c] {
          std::mt19937 random(static_cast<unsigned>(c));
          while (true) {
            std::size_t mine = 0;
            {
              const std::lock_guard lock(taking);
              if (next == tiles) return;
              queue.admit();
              mine = next++;
              most = std::max<std::size_t>(most, ++begun - handed_out);
            }
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
            if (mine % 7 == 3) {
              queue.put(mine, failure(std::to_string(mine)));
            } else {
              const std::lock_guard lock(delivering);
              queue.put(tile(mine));
            }
          }
        });
      }
      for (std::size_t index = 0; index < tiles; ++index) {
        const auto result = queue.get({});
        ++handed_out;
        ASSERT_TRUE(result);
        if (index % 7 == 3)
          EXPECT_EQ(std::get<FailedTile>(*result).path, std::to_string(index));
        else
          EXPECT_EQ(index_of(result), index);
        if (index % 16 == 0) std::this_thread::sleep_for(1ms);
      }
    }
    // Those that wait, those begun by each computer, and the one just handed out.
    EXPECT_LE(most, ready + computers + 1);
  }
}

}  // namespace
}  // namespace tuile::pipeline
