#include "tuile/pipeline/async_pipeline.hpp"

#include <atomic>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "number.hpp"
#include "tuile/core/error.hpp"

namespace tuile::pipeline {
namespace {

/// A tile with one point whose x is the number in its path.
prefetch::Tile tile_for(const std::string& path) {
  prefetch::Tile tile;
  tile.points.units = Buffer<GridPoint>(1);
  tile.points.units[0] = {std::stoi(path.substr(1)), 0, 0};
  return tile;
}

std::vector<TileTask> tasks_for(int count) {
  std::vector<TileTask> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back({{"t" + std::to_string(i), std::nullopt}, {}});
  return tasks;
}

prefetch::LoaderOptions loader_options(int workers) {
  prefetch::LoaderOptions options;
  options.num_workers = workers;
  options.cache_size = 16;
  options.retries = 0;
  options.keep_preloaded = true;
  return options;
}

std::vector<ProductHandle> numbers_of(std::span<const LoadedTask> batch) {
  std::vector<ProductHandle> products;
  for (const LoadedTask& task : batch) products.push_back(std::make_shared<Number>(task.tile->points.units[0].x));
  return products;
}

TEST(AsyncPipeline, OrderIsKeptWhateverTheWorkersAndBatches) {
  for (const int workers : {0, 1, 4}) {
    for (const int batch : {1, 3, 50}) {
      prefetch::AsyncTileLoader loader(loader_options(workers),
                                       [](const prefetch::TileRequest& r, std::stop_token) { return tile_for(r.path); });
      AsyncPipeline pipeline(loader, {.ahead = 4, .batch_size = batch, .writers = 0});
      std::vector<int> order;
      Stages stages;
      stages.compute = [&](std::span<const LoadedTask> tasks) {
        for (const LoadedTask& task : tasks) order.push_back(static_cast<int>(task.index));
        return numbers_of(tasks);
      };
      const auto records = pipeline.process(tasks_for(20), stages);
      ASSERT_EQ(records.size(), 20U);
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
        EXPECT_EQ(number_in(records[static_cast<std::size_t>(i)].product), i);
      }
    }
  }
}

TEST(AsyncPipeline, SeedForm) {
  prefetch::AsyncTileLoader loader(loader_options(2), [](const prefetch::TileRequest& r, std::stop_token) { return tile_for(r.path); });
  AsyncPipeline pipeline(loader, {});
  const std::vector<std::string> paths{"t7", "t3"};
  const auto records =
      pipeline.process_tiles(paths, [](const prefetch::Tile& tile) { return std::make_shared<Number>(tile.points.units[0].x); });
  EXPECT_EQ(number_in(records[0].product), 7);
  EXPECT_EQ(number_in(records[1].product), 3);
}

TEST(AsyncPipeline, AFailureIsItsTilesOwn) {
  prefetch::AsyncTileLoader loader(loader_options(2), [](const prefetch::TileRequest& r, std::stop_token) {
    if (r.path == "t1") throw CorruptData("t1: damaged");
    return tile_for(r.path);
  });
  AsyncPipeline pipeline(loader, {.ahead = 2, .batch_size = 4, .writers = 2});
  std::mutex mutex;
  std::set<std::size_t> written;
  std::map<std::size_t, bool> finished;
  Stages stages;
  stages.compute = [&](std::span<const LoadedTask> batch) {
    for (const LoadedTask& task : batch) {
      if (task.index == 5) throw InvalidArgument("five");
    }
    return numbers_of(batch);
  };
  stages.write = [&](std::size_t index, const ProductHandle&) {
    if (index == 6) throw IoError("disk full");
    const std::lock_guard lock(mutex);
    written.insert(index);
  };
  stages.finished = [&](std::size_t index, const std::exception_ptr& error) {
    EXPECT_TRUE(finished.emplace(index, error == nullptr).second) << "finished twice";
  };
  const auto records = pipeline.process(tasks_for(8), stages);
  EXPECT_THROW(std::rethrow_exception(records[1].error), CorruptData);
  EXPECT_THROW(std::rethrow_exception(records[5].error), InvalidArgument);
  EXPECT_THROW(std::rethrow_exception(records[6].error), IoError);
  EXPECT_EQ(written, (std::set<std::size_t>{0, 2, 3, 4, 7}));
  EXPECT_EQ(finished.size(), 8U);
  EXPECT_FALSE(finished[1]);
  EXPECT_TRUE(finished[4]);
}

TEST(AsyncPipeline, AMissingHaloPartIsReportedNotFatal) {
  prefetch::AsyncTileLoader loader(loader_options(2), [](const prefetch::TileRequest& r, std::stop_token) {
    if (r.path == "t9") throw CorruptData("t9: damaged");
    return tile_for(r.path);
  });
  AsyncPipeline pipeline(loader, {});
  std::vector<TileTask> tasks = tasks_for(1);
  const Bounds box{0, 0, 1, 1};
  tasks[0].halo = {{"t9", box}, {"t8", box}};
  bool seen = false;
  Stages stages;
  stages.compute = [&](std::span<const LoadedTask> batch) {
    EXPECT_EQ(batch[0].halo[0], nullptr);
    EXPECT_EQ(batch[0].halo_errors[0]->kind, ErrorKind::corrupt);
    EXPECT_NE(batch[0].halo_errors[0]->message.find("damaged"), std::string::npos);
    EXPECT_EQ(batch[0].halo[1]->points.units[0].x, 8);
    EXPECT_FALSE(batch[0].halo_errors[1].has_value());
    seen = true;
    return numbers_of(batch);
  };
  EXPECT_EQ(pipeline.process(tasks, stages)[0].error, nullptr);
  EXPECT_TRUE(seen);
}

TEST(AsyncPipeline, AHaloPartThatFailsForNowFailsTheTile) {
  prefetch::AsyncTileLoader loader(loader_options(1), [](const prefetch::TileRequest& r, std::stop_token) {
    if (r.path == "t9") throw IoError("t9: the network is down");
    return tile_for(r.path);
  });
  AsyncPipeline pipeline(loader, {});
  std::vector<TileTask> tasks = tasks_for(2);
  tasks[0].halo = {{"t9", Bounds{0, 0, 1, 1}}};
  const auto records = pipeline.process(tasks, {.compute = numbers_of, .write = {}, .finished = {}});
  EXPECT_THROW(std::rethrow_exception(records[0].error), IoError) << "with less halo it would be taken for done";
  EXPECT_EQ(records[1].error, nullptr);
}

TEST(AsyncPipeline, ALoaderThatIsShutDownLeavesARecordForEveryTile) {
  prefetch::AsyncTileLoader loader(loader_options(2), [](const prefetch::TileRequest& r, std::stop_token) { return tile_for(r.path); });
  AsyncPipeline pipeline(loader, {.ahead = 3});
  loader.shutdown();
  int finished = 0;
  const auto records = pipeline.process(
      tasks_for(5), {.compute = numbers_of, .write = {}, .finished = [&](std::size_t, const std::exception_ptr&) { ++finished; }});
  EXPECT_EQ(finished, 5);
  for (const TaskRecord& record : records) EXPECT_THROW(std::rethrow_exception(record.error), Cancelled);
}

TEST(AsyncPipeline, LoadComputeAndWriteOverlap) {
  // Compute of tile 1 ends only when the load of tile 2 and the write of tile 0 have begun: without overlap this test hangs.
  std::latch load2(1), write0(1), computing1(1);
  prefetch::AsyncTileLoader loader(loader_options(2), [&](const prefetch::TileRequest& r, std::stop_token) {
    if (r.path == "t2") {
      computing1.wait();
      load2.count_down();
    }
    return tile_for(r.path);
  });
  AsyncPipeline pipeline(loader, {.ahead = 1, .batch_size = 1, .writers = 1});
  Stages stages;
  stages.compute = [&](std::span<const LoadedTask> batch) {
    if (batch[0].index == 1) {
      computing1.count_down();
      load2.wait();
      write0.wait();
    }
    return numbers_of(batch);
  };
  stages.write = [&](std::size_t index, const ProductHandle&) {
    if (index == 0) {
      computing1.wait();
      write0.count_down();
    }
  };
  for (const TaskRecord& record : pipeline.process(tasks_for(3), stages)) EXPECT_EQ(record.error, nullptr);
}

TEST(AsyncPipeline, ASlowWriterHoldsComputeBack) {
  prefetch::AsyncTileLoader loader(loader_options(2), [](const prefetch::TileRequest& r, std::stop_token) { return tile_for(r.path); });
  AsyncPipeline pipeline(loader, {.ahead = 2, .batch_size = 1, .writers = 1, .pending_writes = 1});
  std::atomic<int> computed{0}, written{0}, most{0};
  Stages stages;
  stages.compute = [&](std::span<const LoadedTask> batch) {
    most = std::max(most.load(), ++computed - written.load());
    return numbers_of(batch);
  };
  stages.write = [&](std::size_t, const ProductHandle&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ++written;
  };
  pipeline.process(tasks_for(30), stages);
  EXPECT_EQ(written.load(), 30);
  EXPECT_LE(most.load(), 4) << "in compute, pushed, queued and being written: no more";
  EXPECT_GT(pipeline.times().write_wait, 0.0);
}

TEST(AsyncPipeline, StopEndsTheRunAndAccountsForEveryTile) {
  prefetch::AsyncTileLoader loader(loader_options(2), [](const prefetch::TileRequest& r, std::stop_token) { return tile_for(r.path); });
  AsyncPipeline pipeline(loader, {.ahead = 2, .batch_size = 1, .writers = 1});
  std::stop_source source;
  std::atomic<int> written{0};
  Stages stages;
  stages.compute = [&](std::span<const LoadedTask> batch) {
    if (batch[0].index == 3) source.request_stop();
    return numbers_of(batch);
  };
  stages.write = [&](std::size_t, const ProductHandle&) { ++written; };
  const auto records = pipeline.process(tasks_for(10), stages, source.get_token());
  EXPECT_EQ(written.load(), 4);
  for (std::size_t i = 4; i < 10; ++i) EXPECT_THROW(std::rethrow_exception(records[i].error), Cancelled);
}

TEST(AsyncPipeline, FailFastCancelsTheRest) {
  prefetch::AsyncTileLoader loader(loader_options(1), [](const prefetch::TileRequest& r, std::stop_token) { return tile_for(r.path); });
  AsyncPipeline pipeline(loader, {.ahead = 1, .batch_size = 1, .writers = 0, .fail_fast = true});
  Stages stages;
  stages.compute = [&](std::span<const LoadedTask> batch) {
    if (batch[0].index == 2) throw CorruptData("two");
    return numbers_of(batch);
  };
  const auto records = pipeline.process(tasks_for(5), stages);
  EXPECT_EQ(records[1].error, nullptr);
  EXPECT_THROW(std::rethrow_exception(records[2].error), CorruptData);
  EXPECT_THROW(std::rethrow_exception(records[3].error), Cancelled);
}

TEST(AsyncPipeline, RefusesOptionsOutOfRange) {
  prefetch::AsyncTileLoader loader(loader_options(1), [](const prefetch::TileRequest& r, std::stop_token) { return tile_for(r.path); });
  EXPECT_THROW(AsyncPipeline(loader, {.batch_size = 0}), InvalidArgument);
  EXPECT_THROW(AsyncPipeline(loader, {.ahead = -1}), InvalidArgument);
  AsyncPipeline pipeline(loader, {});
  EXPECT_THROW(pipeline.process(tasks_for(1), {}), InvalidArgument);
  EXPECT_TRUE(pipeline.process({}, {.compute = numbers_of, .write = {}, .finished = {}}).empty());
}

}  // namespace
}  // namespace tuile::pipeline
