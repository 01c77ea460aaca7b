#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>

#include <optional>
#include <string>

#include "tuile/core/error.hpp"
#include "tuile/core/executor.hpp"

namespace tuile {

struct Executor::Impl {
  explicit Impl(int threads) : arena(threads) {
    // By itself TBB never has more threads than processors, whatever an arena asks for.
    if (threads > tbb::info::default_concurrency())
      more.emplace(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  }
  std::optional<tbb::global_control> more;
  tbb::task_arena arena;
};

Executor::Executor(int threads) : threads_(threads > 0 ? threads : available_processors()), impl_(std::make_unique<Impl>(threads_)) {
  if (threads < 0) throw InvalidArgument("threads is " + std::to_string(threads) + "; 0 (automatic) or more is expected");
}
Executor::~Executor() = default;

void Executor::for_each(std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count == 0) return;
  if (count == 1 || threads_ == 1) {
    // Inside the arena all the same: `threads` bounds what runs at one time, whoever calls.
    impl_->arena.execute([&] {
      for (std::size_t i = 0; i < count; ++i) body(i);
    });
    return;
  }
  impl_->arena.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, count, 1),
        [&](const tbb::blocked_range<std::size_t>& range) {
          for (std::size_t i = range.begin(); i != range.end(); ++i) body(i);
        },
        tbb::simple_partitioner());
  });
}

}  // namespace tuile
