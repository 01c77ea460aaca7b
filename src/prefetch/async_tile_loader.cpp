#include "tuile/prefetch/async_tile_loader.hpp"

#include <utility>

#include "prefetch/loader_impl.hpp"

namespace tuile::prefetch {

bool TileFuture::ready() const { return loader_->impl_->ready(request_); }

TileHandle TileFuture::get(std::optional<std::chrono::duration<double>> timeout) const { return loader_->impl_->get(request_, timeout); }

AsyncTileLoader::AsyncTileLoader(LoaderOptions options, LoadFunction load) : impl_(std::make_unique<Impl>(options, std::move(load))) {}

AsyncTileLoader::~AsyncTileLoader() { shutdown(); }

TileFuture AsyncTileLoader::preload_tile(const std::string& path, std::optional<Bounds> bbox) {
  TileRequest request{path, bbox};
  impl_->preload(request);
  return TileFuture(this, std::move(request));
}

std::vector<TileFuture> AsyncTileLoader::preload_tile_batch(std::span<const std::string> paths) {
  std::vector<TileFuture> futures;
  futures.reserve(paths.size());
  for (const std::string& path : paths) futures.push_back(preload_tile(path));
  return futures;
}

TileHandle AsyncTileLoader::get_tile(const std::string& path, std::optional<std::chrono::duration<double>> timeout,
                                     std::optional<Bounds> bbox, std::stop_token stop) {
  return impl_->get(TileRequest{path, bbox}, timeout, std::move(stop));
}

bool AsyncTileLoader::ready(const std::string& path, std::optional<Bounds> bbox) const { return impl_->ready(TileRequest{path, bbox}); }

void AsyncTileLoader::release(const std::string& path, std::optional<Bounds> bbox) { impl_->release(TileRequest{path, bbox}); }

void AsyncTileLoader::set_workers(int workers) { impl_->set_workers(workers); }

void AsyncTileLoader::clear_cache() { impl_->clear_cache(); }

LoaderStatistics AsyncTileLoader::get_stats() const { return impl_->statistics(); }

std::string AsyncTileLoader::stats_text() const { return get_stats().text(); }

void AsyncTileLoader::shutdown() { impl_->shutdown(); }

}  // namespace tuile::prefetch
