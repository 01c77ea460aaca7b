#include "tuile/source/store.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "source/http_answer.hpp"
#include "source/http_url.hpp"
#include "source/kept_blocks.hpp"
#include "source/short_read.hpp"
#include "source/traffic_meter.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::source {

namespace {

constexpr std::size_t block_size = std::size_t{64} << 10;    // bytes that a small read brings
constexpr std::size_t kept_budget = std::size_t{32} << 20;   // bytes
constexpr std::size_t largest_piece = std::size_t{8} << 20;  // bytes of one request among several
constexpr std::size_t pieces_at_once = 4;

/// A number for the version that is the same as long as the version is. FNV-1a (Fowler, Noll, Vo), its sign bit cleared.
std::int64_t number_of(const std::string& text) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return static_cast<std::int64_t>(hash >> 1U);
}

/// A file on a server, as all its sources see it.
struct RemoteFile {
  std::string url;
  ResourceVersion version;

  std::int64_t modified_ns() const {
    const std::int64_t name = version.etag.empty() ? 0 : number_of(version.etag);
    const std::optional<std::int64_t> seconds = http_time(version.last_modified);
    if (!seconds) return version.etag.empty() ? 0 : std::max<std::int64_t>(name, 1);
    // A date has whole seconds, in which a file can change twice; the ETag tells such versions apart.
    const std::int64_t number = *seconds * 1'000'000'000 + name % 1'000'000'000;
    return number == 0 ? 1 : number;
  }
};

}  // namespace

struct Store::Impl {
  explicit Impl(HttpOptions http) : client(std::move(http)) {}

  HttpClient client;
  Mutex mutex;
  std::unordered_map<std::string, std::unique_ptr<const RemoteFile>> files GUARDED_BY(mutex);
  KeptBlocks blocks GUARDED_BY(mutex){kept_budget};

  const RemoteFile& find(const std::string& url, TrafficMeter& meter, const std::stop_token& stop);
};

/// The file's first request where it is met for the first time.
const RemoteFile& Store::Impl::find(const std::string& url, TrafficMeter& meter, const std::stop_token& stop) {
  {
    const MutexLock lock(mutex);
    if (const auto known = files.find(url); known != files.end()) return *known->second;
  }
  const TrafficMeter::Timer timer(meter);
  ResourceStart start = client.begin_reading(url, block_size, stop);
  meter.add(start.bytes.size());
  auto file = std::make_unique<const RemoteFile>(RemoteFile{url, std::move(start.version)});
  const MutexLock lock(mutex);
  const auto [known, is_new] = files.emplace(url, std::move(file));  // of two threads the first decides the version
  if (is_new) blocks.put(known->second.get(), 0, std::move(start.bytes));
  return *known->second;
}

namespace {

/// `Store` is Store::Impl, which is not to be named out here.
template <class Impl>
class HttpSource final : public ByteSource {
 public:
  HttpSource(std::shared_ptr<Impl> store, const std::string& url, std::stop_token stop)
      : store_(std::move(store)), stop_(std::move(stop)), file_(store_->find(url, meter_, stop_)), name_(public_location(url)) {}

  const std::string& name() const noexcept override { return name_; }
  std::uint64_t size() const noexcept override { return file_.version.size; }
  std::int64_t modified_ns() const noexcept override { return file_.modified_ns(); }
  bool has_ranges() const noexcept override { return file_.version.ranges; }
  Traffic traffic() const noexcept override { return meter_.traffic(); }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    check(offset, out.size());
    const std::size_t known = copy_kept(offset, out);
    offset += known;
    out = out.subspan(known);
    if (out.empty()) return;
    const TrafficMeter::Timer timer(meter_);
    if (out.size() >= block_size) {
      fetch(offset, out);
      return;
    }
    Buffer<std::byte> block(static_cast<std::size_t>(std::min<std::uint64_t>(block_size, size() - offset)));
    fetch(offset, block.span());
    std::copy_n(block.begin(), out.size(), out.begin());
    const MutexLock lock(store_->mutex);
    store_->blocks.put(&file_, offset, std::move(block));
  }

  void read_pieces(std::span<const Piece> pieces) const override {
    std::vector<Piece> parts;
    for (const Piece& piece : pieces) {
      check(piece.offset, piece.out.size());
      const std::size_t known = copy_kept(piece.offset, piece.out);
      for (std::size_t at = known; at < piece.out.size(); at += largest_piece) {
        parts.push_back({piece.offset + at, piece.out.subspan(at, std::min(largest_piece, piece.out.size() - at))});
      }
    }
    if (parts.empty()) return;
    const TrafficMeter::Timer timer(meter_);  // of the caller's wait, which the requests share
    std::atomic<std::size_t> next{0};
    Guarded<std::exception_ptr> error;
    const auto work = [&] {
      for (std::size_t i = next.fetch_add(1); i < parts.size(); i = next.fetch_add(1)) {
        try {
          fetch(parts[i].offset, parts[i].out);
        } catch (...) {
          next = parts.size();
          error.with([](std::exception_ptr& first) {
            if (!first) first = std::current_exception();
          });
        }
      }
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t t = 1; t < std::min(parts.size(), pieces_at_once); ++t) threads.emplace_back(work);
      work();
    }
    if (const std::exception_ptr first = error.take()) std::rethrow_exception(first);
  }

 private:
  void check(std::uint64_t offset, std::size_t wanted) const {
    if (offset > size() || wanted > size() - offset) throw_short(name_, offset, wanted, size());
  }
  std::size_t copy_kept(std::uint64_t offset, std::span<std::byte> out) const {
    const MutexLock lock(store_->mutex);
    return store_->blocks.copy(&file_, offset, out);
  }
  /// The caller times it.
  void fetch(std::uint64_t offset, std::span<std::byte> out) const {
    meter_.add(store_->client.read_range(file_.url, file_.version, offset, out, stop_));
  }

  const std::shared_ptr<Impl> store_;
  const std::stop_token stop_;
  mutable TrafficMeter meter_;
  const RemoteFile& file_;  // the store's, which keeps it as long as it lives
  const std::string name_;
};

}  // namespace

HttpOptions Store::http_defaults() {
  HttpOptions options;
  options.requests_per_second = 200;
  options.max_in_flight = 16;
  // All requests under way may use up their retries before the server counts as down.
  options.breaker_failures = options.max_in_flight * (options.retries + 1);
  return options;
}

Store::Store(HttpOptions http) : impl_(std::make_shared<Impl>(std::move(http))) {}
Store::~Store() = default;

std::unique_ptr<ByteSource> Store::open(const std::string& location, std::stop_token stop) {
  if (!is_url(checked_path(location))) return open_file(location);
  return std::make_unique<HttpSource<Impl>>(impl_, location, std::move(stop));
}

HttpStatistics Store::statistics() const { return impl_->client.statistics(); }

std::string public_location(const std::string& location) {
  if (!is_url(location)) return location;
  std::string text = location.substr(0, location.find_first_of("?#"));
  const std::size_t host = text.find("://") + 3;
  const std::size_t end = std::min(text.find('/', host), text.size());
  const std::size_t at = text.rfind('@', end);
  if (at != std::string::npos && at >= host && at < end) text.erase(host, at + 1 - host);
  return text;
}

}  // namespace tuile::source
