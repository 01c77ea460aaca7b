#include "tuile/core/buffer.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <utility>

namespace tuile {
namespace {

/// Counts what it has given away, and has room for `room` bytes.
class CountedMemory final : public HostMemory {
 public:
  explicit CountedMemory(std::size_t room) : room_(room) {}
  void* allocate(std::size_t bytes) noexcept override {
    if (bytes > room_) return nullptr;
    room_ -= bytes;
    ++live;
    return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  void release(void* data, std::size_t bytes) noexcept override {
    room_ += bytes;
    --live;
    std::free(data);
  }
  int live = 0;

 private:
  std::size_t room_;
};

TEST(BufferOfHostMemory, ComesFromItAndGoesBack) {
  const auto memory = std::make_shared<CountedMemory>(1000);
  {
    Buffer<std::uint32_t> buffer(200, memory);
    EXPECT_EQ(memory->live, 1);
    buffer[199] = 5;
    Buffer<std::uint32_t> moved(std::move(buffer));
    EXPECT_EQ(moved[199], 5U);
    Buffer<std::uint32_t> other(10, 3U);
    other = std::move(moved);  // swaps: each frees its own kind of memory
    EXPECT_EQ(other.size(), 200U);
    other.shrink(7);
    EXPECT_EQ(memory->live, 1);
  }
  EXPECT_EQ(memory->live, 0);
  EXPECT_NE(memory->allocate(1000), nullptr) << "a release gave back another size than was taken";
}

TEST(BufferOfHostMemory, FallsBackToTheHeap) {
  const auto memory = std::make_shared<CountedMemory>(100);
  Buffer<std::uint32_t> large(200, memory);
  EXPECT_EQ(large.size(), 200U);
  EXPECT_EQ(memory->live, 0);
  large[199] = 1;
  EXPECT_TRUE(Buffer<std::uint32_t>(0, memory).empty());
  EXPECT_EQ(Buffer<std::uint32_t>(5, std::shared_ptr<HostMemory>()).size(), 5U);
  EXPECT_THROW(Buffer<std::uint32_t>(std::size_t{1} << 62, memory), OutOfMemory);
}

TEST(BufferOfHostMemory, OutlivesItsMakersHandle) {
  auto memory = std::make_shared<CountedMemory>(1000);
  const std::weak_ptr<CountedMemory> watch = memory;
  {
    const Buffer<char> buffer(10, memory);
    memory.reset();
    EXPECT_FALSE(watch.expired());
  }
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace tuile
