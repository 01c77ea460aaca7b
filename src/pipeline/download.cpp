#include "tuile/pipeline/download.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "truth/wfs.hpp"
#include "tuile/core/file/atomic_file.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/byte_source.hpp"

namespace fs = std::filesystem;

namespace tuile::pipeline {

namespace {

constexpr double place_tolerance = 50;  // metres: some tiles hold a few points beyond their square

void check(const DownloadOptions& options) {
  if (options.bbox.empty() || !std::isfinite(options.bbox.area()))
    throw InvalidArgument("the box to download is empty; X0,Y0,X1,Y1 in metres is expected");
  if (options.parallel < 1 || options.parallel > 64)
    throw InvalidArgument("parallel downloads are " + std::to_string(options.parallel) + "; 1 to 64 are expected");
  if (options.index_layers.empty()) throw InvalidArgument("no index layer is named");
}

/// Throws where the file is not the LAS file that the index promises.
void check_tile(const std::string& path, const truth::IndexTile& tile) {
  const std::unique_ptr<source::ByteSource> file = source::open_file(path);
  const las::FileInfo info = las::read_info(*file);
  las::check_end(*file, info);
  const Bounds bounds = info.bounds();
  if (!bounds.empty() && !tile.bounds.empty() && !bounds.intersects(tile.bounds.expanded(place_tolerance)))
    throw CorruptData(path + ": its points lie elsewhere than the index says");
}

class Downloads {
 public:
  explicit Downloads(const DownloadOptions& options)
      : options_(options),
        client_(source::HttpOptions{.requests_per_second = options.requests_per_second,
                                    .max_in_flight = options.parallel,
                                    .retries = options.retries,
                                    .log = options.log}) {}

  DownloadReport go() {
    list();
    if (!options_.list_only) fetch_all();
    report_.http = client_.statistics();
    report_.interrupted = options_.stop.stop_requested();
    return std::move(report_);
  }

 private:
  void list() {
    truth::WfsOptions wfs;
    wfs.url = options_.index_url;
    wfs.sort_by = "";  // the index has had several keys
    index_ = truth::fetch_index(client_, wfs, options_.index_layers, options_.url_attributes, options_.bbox, options_.epsg, options_.stop);
    if (index_.empty()) throw NotFound("the index at " + options_.index_url + " has no tile in the box; check --bbox and --crs");
    for (const truth::IndexTile& tile : index_)
      report_.tiles.push_back({.name = tile.name, .url = tile.url, .path = (fs::path(options_.output) / tile.name).string()});
  }

  void fetch_all() {
    create_folders(options_.output);
    for (DownloadedTile& tile : report_.tiles) tile.state = DownloadedTile::State::not_begun;
    std::vector<std::jthread> threads;
    for (int t = 0; t < std::min<int>(options_.parallel, static_cast<int>(index_.size())); ++t) threads.emplace_back([this] { work(); });
  }

  void work() {
    for (std::size_t i = next_.fetch_add(1); i < index_.size() && !options_.stop.stop_requested(); i = next_.fetch_add(1)) {
      DownloadedTile tile = report_.tiles[i];
      try {
        fetch(index_[i], tile);
      } catch (const Cancelled&) {
        tile.state = DownloadedTile::State::not_begun;
      } catch (const Error& failure) {
        tile.state = DownloadedTile::State::failed;
        tile.kind = failure.kind();
        tile.message = failure.what();
      } catch (const std::exception& failure) {
        tile.state = DownloadedTile::State::failed;
        tile.message = failure.what();
      }
      finished(i, std::move(tile));
    }
  }

  void fetch(const truth::IndexTile& entry, DownloadedTile& tile) {
    if (is_there(entry, tile)) return;
    if (entry.url.empty())
      throw NotFound("the index gives no URL for " + entry.name + "; try again later, or name another --url-attribute");
    const std::string part = tile.path + ".part";
    std::uint64_t counted = 0;
    const auto publish = [&] {
      try {
        check_tile(part, entry);
      } catch (const Error&) {
        // Going on from damaged bytes would never end well.
        std::error_code ignored;
        fs::remove(part, ignored);
        throw;
      }
      publish_file(part, tile.path);
    };
    tile.size = client_.download(
        entry.url, part, [&](std::uint64_t bytes, std::uint64_t) { received(bytes, counted); }, options_.stop, publish);
    tile.state = DownloadedTile::State::downloaded;
  }

  bool is_there(const truth::IndexTile& entry, DownloadedTile& tile) const {
    if (!fs::exists(tile.path)) return false;
    try {
      check_tile(tile.path, entry);
    } catch (const Error& damage) {
      if (damage.kind() != ErrorKind::corrupt && damage.kind() != ErrorKind::unsupported) throw;
      if (options_.log) options_.log(std::string(damage.what()) + "; it is fetched again");
      return false;
    }
    tile.size = fs::file_size(tile.path);
    tile.state = DownloadedTile::State::already_there;
    return true;
  }

  void received(std::uint64_t bytes, std::uint64_t& counted) {
    const MutexLock lock(mutex_);
    // A resumed file begins with what was there before, one begun anew counts from nothing again.
    if (bytes > counted && counted > 0) progress_.bytes += bytes - counted;
    counted = bytes;
    tell();
  }

  void finished(std::size_t i, DownloadedTile tile) {
    const MutexLock lock(mutex_);
    if (tile.state == DownloadedTile::State::failed) ++progress_.failed;
    if (tile.state == DownloadedTile::State::downloaded || tile.state == DownloadedTile::State::already_there) ++progress_.done;
    report_.tiles[i] = std::move(tile);
    tell();
  }

  void tell() REQUIRES(mutex_) {
    progress_.total = index_.size();
    if (options_.progress) options_.progress(progress_);
  }

  const DownloadOptions& options_;
  source::HttpClient client_;
  std::vector<truth::IndexTile> index_;  ///< constant once the threads run
  std::atomic<std::size_t> next_{0};
  Mutex mutex_;
  DownloadProgress progress_ GUARDED_BY(mutex_);
  DownloadReport report_;  ///< .tiles: each entry is written by the thread that took it, under mutex_
};

}  // namespace

const char* to_string(DownloadedTile::State state) noexcept {
  switch (state) {
    case DownloadedTile::State::listed: return "listed";
    case DownloadedTile::State::already_there: return "already there";
    case DownloadedTile::State::downloaded: return "downloaded";
    case DownloadedTile::State::failed: return "failed";
    case DownloadedTile::State::not_begun: return "not begun";
  }
  return "failed";
}

DownloadReport download_tiles(const DownloadOptions& options) {
  check(options);
  return Downloads(options).go();
}

}  // namespace tuile::pipeline
