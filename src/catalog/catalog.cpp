#include "tuile/catalog/catalog.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <thread>
#include <variant>

#include "catalog/crs_guess.hpp"
#include "catalog/hilbert.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/store.hpp"

namespace tuile::catalog {

namespace {

using Outcome = std::variant<std::monostate, TileEntry, FailedInput>;

TileEntry read_entry(const InputFile& input, int crs, source::Store& store, const std::stop_token& stop) {
  TileEntry entry;
  entry.path = input.path;
  entry.name = input.name;
  const std::unique_ptr<source::ByteSource> source = store.open(input.path, stop);
  entry.file_size = source->size();
  entry.modified_ns = source->modified_ns();
  const las::FileInfo info = las::read_info(*source);
  entry.points = info.header.point_count;
  entry.bounds = info.bounds();
  entry.grid_scale = info.grid_scale();
  entry.copc = info.copc.has_value();
  entry.point_format = info.header.point_format;
  entry.fields = info.fields();
  entry.warnings = info.warnings;
  settle_crs(entry, info, crs);
  return entry;
}

/// Reads every header on I/O threads: on a network store their latencies overlap.
std::vector<Outcome> read_entries(const std::vector<InputFile>& inputs, const CatalogOptions& options, const std::stop_token& stop) {
  std::vector<Outcome> outcomes(inputs.size());
  std::optional<source::Store> own;
  source::Store& store = options.store != nullptr ? *options.store : own.emplace();
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next.fetch_add(1); i < inputs.size() && !stop.stop_requested(); i = next.fetch_add(1)) {
      try {
        outcomes[i] = read_entry(inputs[i], options.crs, store, stop);
      } catch (const Error& error) {
        outcomes[i] = FailedInput{source::public_location(inputs[i].path), inputs[i].name, error.kind(),
                                  located(error.what(), source::public_location(inputs[i].path))};
      } catch (const std::exception& error) {
        outcomes[i] = FailedInput{source::public_location(inputs[i].path), inputs[i].name, ErrorKind::io,
                                  located(error.what(), source::public_location(inputs[i].path))};
      }
    }
  };
  {
    const std::size_t count = std::min(inputs.size(), static_cast<std::size_t>(std::max(1, options.io_threads)));
    std::vector<std::jthread> pool;
    for (std::size_t t = 1; t < count; ++t) pool.emplace_back(work);
    work();
  }
  if (stop.stop_requested()) throw Cancelled("cancelled while reading tile headers");
  return outcomes;
}

void refuse_name_clashes(const std::vector<InputFile>& inputs) {
  std::map<std::string, const InputFile*> by_name;
  for (const InputFile& input : inputs) {
    const auto [other, is_new] = by_name.emplace(input.name, &input);
    if (!is_new) {
      throw ConfigError("two inputs have one output name '" + input.name + "': " + source::public_location(other->second->path) + " and " +
                        source::public_location(input.path) + "; process them into different folders or rename one");
    }
  }
}

/// Without a date or an ETag the next run cannot tell a changed file from the one that was processed.
void note_unnamed_versions(Catalog& catalog) {
  const auto is_unnamed = [](const TileEntry& tile) { return source::is_url(tile.path) && tile.modified_ns == 0; };
  const auto count = std::count_if(catalog.tiles.begin(), catalog.tiles.end(), is_unnamed);
  if (count == 0) return;
  const auto first = std::find_if(catalog.tiles.begin(), catalog.tiles.end(), is_unnamed);
  catalog.notes.push_back("the server tells neither ETag nor date of " + source::public_location(first->path) +
                          (count > 1 ? " and " + std::to_string(count - 1) + " more" : "") +
                          ": a change that keeps the size will not be noticed by later runs; use --overwrite then");
}

std::string crs_key(const TileEntry& entry) { return entry.epsg != 0 ? "EPSG:" + std::to_string(entry.epsg) : entry.crs_name; }

bool is_copy(const TileEntry& a, const TileEntry& b) {
  return a.points == b.points && a.bounds == b.bounds && a.grid_scale == b.grid_scale;
}

/// For every tile the others of its CRS whose bounds come within `halo`: a sweep along x.
std::vector<std::vector<std::size_t>> find_neighbours(Catalog& catalog, double halo) {
  const std::vector<TileEntry>& tiles = catalog.tiles;
  std::vector<std::vector<std::size_t>> neighbours(tiles.size());
  std::vector<std::size_t> by_x;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    if (!tiles[i].bounds.empty()) by_x.push_back(i);
  }
  std::sort(by_x.begin(), by_x.end(), [&](std::size_t a, std::size_t b) { return tiles[a].bounds.min_x < tiles[b].bounds.min_x; });
  for (std::size_t s = 0; s < by_x.size(); ++s) {
    const TileEntry& a = tiles[by_x[s]];
    const Bounds reach = a.bounds.expanded(halo);
    for (std::size_t t = s + 1; t < by_x.size() && tiles[by_x[t]].bounds.min_x <= reach.max_x; ++t) {
      const TileEntry& b = tiles[by_x[t]];
      if (!reach.intersects(b.bounds) || crs_key(a) != crs_key(b)) continue;
      if (is_copy(a, b)) {
        catalog.notes.push_back(source::public_location(a.path) + " and " + source::public_location(b.path) +
                                " have the same bounds and point count: taken for copies, neither is the other's neighbour");
        continue;
      }
      const double shared = a.bounds.intersection(b.bounds).area();
      const double smaller = std::min(a.bounds.area(), b.bounds.area());
      if (shared > 0.01 * smaller && smaller > 0) {
        catalog.notes.push_back(source::public_location(a.path) + " and " + source::public_location(b.path) + " overlap on " +
                                std::to_string(std::llround(shared)) + " m²: in the overlap each uses its own points only");
      }
      if (halo > 0) {
        neighbours[by_x[s]].push_back(by_x[t]);
        neighbours[by_x[t]].push_back(by_x[s]);
      }
    }
  }
  for (std::vector<std::size_t>& list : neighbours) {
    std::sort(list.begin(), list.end(), [&](std::size_t a, std::size_t b) { return tiles[a].path < tiles[b].path; });
  }
  return neighbours;
}

/// Tiles along a Hilbert curve over their centres, one CRS after the other; tiles without points first.
std::vector<std::size_t> visiting_order(const std::vector<TileEntry>& tiles) {
  constexpr unsigned bits = 16;
  std::map<std::string, Bounds> extents;
  for (const TileEntry& tile : tiles) {
    if (tile.bounds.empty()) continue;
    Bounds& box = extents[crs_key(tile)];
    box = {std::min(box.min_x, tile.bounds.min_x), std::min(box.min_y, tile.bounds.min_y), std::max(box.max_x, tile.bounds.max_x),
           std::max(box.max_y, tile.bounds.max_y)};
  }
  std::vector<std::uint64_t> position(tiles.size(), 0);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Bounds& b = tiles[i].bounds;
    if (b.empty()) continue;
    const Bounds& box = extents[crs_key(tiles[i])];
    const double side = std::max({box.width(), box.height(), 1e-9});
    const auto cell = [&](double value, double low) {
      return static_cast<std::uint32_t>(std::clamp((value - low) / side * ((1U << bits) - 1), 0.0, static_cast<double>((1U << bits) - 1)));
    };
    position[i] = hilbert_index(cell((b.min_x + b.max_x) / 2, box.min_x), cell((b.min_y + b.max_y) / 2, box.min_y), bits);
  }
  std::vector<std::size_t> order(tiles.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const std::string key_a = crs_key(tiles[a]), key_b = crs_key(tiles[b]);
    return std::tie(key_a, position[a], tiles[a].path) < std::tie(key_b, position[b], tiles[b].path);
  });
  return order;
}

}  // namespace

Catalog build_catalog(const std::vector<InputFile>& inputs, const CatalogOptions& options, std::stop_token stop) {
  if (options.shard.count == 0 || options.shard.index >= options.shard.count) {
    throw InvalidArgument("shard " + std::to_string(options.shard.index) + "/" + std::to_string(options.shard.count) +
                          ": an index from 0 to count - 1 is expected");
  }
  refuse_name_clashes(inputs);
  Catalog catalog;
  for (Outcome& outcome : read_entries(inputs, options, stop)) {
    if (auto* entry = std::get_if<TileEntry>(&outcome)) catalog.tiles.push_back(std::move(*entry));
    if (auto* failure = std::get_if<FailedInput>(&outcome); failure != nullptr && options.shard.index == 0)
      catalog.failed.push_back(std::move(*failure));
  }
  note_unnamed_versions(catalog);
  std::vector<std::vector<std::size_t>> neighbours = find_neighbours(catalog, options.halo);
  std::vector<std::size_t> order = visiting_order(catalog.tiles);
  if (options.bbox) {
    std::erase_if(order, [&](std::size_t tile) {
      return catalog.tiles[tile].bounds.empty() || !catalog.tiles[tile].bounds.intersects(*options.bbox);
    });
  }
  const std::size_t first = order.size() * options.shard.index / options.shard.count;
  const std::size_t last = order.size() * (options.shard.index + 1) / options.shard.count;
  for (std::size_t at = first; at < last; ++at) {
    TileJob job;
    job.tile = order[at];
    job.neighbours = std::move(neighbours[job.tile]);
    catalog.jobs.push_back(std::move(job));
  }
  return catalog;
}

Shard parse_shard(const std::string& text) {
  Shard shard;
  const char* end = text.data() + text.size();
  const auto [slash, error] = std::from_chars(text.data(), end, shard.index);
  if (error == std::errc{} && slash != end && *slash == '/') {
    const auto [rest, count_error] = std::from_chars(slash + 1, end, shard.count);
    if (count_error == std::errc{} && rest == end && shard.count > 0 && shard.index < shard.count) return shard;
  }
  throw ConfigError("shard '" + text + "': I/N with 0 <= I < N is expected, e.g. 0/4");
}

}  // namespace tuile::catalog
