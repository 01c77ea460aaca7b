#include "tuile/prefetch/tile_reader.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "prefetch/strip_store.hpp"
#include "tuile/core/error.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/byte_source.hpp"

namespace tuile::prefetch {

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The points of `block` inside `bbox`, as las::decode would keep them.
PointBlock cut(const PointBlock& block, const Bounds& bbox) {
  const GridBounds box = units_inside(bbox, block.grid.scale);
  std::vector<std::uint32_t> picks;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const GridPoint& p = block.units[i];
    if (box.contains(block.grid.origin[0] + p.x, block.grid.origin[1] + p.y)) picks.push_back(static_cast<std::uint32_t>(i));
  }
  return select(block, picks);
}

}  // namespace

struct TileReader::Impl {
  Impl(TileReaderOptions options, Executor& pool) : fields(options.fields), executor(pool), strips(options.strip_budget) {}

  // Constant after construction.
  const FieldSet fields;
  Executor& executor;

  // Guarded by mutex.
  std::mutex mutex;
  std::condition_variable_any decoded;
  StripStore strips;
  std::set<std::string> decoding;                ///< files being decoded whole
  std::set<std::string> announced;               ///< files whose whole load will come
  std::unordered_map<std::string, Tile> parked;  ///< whole blocks that a halo decoded before the announced load came
  ReaderStatistics statistics;

  Tile whole(const std::string& path, std::stop_token stop);
  Tile part(const TileRequest& request, std::stop_token stop);
  Tile decode_whole(const std::string& path, const std::stop_token& stop);
  Tile decode_nodes(const source::ByteSource& source, const las::FileInfo& info, const Bounds& bbox, const std::stop_token& stop);
  void keep_strips(const std::string& path, const PointBlock& points);
  void count(const las::DecodeResult& result, double decode_seconds, bool whole);

  void wait_until_decoded(std::unique_lock<std::mutex>& lock, const std::string& path, const std::stop_token& stop) {
    if (!decoded.wait(lock, stop, [&] { return !decoding.contains(path); })) throw Cancelled("cancelled");
  }
};

/// Marks a file as being decoded whole, for the lifetime of the object.
class DecodingMark {
 public:
  template <class Impl>
  DecodingMark(Impl& impl, std::string path)
      : leave_([&impl, path = std::move(path)] {
          const std::lock_guard lock(impl.mutex);
          impl.decoding.erase(path);
          impl.decoded.notify_all();
        }) {}
  ~DecodingMark() { leave_(); }
  DecodingMark(const DecodingMark&) = delete;
  DecodingMark& operator=(const DecodingMark&) = delete;

 private:
  std::function<void()> leave_;
};

void TileReader::Impl::count(const las::DecodeResult& result, double decode_seconds, bool is_whole) {
  const std::lock_guard lock(mutex);
  statistics.points_decoded += result.points_decoded;
  statistics.decode_seconds += decode_seconds;
  ++(is_whole ? statistics.full_decodes : statistics.partial_decodes);
}

Tile TileReader::Impl::decode_whole(const std::string& path, const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  const std::unique_ptr<source::ByteSource> source = source::open_file(path);
  const las::FileInfo info = las::read_info(*source);
  const Buffer<std::byte> bytes = source::read_all(*source);
  const double read_seconds = seconds_since(start);
  {
    const std::lock_guard lock(mutex);
    statistics.bytes_read += bytes.size();
    statistics.read_seconds += read_seconds;
  }
  const auto decode_start = std::chrono::steady_clock::now();
  las::DecodeResult result = las::decode(bytes.span(), info, {.fields = fields, .bbox = std::nullopt, .stop = stop}, executor);
  count(result, seconds_since(decode_start), true);
  keep_strips(path, result.points);
  return {std::move(result.points), std::move(result.warnings)};
}

void TileReader::Impl::keep_strips(const std::string& path, const PointBlock& points) {
  std::vector<Bounds> boxes;
  {
    const std::lock_guard lock(mutex);
    boxes = strips.wanted(path);
  }
  std::vector<PointBlock> cuts(boxes.size());
  executor.for_each(boxes.size(), [&](std::size_t i) { cuts[i] = cut(points, boxes[i]); });
  const std::lock_guard lock(mutex);
  for (std::size_t i = 0; i < boxes.size(); ++i) strips.put(path, boxes[i], std::move(cuts[i]));
}

Tile TileReader::Impl::whole(const std::string& path, std::stop_token stop) {
  {
    std::unique_lock lock(mutex);
    wait_until_decoded(lock, path, stop);
    announced.erase(path);
    if (const auto entry = parked.find(path); entry != parked.end()) {
      Tile tile = std::move(entry->second);
      parked.erase(entry);
      return tile;
    }
    decoding.insert(path);
  }
  const DecodingMark mark(*this, path);
  return decode_whole(path, stop);
}

Tile TileReader::Impl::decode_nodes(const source::ByteSource& source, const las::FileInfo& info, const Bounds& bbox,
                                    const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  las::DecodeResult result = las::decode_copc_nodes(source, info, {.fields = fields, .bbox = bbox, .stop = stop}, executor);
  count(result, seconds_since(start), false);
  return {std::move(result.points), std::move(result.warnings)};
}

Tile TileReader::Impl::part(const TileRequest& request, std::stop_token stop) {
  const Bounds& bbox = *request.bbox;
  const std::unique_ptr<source::ByteSource> source = source::open_file(request.path);
  const las::FileInfo info = las::read_info(*source);
  bool keep_whole = false;
  {
    std::unique_lock lock(mutex);
    wait_until_decoded(lock, request.path, stop);
    if (std::optional<PointBlock> strip = strips.take(request.path, bbox)) {
      ++statistics.strips_reused;
      return {std::move(*strip), {}};
    }
    keep_whole = announced.contains(request.path);
    if (info.copc && !keep_whole) {
      lock.unlock();
      return decode_nodes(*source, info, bbox, stop);
    }
    decoding.insert(request.path);
  }
  const DecodingMark mark(*this, request.path);
  Tile tile = decode_whole(request.path, stop);
  Tile piece{cut(tile.points, bbox), {}};
  const std::lock_guard lock(mutex);
  strips.forget(request.path, bbox);
  if (keep_whole && announced.contains(request.path)) parked.insert_or_assign(request.path, std::move(tile));
  return piece;
}

TileReader::TileReader(TileReaderOptions options, Executor& executor) : impl_(std::make_unique<Impl>(options, executor)) {}
TileReader::~TileReader() = default;

void TileReader::expect(const std::string& path, const Bounds& bbox) {
  const std::lock_guard lock(impl_->mutex);
  impl_->strips.expect(path, bbox);
}

void TileReader::forget(const std::string& path, const Bounds& bbox) {
  const std::lock_guard lock(impl_->mutex);
  impl_->strips.forget(path, bbox);
}

void TileReader::renounce(const std::string& path) {
  std::unordered_map<std::string, Tile>::node_type parked;  // freed after the lock
  const std::lock_guard lock(impl_->mutex);
  impl_->announced.erase(path);
  parked = impl_->parked.extract(path);
}

void TileReader::announce(const std::string& path) {
  const std::lock_guard lock(impl_->mutex);
  impl_->announced.insert(path);
}

Tile TileReader::load(const TileRequest& request, std::stop_token stop) {
  try {
    return request.bbox ? impl_->part(request, stop) : impl_->whole(request.path, stop);
  } catch (const Error& error) {
    rethrow_at(error, request.path);
  }
}

ReaderStatistics TileReader::statistics() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->statistics;
}

}  // namespace tuile::prefetch
