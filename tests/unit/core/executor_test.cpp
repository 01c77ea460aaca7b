#include "tuile/core/executor.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tuile/core/error.hpp"

namespace tuile {
namespace {

TEST(Executor, CallsEachItemOnce) {
  Executor executor(4);
  std::vector<std::atomic<int>> calls(1000);
  executor.for_each(calls.size(), [&](std::size_t i) { ++calls[i]; });
  for (const auto& count : calls) EXPECT_EQ(count.load(), 1);
}

TEST(Executor, LoopsNest) {
  Executor executor(3);
  std::atomic<int> sum{0};
  executor.for_each(8, [&](std::size_t) { executor.for_each(8, [&](std::size_t) { ++sum; }); });
  EXPECT_EQ(sum.load(), 64);
}

TEST(Executor, ExceptionReachesTheCaller) {
  for (const int threads : {1, 4}) {
    Executor executor(threads);
    EXPECT_THROW(executor.for_each(100,
                                   [](std::size_t i) {
                                     if (i == 37) throw CorruptData("37");
                                   }),
                 CorruptData);
    int after = 0;
    executor.for_each(1, [&](std::size_t) { ++after; });
    EXPECT_EQ(after, 1);
  }
}

TEST(Executor, ServesManyCallersAtOnce) {
  Executor executor(2);
  std::atomic<int> sum{0};
  {
    std::vector<std::jthread> callers;
    for (int c = 0; c < 8; ++c) callers.emplace_back([&] { executor.for_each(50, [&](std::size_t) { ++sum; }); });
  }
  EXPECT_EQ(sum.load(), 400);
}

TEST(Executor, RefusesNegativeThreads) { EXPECT_THROW(Executor(-1), InvalidArgument); }

TEST(Machine, LimitsArePositive) {
  EXPECT_GE(available_processors(), 1);
  EXPECT_GE(available_memory(), std::size_t{1} << 24);
}

}  // namespace
}  // namespace tuile
