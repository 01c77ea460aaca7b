#include "compute/validity.hpp"

#include <algorithm>
#include <atomic>

namespace tuile::compute {

namespace {

constexpr std::size_t points_per_task = std::size_t{1} << 18;

template <class Action>
void for_each_part(std::size_t size, Executor& executor, Action&& action) {
  executor.for_each((size + points_per_task - 1) / points_per_task,
                    [&](std::size_t task) { action(task * points_per_task, std::min(size, (task + 1) * points_per_task)); });
}

Buffer<std::uint8_t> marks_of(const PointBlock& block, const std::array<std::uint8_t, 256>& counts, Executor& executor) {
  Buffer<std::uint8_t> marks(block.size());
  for_each_part(block.size(), executor, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) marks[i] = counts[block.classification[i]];
  });
  return marks;
}

}  // namespace

Marks::Marks(const PointBlock& core, const PointBlock* halo, std::span<const std::uint8_t> excluded, Executor& executor) {
  std::array<std::uint8_t, 256> counts{};
  counts.fill(1);
  for (const std::uint8_t code : excluded) counts[code] = 0;
  core_ = marks_of(core, counts, executor);
  if (halo != nullptr) halo_ = marks_of(*halo, counts, executor);
  count(executor);
}

void Marks::count(Executor& executor) {
  std::atomic<std::uint64_t> invalid{0};
  for_each_part(core_.size(), executor, [&](std::size_t begin, std::size_t end) {
    invalid += static_cast<std::uint64_t>(std::count(core_.begin() + begin, core_.begin() + end, std::uint8_t{0}));
  });
  invalid_core_ = invalid;
}

}  // namespace tuile::compute
