#include "pipeline/write_queue.hpp"

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace tuile::pipeline {
namespace {

TEST(WriteQueue, RunsEverythingBeforeItEnds) {
  std::atomic<int> done{0};
  {
    WriteQueue queue(2, 3);
    for (int i = 0; i < 100; ++i) queue.push([&] { ++done; });
  }
  EXPECT_EQ(done.load(), 100);
}

TEST(WriteQueue, WithoutThreadsThePusherDoesTheWork) {
  WriteQueue queue(0, 1);
  std::thread::id worker;
  queue.push([&] { worker = std::this_thread::get_id(); });
  EXPECT_EQ(worker, std::this_thread::get_id());
}

TEST(WriteQueue, AFullQueueHoldsThePusher) {
  std::latch started(1), go(1);
  std::atomic<int> pushed{0};
  WriteQueue queue(1, 2);
  queue.push([&] {
    started.count_down();
    go.wait();
  });
  started.wait();
  std::jthread producer([&] {
    for (int i = 0; i < 5; ++i) {
      queue.push([] {});
      ++pushed;
    }
  });
  while (pushed < 2) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(pushed.load(), 2) << "one job runs, two wait: there is no room for a third";
  go.count_down();
  producer.join();
  EXPECT_EQ(pushed.load(), 5);
}

}  // namespace
}  // namespace tuile::pipeline
