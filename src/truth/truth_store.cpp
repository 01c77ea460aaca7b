#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <exception>
#include <new>

#include "truth/wkb_bounds.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/truth/store.hpp"

namespace tuile::truth {

namespace {

/// Metres by which a box may pass a cell's border without needing the next cell: half the resolution of LiDAR coordinates is less.
constexpr double border_tolerance = 1e-3;
/// Metres by which a cell knows more than itself at least, so that whoever stands on its border, or beyond it by the tolerance, misses
/// nothing.
constexpr double smallest_margin = 1;
/// Cells of a layer for one tile: 128 km a side on the default grid. More is no tile but a header that is wrong.
constexpr double most_cells = 4096;
/// Metres from the origin of the CRS: more than any CRS has, and few enough that cells are numbered exactly.
constexpr double farthest = 1e9;

std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), error == std::errc{} ? end : text.data());
}

std::string box_text(const Bounds& box) {
  return shortest(box.min_x) + "," + shortest(box.min_y) + "," + shortest(box.max_x) + "," + shortest(box.max_y);
}

/// Texts after another that cannot be mistaken for other ones.
std::string joined(std::initializer_list<std::string_view> parts) {
  std::string key;
  for (const std::string_view part : parts) {
    key += std::to_string(part.size());
    key += ':';
    key += part;
  }
  return key;
}

/// The cells [first, last] that the interval [low, high] needs.
struct CellRange {
  double first, last;
  CellRange(double low, double high, double cell)
      : first(std::floor((low + border_tolerance) / cell)), last(std::max(first, std::ceil((high - border_tolerance) / cell) - 1)) {}
  double count() const noexcept { return last - first + 1; }
};

/// How bad an outcome is: a layer has the worst of its cells'.
int badness(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::confirmed_empty: return 0;
    case Outcome::data: return 1;
    case Outcome::truncated: return 2;
    case Outcome::failed:
    case Outcome::not_requested: break;
  }
  return 3;
}

/// Joins what was found in one box into what was found in others: each feature once, the outcome the worst.
void join(FetchResult& into, FetchResult&& part) {
  if (badness(part.outcome) > badness(into.outcome)) {
    into.outcome = part.outcome;
    into.reason = std::move(part.reason);
    into.kind = part.kind;
  }
  into.invalid += part.invalid;
  std::move(part.features.begin(), part.features.end(), std::back_inserter(into.features));
}

void sort_features(std::vector<Feature>& features) {
  std::stable_sort(features.begin(), features.end(), [](const Feature& a, const Feature& b) { return a.id < b.id; });
  features.erase(std::unique(features.begin(), features.end(), [](const Feature& a, const Feature& b) { return a.id == b.id; }),
                 features.end());
}

FetchResult failed(ErrorKind kind, std::string reason) {
  FetchResult result;
  result.kind = kind;
  result.reason = std::move(reason);
  return result;
}

/// Errors that are no outcome: they end the work instead of being recorded.
bool passes(const Error& error) noexcept {
  return error.kind() == ErrorKind::cancelled || error.kind() == ErrorKind::out_of_memory || error.kind() == ErrorKind::config;
}

}  // namespace

struct TruthStore::Impl {
  Impl(std::shared_ptr<FeatureSource> chosen_source, std::vector<Layer> chosen_layers, StoreOptions chosen)
      : source(std::move(chosen_source)), layers(std::move(chosen_layers)), options(std::move(chosen)) {
    if (!source || !options.memory) throw InvalidArgument("the ground-truth store needs a source and a memory cache; one of them is null");
    if (!(options.cell >= smallest_margin && options.cell <= 1e7))
      throw InvalidArgument("the grid of ground truth has cells of " + shortest(options.cell) +
                            " m; 1 m to 10 000 km are possible, 2000 m is usual");
    remote = source->is_remote();
    name = source->name();
    identity = source->identity();
    for (const Layer& layer : layers) definitions.push_back(definition(layer));
  }

  // Constant after construction.
  const std::shared_ptr<FeatureSource> source;
  const std::vector<Layer> layers;
  const StoreOptions options;
  bool remote = false;
  std::string name, identity;
  std::vector<std::string> definitions;  ///< per layer

  mutable Mutex mutex;
  std::string edition GUARDED_BY(mutex);  ///< as last told
  std::uint64_t fetches GUARDED_BY(mutex) = 0, failures GUARDED_BY(mutex) = 0;

  std::string ask_edition(std::stop_token stop) {
    std::string told = source->edition(stop);
    const MutexLock lock(mutex);
    edition = told;
    return told;
  }

  std::vector<Bounds> cells(const Bounds& box) const {
    if (box.empty()) return {};
    if (!(std::min(box.min_x, box.min_y) >= -farthest && std::max(box.max_x, box.max_y) <= farthest))
      throw InvalidArgument("ground truth is asked for the box " + box_text(box) + "; metres within " + shortest(farthest) +
                            " of the origin are expected: check the bounds in the tile's header");
    if (!remote) return {box};
    const CellRange x(box.min_x, box.max_x, options.cell), y(box.min_y, box.max_y, options.cell);
    if (!(x.count() * y.count() <= most_cells))
      throw InvalidArgument("ground truth is asked for the box " + box_text(box) + ", which is " + shortest(x.count() * y.count()) +
                            " cells of " + shortest(options.cell) + " m; at most " + shortest(most_cells) +
                            " are asked for: check the bounds in the tile's header, and that its coordinates are metres");
    std::vector<Bounds> found;
    for (double row = y.first; row <= y.last; ++row) {
      for (double column = x.first; column <= x.last; ++column)
        found.push_back({column * options.cell, row * options.cell, (column + 1) * options.cell, (row + 1) * options.cell});
    }
    return found;
  }

  /// Never throws but what is no outcome.
  FetchResult ask(const Layer& layer, const Bounds& box, int epsg, std::stop_token stop) {
    try {
      FetchResult result = source->fetch(layer.name, box, epsg, stop);
      if (result.outcome == Outcome::not_requested) return failed(ErrorKind::io, name + " was not asked for the layer " + layer.name);
      return result;
    } catch (const std::bad_alloc&) {
      throw OutOfMemory("no memory for the layer " + layer.name + " in the box " + box_text(box) + "; process fewer tiles at once");
    } catch (const Error& error) {
      if (passes(error)) throw;
      return failed(error.kind(), error.what());
    } catch (const std::exception& error) {
      return failed(ErrorKind::corrupt, error.what());
    }
  }

  /// Asks a local source for `box` and what lies around it. Its data may end at the box: then those of the eight pieces around it count
  /// that it covers.
  FetchResult ask_around(const Layer& layer, const Bounds& box, double margin, int epsg, std::stop_token stop) {
    FetchResult result = ask(layer, box.expanded(margin), epsg, stop);
    if (is_sound(result.outcome) || margin == 0) return result;
    result = ask(layer, box, epsg, stop);
    if (!is_sound(result.outcome)) return result;
    const Bounds all = box.expanded(margin);
    const double x[] = {all.min_x, box.min_x, box.max_x, all.max_x}, y[] = {all.min_y, box.min_y, box.max_y, all.max_y};
    for (int i = 0; i < 9; ++i) {
      if (i == 4) continue;  // the box itself
      FetchResult part = ask(layer, {x[i % 3], y[i / 3], x[i % 3 + 1], y[i / 3 + 1]}, epsg, stop);
      if (is_sound(part.outcome)) {
        join(result, std::move(part));
      } else if (part.kind != ErrorKind::not_found) {
        return part;  // not beyond the edge of the data, but damaged there
      }
    }
    sort_features(result.features);
    return result;
  }

  /// What the source knows of a cell and of what reaches into it: from disk, where that is used, or from the source.
  FetchResult fetch(std::size_t layer_index, const Bounds& cell, int epsg, const std::string& known_edition, std::stop_token stop) {
    const Layer& layer = layers.at(layer_index);
    const Bounds box = cell.expanded(std::max(reach(layer), smallest_margin));
    DiskCache* disk = remote ? options.disk.get() : nullptr;
    const std::string key = joined({"features", identity, known_edition, layer.name, std::to_string(epsg), box_text(box)});
    FetchResult result;
    if (disk != nullptr && disk->get(key, result)) return result;
    result = remote ? ask(layer, box, epsg, stop) : ask_around(layer, cell, reach(layer), epsg, stop);
    {
      const MutexLock lock(mutex);
      ++fetches;
      if (!is_sound(result.outcome)) ++failures;
    }
    if (disk != nullptr) disk->put(key, result);
    return result;
  }

  CellHandle make(const Unit& unit, const std::string& known_edition, std::stop_token stop) {
    const Layer& layer = layers[unit.layer];
    FetchResult result = fetch(unit.layer, unit.cell, unit.epsg, known_edition, stop);
    auto cell = std::make_shared<CellAreas>();
    cell->outcome = result.outcome;
    cell->reason = std::move(result.reason);
    cell->kind = result.kind;
    if (!is_sound(cell->outcome)) return cell;
    try {
      cell->areas = make_areas(result.features, layer, cell->repaired);
    } catch (const std::bad_alloc&) {
      throw OutOfMemory("no memory for the areas of the layer " + layer.name + " in the box " + box_text(unit.cell) +
                        "; process fewer tiles at once");
    } catch (const std::exception& error) {
      const auto* typed = dynamic_cast<const Error*>(&error);
      if (typed != nullptr && passes(*typed)) throw;
      cell->outcome = Outcome::failed;
      cell->reason = std::string("the features of the layer ") + layer.name + " make no areas: " + error.what();
      cell->kind = typed != nullptr ? typed->kind() : ErrorKind::corrupt;
      cell->areas = {};
      cell->repaired = 0;
    }
    return cell;
  }
};

TruthStore::TruthStore(std::shared_ptr<FeatureSource> source, std::vector<Layer> layers, StoreOptions options)
    : impl_(std::make_unique<Impl>(std::move(source), std::move(layers), std::move(options))) {}

TruthStore::~TruthStore() = default;

std::vector<TruthStore::Unit> TruthStore::units(const Bounds& box, int epsg) const {
  const std::vector<Bounds> cells = impl_->cells(box);
  std::vector<Unit> units;
  units.reserve(cells.size() * impl_->layers.size());
  for (std::size_t layer = 0; layer < impl_->layers.size(); ++layer) {
    for (const Bounds& cell : cells) units.push_back({layer, cell, epsg});
  }
  return units;
}

CellHandle TruthStore::load(const Unit& unit, std::stop_token stop) {
  const Layer& layer = impl_->layers.at(unit.layer);
  const std::string edition = impl_->ask_edition(stop);
  const std::string key = joined(
      {"areas", impl_->identity, edition, layer.name, impl_->definitions[unit.layer], std::to_string(unit.epsg), box_text(unit.cell)});
  return impl_->options.memory->get(
      key, [&] { return impl_->make(unit, edition, stop); }, stop);
}

GroundTruth TruthStore::assemble(const Bounds& box, std::span<const Unit> units, std::span<const CellHandle> cells) const {
  if (units.size() != cells.size())
    throw InvalidArgument(std::to_string(cells.size()) + " cells of ground truth were given for " + std::to_string(units.size()) +
                          " units; as many are expected");
  GroundTruth truth;
  truth.source = impl_->name;
  {
    const MutexLock lock(impl_->mutex);
    truth.edition = impl_->edition;
  }
  truth.layers.resize(impl_->layers.size());
  for (std::size_t l = 0; l < truth.layers.size(); ++l) {
    truth.layers[l].layer = impl_->layers[l].name;
    truth.layers[l].attribute_names = impl_->layers[l].attributes;
    // Where there is nothing to ask for, nothing is missing.
    truth.layers[l].outcome = Outcome::confirmed_empty;
  }
  for (std::size_t u = 0; u < units.size(); ++u) {
    LayerTruth& layer = truth.layers.at(units[u].layer);
    layer.repaired += cells[u]->repaired;
    if (badness(cells[u]->outcome) <= badness(layer.outcome)) continue;
    layer.outcome = cells[u]->outcome;
    layer.reason = cells[u]->reason;
    layer.kind = cells[u]->kind;
  }

  struct Object {
    const LayerAreas* areas;
    std::size_t row;
    const std::string& id() const { return areas->ids[row]; }
  };
  std::vector<std::vector<Object>> objects(truth.layers.size());
  for (std::size_t u = 0; u < units.size(); ++u) {
    const LayerAreas& areas = cells[u]->areas;
    for (std::size_t a = 0; a < areas.size(); ++a) {
      if (areas.bounds[a].intersects(box)) objects[units[u].layer].push_back({&areas, a});
    }
  }
  for (std::size_t l = 0; l < objects.size(); ++l) {
    // Half of a layer must not be taken for the whole of it.
    if (!is_sound(truth.layers[l].outcome)) continue;
    std::vector<Object>& found = objects[l];
    std::stable_sort(found.begin(), found.end(), [](const Object& a, const Object& b) { return a.id() < b.id(); });
    found.erase(std::unique(found.begin(), found.end(), [](const Object& a, const Object& b) { return a.id() == b.id(); }), found.end());
    for (const Object& object : found) truth.layers[l].areas.append(*object.areas, object.row);
    // The cell holds some, this tile none.
    if (found.empty()) truth.layers[l].outcome = Outcome::confirmed_empty;
  }
  return truth;
}

GroundTruth TruthStore::get(const Bounds& box, int epsg, std::stop_token stop) {
  const std::vector<Unit> needed = units(box, epsg);
  std::vector<CellHandle> cells;
  cells.reserve(needed.size());
  for (const Unit& unit : needed) cells.push_back(load(unit, stop));
  return assemble(box, needed, cells);
}

FetchResult TruthStore::features(std::size_t layer, const Bounds& box, int epsg, std::stop_token stop) {
  const std::string edition = impl_->ask_edition(stop);
  FetchResult all;
  all.outcome = Outcome::confirmed_empty;
  for (const Bounds& cell : impl_->cells(box)) join(all, impl_->fetch(layer, cell, epsg, edition, stop));
  std::erase_if(all.features, [&](const Feature& feature) { return !wkb_bounds(feature.geometry).intersects(box); });
  sort_features(all.features);
  if (all.outcome == Outcome::data && all.features.empty()) all.outcome = Outcome::confirmed_empty;
  return all;
}

const std::vector<Layer>& TruthStore::layers() const noexcept { return impl_->layers; }

StoreStatistics TruthStore::statistics() const {
  StoreStatistics all;
  all.memory = impl_->options.memory->statistics();
  if (impl_->options.disk) all.disk = impl_->options.disk->statistics();
  const MutexLock lock(impl_->mutex);
  all.fetches = impl_->fetches;
  all.failures = impl_->failures;
  return all;
}

}  // namespace tuile::truth
