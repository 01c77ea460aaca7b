#include "tuile/prefetch/tile_reader.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "prefetch/strip_store.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/byte_source.hpp"
#include "tuile/source/store.hpp"

namespace tuile::prefetch {

namespace {

/// A COPC tile that is among the next so many is decoded whole for the first halo that wants a part of it, if it can be kept.
constexpr std::size_t soon = 6;

std::size_t block_bytes(const las::FileInfo& info, FieldSet wanted) {
  return static_cast<std::size_t>(info.header.point_count * bytes_per_point(wanted & info.fields()));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

class CountedSource;

struct TileReader::Impl {
  Impl(TileReaderOptions options, Executor& pool)
      : fields(options.fields),
        memory(std::move(options.memory)),
        executor(pool),
        own_store(options.store == nullptr ? std::make_unique<source::Store>() : nullptr),
        store(options.store == nullptr ? *own_store : *options.store),
        strips(options.strip_budget) {}

  // Constant after construction.
  const FieldSet fields;
  const std::shared_ptr<HostMemory> memory;
  Executor& executor;
  const std::unique_ptr<source::Store> own_store;
  source::Store& store;

  Mutex mutex;
  StoppableCondition decoded;
  StripStore strips GUARDED_BY(mutex);
  std::set<std::string> decoding GUARDED_BY(mutex);  ///< files being decoded whole
  std::size_t promised GUARDED_BY(mutex) = 0;        ///< bytes of the store that blocks being decoded will take
  ReaderStatistics statistics GUARDED_BY(mutex);

  Tile whole(const std::string& path, std::stop_token stop);
  Tile part(const TileRequest& request, std::stop_token stop);
  /// What another decode left for a part, once no decode is under way.
  std::optional<Tile> take_strip(MutexLock& lock, const TileRequest& request, const std::stop_token& stop) REQUIRES(mutex);
  Tile decode_whole(CountedSource& source, const std::string& path, bool early, const std::stop_token& stop);
  Tile decode_nodes(const source::ByteSource& source, const las::FileInfo& info, const Bounds& bbox, const std::stop_token& stop);
  void keep_strips(const std::string& path, const PointBlock& points, bool early);
  void count(const las::DecodeResult& result, double decode_seconds, bool whole);

  void wait_until_decoded(MutexLock& lock, const std::string& path, const std::stop_token& stop) REQUIRES(mutex) {
    if (!decoded.wait(lock, stop, [&]() REQUIRES(mutex) { return !decoding.contains(path); })) throw Cancelled("cancelled");
  }
};

/// A file of the store; what reading it cost is counted at the end at the latest, under the reader's mutex.
class CountedSource {
 public:
  template <class Impl>
  CountedSource(Impl& impl, const std::string& path, const std::stop_token& stop)
      : source_(impl.store.open(path, stop)), count_([&impl](const source::Traffic& traffic) {
          const MutexLock lock(impl.mutex);
          impl.statistics.bytes_read += traffic.bytes;
          impl.statistics.read_seconds += traffic.seconds;
        }) {}
  ~CountedSource() { count(); }
  CountedSource(const CountedSource&) = delete;
  CountedSource& operator=(const CountedSource&) = delete;

  /// Counts what was read since the last time.
  void count() {
    const source::Traffic now = source_->traffic();
    count_({now.bytes - counted_.bytes, now.seconds - counted_.seconds});
    counted_ = now;
  }
  const source::ByteSource& operator*() const noexcept { return *source_; }
  const source::ByteSource* operator->() const noexcept { return source_.get(); }

 private:
  std::unique_ptr<source::ByteSource> source_;
  std::function<void(const source::Traffic&)> count_;
  source::Traffic counted_;
};

/// Marks a file as being decoded whole, for the lifetime of the object. Made with the mutex held, ends without it; `room`: bytes of the
/// store that are promised to the block until then.
class DecodingMark {
 public:
  template <class Impl>
  DecodingMark(Impl& impl, const std::string& path, std::size_t room = 0)
      : leave_([&impl, path, room] {
          const MutexLock lock(impl.mutex);
          impl.promised -= room;
          impl.decoding.erase(path);
          impl.decoded.notify_all();
        }) {
    impl.decoding.insert(path);
    impl.promised += room;
  }
  ~DecodingMark() { leave_(); }
  DecodingMark(const DecodingMark&) = delete;
  DecodingMark& operator=(const DecodingMark&) = delete;

 private:
  std::function<void()> leave_;
};

void TileReader::Impl::count(const las::DecodeResult& result, double decode_seconds, bool is_whole) {
  const MutexLock lock(mutex);
  statistics.points_decoded += result.points_decoded;
  statistics.decode_seconds += decode_seconds;
  ++(is_whole ? statistics.full_decodes : statistics.partial_decodes);
}

Tile TileReader::Impl::decode_whole(CountedSource& source, const std::string& path, bool early, const std::stop_token& stop) {
  las::FileInfo info;
  if (source->has_ranges()) info = las::read_info(*source);  // a damaged header is found before all is read
  const Buffer<std::byte> bytes = source::read_all(*source);
  source.count();
  if (!source->has_ranges()) info = las::read_info(*source::from_memory(bytes.span(), source::public_location(path)));
  const auto start = std::chrono::steady_clock::now();
  las::DecodeResult result =
      las::decode(bytes.span(), info, {.fields = fields, .bbox = std::nullopt, .stop = stop, .memory = memory}, executor);
  count(result, seconds_since(start), true);
  keep_strips(path, result.points, early);
  return {std::move(result.points), std::move(result.warnings)};
}

void TileReader::Impl::keep_strips(const std::string& path, const PointBlock& points, bool early) {
  std::vector<Bounds> boxes;
  {
    const MutexLock lock(mutex);
    boxes = strips.wanted(path, early);
  }
  std::vector<PointBlock> cuts(boxes.size());
  executor.for_each(boxes.size(), [&](std::size_t i) { cuts[i] = cut(points, boxes[i]); });
  const MutexLock lock(mutex);
  for (std::size_t i = 0; i < boxes.size(); ++i) strips.put({path, boxes[i]}, {std::move(cuts[i]), {}});
}

Tile TileReader::Impl::whole(const std::string& path, std::stop_token stop) {
  std::optional<Tile> parked;
  std::optional<DecodingMark> mark;
  {
    MutexLock lock(mutex);
    wait_until_decoded(lock, path, stop);
    parked = strips.take({path, std::nullopt});
    strips.forget({path, std::nullopt});
    mark.emplace(*this, path);
  }
  if (parked) {
    keep_strips(path, parked->points, false);
    return std::move(*parked);
  }
  CountedSource source(*this, path, stop);
  return decode_whole(source, path, false, stop);
}

Tile TileReader::Impl::decode_nodes(const source::ByteSource& source, const las::FileInfo& info, const Bounds& bbox,
                                    const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  const double read_before = source.traffic().seconds;
  las::DecodeResult result = las::decode_copc_nodes(source, info, {.fields = fields, .bbox = bbox, .stop = stop}, executor);
  const double read = source.traffic().seconds - read_before;  // of several reads at once
  count(result, std::max(0.0, seconds_since(start) - read), false);
  return {std::move(result.points), std::move(result.warnings)};
}

std::optional<Tile> TileReader::Impl::take_strip(MutexLock& lock, const TileRequest& request, const std::stop_token& stop) {
  wait_until_decoded(lock, request.path, stop);
  std::optional<Tile> strip = strips.take(request);
  if (strip) ++statistics.strips_reused;
  return strip;
}

Tile TileReader::Impl::part(const TileRequest& request, std::stop_token stop) {
  const Bounds& bbox = *request.bbox;
  {
    MutexLock lock(mutex);
    if (std::optional<Tile> strip = take_strip(lock, request, stop)) return std::move(*strip);
  }
  CountedSource source(*this, request.path, stop);
  std::optional<las::FileInfo> info;
  if (source->has_ranges()) info = las::read_info(*source);
  bool early = false;
  std::optional<DecodingMark> mark;  // none: only the nodes that are needed
  {
    // A lock of its own, which ends before the source does: that counts under it.
    MutexLock lock(mutex);
    if (std::optional<Tile> strip = take_strip(lock, request, stop)) return std::move(*strip);
    strips.forget(request);
    const std::size_t room = info ? block_bytes(*info, fields) : 0;
    const bool keep_whole = info && strips.comes_soon(request.path, soon) && strips.has_room(promised + room);
    early = strips.expects({request.path, std::nullopt});
    if (!info || !info->copc || keep_whole) mark.emplace(*this, request.path, keep_whole ? room : 0);
  }
  if (!mark) return decode_nodes(*source, *info, bbox, stop);
  Tile tile = decode_whole(source, request.path, early, stop);
  Tile piece{cut(tile.points, bbox), {}};
  const MutexLock lock(mutex);
  strips.put({request.path, std::nullopt}, std::move(tile));
  return piece;
}

TileReader::TileReader(TileReaderOptions options, Executor& executor) : impl_(std::make_unique<Impl>(options, executor)) {}
TileReader::~TileReader() = default;

void TileReader::expect(const TileRequest& request) {
  const MutexLock lock(impl_->mutex);
  impl_->strips.expect(request);
}

void TileReader::forget(const TileRequest& request) {
  const MutexLock lock(impl_->mutex);
  impl_->strips.forget(request);
}

Tile TileReader::load(const TileRequest& request, std::stop_token stop) {
  try {
    return request.bbox ? impl_->part(request, stop) : impl_->whole(request.path, stop);
  } catch (const Error& error) {
    rethrow_at(error, source::public_location(request.path));
  }
}

ReaderStatistics TileReader::statistics() const {
  const MutexLock lock(impl_->mutex);
  return impl_->statistics;
}

}  // namespace tuile::prefetch
