#include "tuile/pipeline/tile_stream.hpp"

#include <exception>
#include <thread>
#include <utility>

#include "pipeline/delivery_queue.hpp"
#include "tuile/core/error.hpp"

namespace tuile::pipeline {

struct TileStream::Impl {
  Impl(ProcessOptions chosen, std::size_t ready) : options(std::move(chosen)), queue(ready) {
    options.stop = stop_source.get_token();
    options.deliver = [this](DeliveredTile tile) { queue.put(std::move(tile)); };
    options.admit = [this] { queue.admit(); };
    options.failed = [this](std::size_t index, const FailedTile& failure) { queue.put(index, failure); };
    runner = std::jthread([this] { run(); });
  }
  ~Impl() { close(); }

  void run() {
    std::exception_ptr error;
    try {
      LidarProcessor(options).process();
    } catch (...) {
      error = std::current_exception();
    }
    queue.end(error);
  }

  void close() {
    queue.close();
    stop_source.request_stop();
  }

  ProcessOptions options;
  DeliveryQueue queue;
  std::stop_source stop_source;
  std::jthread runner;  ///< the last member: it ends before the others
};

TileStream::TileStream(ProcessOptions options, std::size_t ready) {
  if (ready == 0) throw InvalidArgument("a stream of 0 tiles was asked for; at least 1 may have to wait");
  impl_ = std::make_unique<Impl>(std::move(options), ready);
}
TileStream::~TileStream() = default;

std::optional<DeliveredTile> TileStream::next(std::stop_token stop) {
  std::optional<Result> result = next_result(std::move(stop));
  if (!result) return std::nullopt;
  if (const auto* failure = std::get_if<FailedTile>(&*result)) throw_error(failure->kind, failure->message);
  return std::get<DeliveredTile>(std::move(*result));
}
std::optional<TileStream::Result> TileStream::next_result(std::stop_token stop) { return impl_->queue.get(std::move(stop)); }
void TileStream::close() { impl_->close(); }

}  // namespace tuile::pipeline
