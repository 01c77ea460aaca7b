#include "tuile/pipeline/async_pipeline.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "pipeline/busy_clock.hpp"
#include "pipeline/write_queue.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/source/store.hpp"

namespace tuile::pipeline {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

/// One call of process().
class AsyncPipeline::Run {
 public:
  Run(AsyncPipeline& pipeline, std::span<const TileTask> tasks, const Stages& stages, std::stop_token stop)
      : pipeline_(pipeline),
        loader_(pipeline.loader_),
        options_(pipeline.options_),
        trace_(pipeline.trace_),
        tasks_(tasks),
        stages_(stages),
        stop_(std::move(stop)),
        records_(tasks.size()) {}

  std::vector<TaskRecord> go(PipelineTimes& times) {
    PipelineTimes measured;
    {
      WriteQueue writers(options_.writers, static_cast<std::size_t>(options_.pending_writes));
      {
        std::vector<std::jthread> others;
        try {
          for (int c = 1; c < options_.computers; ++c) others.emplace_back([&] { work(writers); });
        } catch (const std::system_error&) {
          // No more threads to be had: the run goes on with those there are.
        }
        work(writers);
      }
      measured.compute = clock_.busy();
      const auto computed = Clock::now();
      writers.drain();
      measured.drain = seconds_since(computed);
    }
    {
      const MutexLock lock(take_mutex_);
      if (broken_) std::rethrow_exception(broken_);
      measured.first_arrival = first_arrival_;
      measured.load_wait = load_wait_;
    }
    const MutexLock lock(mutex_);
    measured.write = write_;
    measured.write_wait = write_wait_;
    measured.wall = seconds_since(start_);
    times = measured;
    return std::move(records_);
  }

 private:
  bool stopping() const { return stop_.stop_requested() || (options_.fail_fast && failed_); }

  /// One of the computers.
  void work(WriteQueue& writers) {
    try {
      for (std::vector<LoadedTask> loaded; take(loaded);) compute(loaded, writers);
    } catch (...) {
      // No error of a tile: those have their records. The run cannot go on.
      const MutexLock lock(take_mutex_);
      if (!broken_) broken_ = std::current_exception();
      next_ = tasks_.size();
    }
  }

  /// The next batch, loaded; of tasks that could not be loaded nothing is in it. False where there is none left.
  bool take(std::vector<LoadedTask>& loaded) {
    const MutexLock lock(take_mutex_);
    if (next_ >= tasks_.size()) return false;
    const std::size_t first = next_;
    const Pace pace = stages_.pace ? stages_.pace() : Pace{options_.ahead, options_.batch_size};
    next_ = std::min(first + static_cast<std::size_t>(std::max(pace.batch_size, 1)), tasks_.size());
    preload(next_ + static_cast<std::size_t>(std::max(pace.ahead, 0)));
    loaded = gather(first, next_);
    if (first == 0) {
      first_arrival_ = seconds_since(start_);
      load_wait_ = 0;
    }
    return true;
  }

  /// Asks for the tiles before `end` that were not yet asked for: whole tiles first, so that a halo finds its neighbour's decode under way.
  void preload(std::size_t end) REQUIRES(take_mutex_) {
    const std::size_t window = std::min(tasks_.size(), end);
    const std::size_t from = preloaded_;
    try {
      for (; preloaded_ < window && !stopping(); ++preloaded_) {
        loader_.preload_tile(tasks_[preloaded_].tile.path, tasks_[preloaded_].tile.bbox);
      }
      for (std::size_t i = from; i < preloaded_; ++i) {
        for (const prefetch::TileRequest& part : tasks_[i].halo) loader_.preload_tile(part.path, part.bbox);
      }
    } catch (const Cancelled&) {
      // The loader was shut down meanwhile: gather() meets it too, and gives every tile its record.
    }
  }

  std::vector<LoadedTask> gather(std::size_t first, std::size_t last) REQUIRES(take_mutex_) {
    std::vector<LoadedTask> loaded;
    for (std::size_t i = first; i < last; ++i) {
      const auto start = Clock::now();
      const double idle = clock_.idle();
      try {
        if (stopping()) throw Cancelled("not computed: the run was stopped");
        loaded.push_back(load(i));
      } catch (...) {
        finish(i, std::current_exception());
      }
      release(i);
      records_[i].wait_seconds = seconds_since(start);
      const double idled = std::max(0.0, clock_.idle() - idle);  // sums of seconds, rounded: without waiting a hair below 0
      load_wait_ += idled;
      pipeline_.waited_load_ += idled;
    }
    return loaded;
  }

  /// Whether a part that failed so is missing for good, as far as this run can tell.
  static bool is_lasting(ErrorKind kind) {
    return kind == ErrorKind::corrupt || kind == ErrorKind::unsupported || kind == ErrorKind::not_found || kind == ErrorKind::permission;
  }

  LoadedTask load(std::size_t index) {
    const TileTask& task = tasks_[index];
    const auto deadline = options_.timeout ? std::optional(std::chrono::duration<double>(*options_.timeout)) : std::nullopt;
    LoadedTask loaded;
    loaded.index = index;
    loaded.tile = loader_.get_tile(task.tile.path, deadline, task.tile.bbox);
    loaded.halo.resize(task.halo.size());
    loaded.halo_errors.resize(task.halo.size());
    for (std::size_t h = 0; h < task.halo.size(); ++h) {
      try {
        loaded.halo[h] = loader_.get_tile(task.halo[h].path, deadline, task.halo[h].bbox);
      } catch (const Error& error) {
        if (!is_lasting(error.kind())) throw;
        loaded.halo_errors[h] = PartError{error.kind(), error.what()};
      }
    }
    return loaded;
  }

  /// The loader need not keep what a task has got: nobody asks for it again.
  void release(std::size_t index) {
    loader_.release(tasks_[index].tile.path, tasks_[index].tile.bbox);
    for (const prefetch::TileRequest& part : tasks_[index].halo) loader_.release(part.path, part.bbox);
  }

  void compute(std::vector<LoadedTask>& loaded, WriteQueue& writers) {
    std::vector<ProductHandle> products;
    if (try_compute(loaded, products, loaded.size() <= 1)) {
      for (std::size_t i = 0; i < loaded.size(); ++i) push(std::exchange(loaded[i], {}).index, std::move(products[i]), writers);
      return;
    }
    if (loaded.size() <= 1) return;
    // Which tile it was shows when each is computed alone; the others come to no harm.
    for (LoadedTask& task : loaded) {
      if (try_compute({&task, 1}, products, true)) push(std::exchange(task, {}).index, std::move(products.front()), writers);
    }
  }

  /// False where compute threw; `last_try`: the error is the (only) task's.
  bool try_compute(std::span<const LoadedTask> batch, std::vector<ProductHandle>& products, bool last_try) {
    if (batch.empty()) return false;
    const TraceSpan span(trace_, "compute", source::public_location(tasks_[batch.front().index].tile.path));
    bool done = false;
    clock_.enter();
    try {
      products = stages_.compute(batch);
      if (products.size() != batch.size()) {
        throw InvalidArgument("compute gave " + std::to_string(products.size()) + " products for " + std::to_string(batch.size()) +
                              " tiles");
      }
      done = true;
    } catch (...) {
      if (last_try) finish(batch.front().index, std::current_exception());
    }
    clock_.leave();
    const MutexLock lock(mutex_);
    pipeline_.computed_ = clock_.busy();
    if (done || last_try) pipeline_.tiles_computed_ += batch.size();
    return done;
  }

  void push(std::size_t index, ProductHandle product, WriteQueue& writers) {
    if (!stages_.write) {
      records_[index].product = std::move(product);
      finish(index, nullptr);
      return;
    }
    const double idle = clock_.idle();
    const bool is_first_held = !held_back_.exchange(true);  // of several computers that wait one counts
    writers.push([this, index, product = std::move(product)]() mutable {
      std::exception_ptr error;
      double seconds = 0;
      {
        const TraceSpan span(trace_, "write", source::public_location(tasks_[index].tile.path));
        try {
          stages_.write(index, product);
        } catch (...) {
          error = std::current_exception();
        }
        seconds = span.seconds();
      }
      product.reset();
      {
        const MutexLock lock(mutex_);
        write_ += seconds;
      }
      finish(index, error);
    });
    if (!is_first_held) return;
    held_back_ = false;
    const double idled = clock_.idle() - idle;
    const MutexLock lock(mutex_);
    write_wait_ += idled;
    pipeline_.waited_write_ += idled;
  }

  void finish(std::size_t index, std::exception_ptr error) {
    const MutexLock lock(mutex_);
    records_[index].error = error;
    if (error) failed_ = true;
    if (stages_.finished) stages_.finished(index, error);
  }

  // Constant after construction.
  AsyncPipeline& pipeline_;
  prefetch::AsyncTileLoader& loader_;
  const AsyncPipelineOptions& options_;
  Trace* const trace_;
  const std::span<const TileTask> tasks_;
  const Stages& stages_;
  const std::stop_token stop_;

  const Clock::time_point start_ = Clock::now();
  BusyClock clock_{start_};  ///< of the computers

  // Who takes the next batch.
  Mutex take_mutex_;
  std::size_t next_ GUARDED_BY(take_mutex_) = 0, preloaded_ GUARDED_BY(take_mutex_) = 0;
  std::exception_ptr broken_ GUARDED_BY(take_mutex_);
  double first_arrival_ GUARDED_BY(take_mutex_) = 0, load_wait_ GUARDED_BY(take_mutex_) = 0;  ///< as in PipelineTimes

  // Shared with the writers. A record belongs to who has its task, a computer, then a writer.
  Mutex mutex_;
  std::vector<TaskRecord> records_;
  double write_ GUARDED_BY(mutex_) = 0, write_wait_ GUARDED_BY(mutex_) = 0;
  std::atomic<bool> failed_ = false, held_back_ = false;
};

AsyncPipeline::AsyncPipeline(prefetch::AsyncTileLoader& loader, AsyncPipelineOptions options, Trace* trace)
    : loader_(loader), options_(options), trace_(trace) {
  if (options.ahead < 0 || options.batch_size < 1 || options.computers < 1 || options.writers < 0 || options.pending_writes < 1) {
    throw InvalidArgument(
        "pipeline options: ahead >= 0, batch_size >= 1, computers >= 1, writers >= 0 and pending_writes >= 1 are expected, not " +
        std::to_string(options.ahead) + ", " + std::to_string(options.batch_size) + ", " + std::to_string(options.computers) + ", " +
        std::to_string(options.writers) + ", " + std::to_string(options.pending_writes));
  }
}

std::vector<TaskRecord> AsyncPipeline::process(std::span<const TileTask> tasks, const Stages& stages, std::stop_token stop) {
  if (!stages.compute) throw InvalidArgument("pipeline: a compute stage is expected");
  computed_ = waited_load_ = waited_write_ = 0;
  tiles_computed_ = 0;
  return Run(*this, tasks, stages, std::move(stop)).go(times_);
}

const char* AsyncPipeline::waiting_for() const noexcept {
  const double load = waited_load_, write = waited_write_;
  if (load + write < 0.05 * computed_) return "";
  return load >= write ? "load" : "write";
}

std::vector<TaskRecord> AsyncPipeline::process_tiles(std::span<const std::string> paths,
                                                     const std::function<ProductHandle(const prefetch::Tile&)>& fn) {
  std::vector<TileTask> tasks;
  for (const std::string& path : paths) tasks.push_back({{path, std::nullopt}, {}});
  Stages stages;
  stages.compute = [&](std::span<const LoadedTask> batch) {
    std::vector<ProductHandle> products;
    for (const LoadedTask& task : batch) products.push_back(fn(*task.tile));
    return products;
  };
  return process(tasks, stages);
}

}  // namespace tuile::pipeline
