#include "compute/cuda/whole_tiles.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "compute/cuda/attributes.hpp"
#include "compute/cuda/carver.hpp"
#include "compute/cuda/heights.hpp"
#include "compute/cuda/kernels.hpp"
#include "compute/cuda/piece.hpp"
#include "compute/cuda/surfaces.hpp"
#include "compute/host/attributes.hpp"

namespace tuile::compute::cuda {

namespace {

using features::Feature;

/// The arrays of points' attributes that some column of the plan is made of.
struct NeededArrays {
  explicit NeededArrays(const features::FeaturePlan& plan)
      : classification(plan.needs(Feature::is_ground)),
        intensity(plan.needs(Feature::intensity)),
        return_number(plan.needs(Feature::return_number)),
        number_of_returns(plan.needs(Feature::number_of_returns)),
        // That there are colours at all is told by red.
        red(plan.needs(Feature::red) || plan.needs(Feature::green) || plan.needs(Feature::blue) || plan.needs(Feature::ndvi)),
        green(plan.needs(Feature::green)),
        blue(plan.needs(Feature::blue)),
        nir(plan.needs(Feature::nir) || plan.needs(Feature::ndvi)) {}
  bool classification, intensity, return_number, number_of_returns, red, green, blue, nir;
  bool colours() const noexcept { return red || nir; }
};

/// Calls copy(member, count) for each array that the plan needs and the block has.
template <class Copy>
void for_each_array(const Attributes& host, const NeededArrays& needed, Copy&& copy) {
  if (needed.classification) copy(&Attributes::classification);
  if (needed.intensity && host.intensity != nullptr) copy(&Attributes::intensity);
  if (needed.return_number && host.return_number != nullptr) copy(&Attributes::return_number);
  if (needed.number_of_returns && host.number_of_returns != nullptr) copy(&Attributes::number_of_returns);
  if (needed.red && host.red != nullptr) copy(&Attributes::red);
  if (needed.green && host.green != nullptr) copy(&Attributes::green);
  if (needed.blue && host.blue != nullptr) copy(&Attributes::blue);
  if (needed.nir && host.nir != nullptr) copy(&Attributes::nir);
  if (needed.colours() && host.colour_known != nullptr) copy(&Attributes::colour_known);
}

BatchPlan plan_of(std::span<const PieceShape> shapes, const CallContext& context) {
  return plan_batch(shapes, context.plan, context.preprocess, !context.preprocess.exclude_classes.empty());
}

void take_attributes(Carver& parts, const Attributes& host, const NeededArrays& needed, std::size_t rows) {
  for_each_array(host, needed, [&](auto member) { parts.take<std::remove_cvref_t<decltype(*(host.*member))>>(rows); });
}

class WholeTiles {
 public:
  WholeTiles(Lane& lane, std::span<TileWork* const> tiles, const CallContext& context)
      : lane_(lane),
        stream_(lane.stream()),
        tiles_(tiles),
        context_(context),
        needed_(context.plan),
        plan_(plan_of(shapes(), context)),
        states_(tiles.size()),
        thresholds_(tiles.size()) {
    for (const TileWork* tile : tiles) attributes_.push_back(attributes_of(*tile->input->core, context.plan.color_depth));
  }

  void run() {
    Drain drain(lane_);
    lay_out_memory();
    upload();
    lane_.begin("compute");
    filter();
    fill();
    lane_.end();
    heights();
    download();
    lane_.finish();
    drain.done = true;
    lane_.device().count_tiles(tiles_.size());
    write_counts();
  }

 private:
  /// Leases and what is copied live as long as the device uses them, whichever way run() ends.
  struct Drain {
    explicit Drain(Lane& used) : lane(used) {}
    ~Drain() {
      if (!done) lane.drain();
    }
    Drain(const Drain&) = delete;
    Drain& operator=(const Drain&) = delete;
    Lane& lane;
    bool done = false;
  };

  std::vector<PieceShape> shapes() const {
    std::vector<PieceShape> shapes;
    for (const TileWork* tile : tiles_) shapes.push_back(whole_tile(*tile->input));
    return shapes;
  }

  void stop_here() const {
    if (context_.stop.stop_requested()) throw Cancelled("stopped while computing features");
  }

  void lay_out_memory() {
    const std::size_t bytes = lay_out(plan_, nullptr, arrays_);
    Carver need(nullptr);
    need.take<std::byte>(bytes);
    for (std::size_t t = 0; t < tiles_.size(); ++t) take_attributes(need, attributes_[t], needed_, plan_.pieces[t].rows);
    memory_ = lane_.lease(need.size());
    lay_out(plan_, memory_.data(), arrays_);
    attribute_parts_ = bytes;
  }

  void upload() {
    lane_.begin("upload");
    lane_.upload(arrays_.tables, plan_.tables.data(), plan_.tables.size());
    Carver parts(memory_.data());
    parts.take<std::byte>(attribute_parts_);
    for (std::size_t t = 0; t < tiles_.size(); ++t) {
      std::size_t at = plan_.pieces[t].first_point;
      for (const PointBlock* block : {tiles_[t]->input->core, tiles_[t]->input->halo}) {
        if (block == nullptr) continue;
        lane_.upload(arrays_.units + at, block->units.data(), block->units.bytes());
        if (plan_.has_classes) lane_.upload(arrays_.classes + at, block->classification.data(), block->classification.bytes());
        at += block->size();
      }
      upload_attributes(parts, t);
    }
    stop_here();
  }

  void upload_attributes(Carver& parts, std::size_t t) {
    const Attributes host = attributes_[t];
    const std::size_t rows = plan_.pieces[t].rows;
    Attributes device{.units = arrays_.units + plan_.pieces[t].first_point, .scale = host.scale, .colour_unit = host.colour_unit};
    for_each_array(host, needed_, [&](auto member) {
      using T = std::remove_cvref_t<decltype(*(host.*member))>;
      T* const to = parts.take<T>(rows);
      lane_.upload(to, host.*member, rows * sizeof(T));
      device.*member = to;
    });
    device_attributes_.push_back(device);
  }

  /// Marks, sorts, filters.
  void filter() {
    mark(plan_, arrays_, stream_);
    if (!plan_.searches) return;
    order(plan_, arrays_, stream_);
    const Preprocess& preprocess = context_.preprocess;
    if (preprocess.statistical_outliers.k > 0) {
      distance_sums(plan_, arrays_, stream_);
      send_thresholds(preprocess.statistical_outliers.deviations);
      remove_far(plan_, arrays_, stream_);
    }
    if (preprocess.radius_outliers.radius > 0) remove_sparse(plan_, arrays_, stream_);
    if (preprocess.voxel > 0) thin(plan_, arrays_, stream_);
    stop_here();
  }

  void send_thresholds(double deviations) {
    lane_.fetch(states_.data(), arrays_.states, states_.bytes());
    stop_here();
    for (std::size_t t = 0; t < tiles_.size(); ++t) thresholds_[t] = outlier_threshold(states_[t].distances, deviations);
    lane_.upload(arrays_.thresholds, thresholds_.data(), thresholds_.bytes());
  }

  float* values_of(std::size_t t) const { return arrays_.values + std::size_t{plan_.pieces[t].first_row} * plan_.columns; }
  /// Of the tile's points, rows first; null where all are valid.
  std::uint8_t* valid_of(std::size_t t) const {
    return context_.preprocess.active() ? arrays_.valid + plan_.pieces[t].first_point : nullptr;
  }

  /// Columns that need no ground.
  void fill() {
    for (std::size_t t = 0; t < tiles_.size(); ++t) {
      fill_attributes(device_attributes_[t], context_.plan, valid_of(t), plan_.pieces[t].rows, values_of(t), stream_);
    }
    if (!plan_.searches) return;
    for (std::size_t s = 0; s < plan_.scales.size(); ++s) search(plan_, arrays_, s, stream_);
    if (!plan_.count_columns.empty()) count(plan_, arrays_, stream_);
    finish(plan_, arrays_, stream_);
  }

  /// The surfaces are made on the host while the device searches; where filters have a say in what ground counts, they have to be done
  /// first.
  void heights() {
    if (!context_.plan.needs_ground()) return;
    if (context_.preprocess.has_filters()) {
      make_filtered_surfaces();
    } else {
      make_surfaces(tiles_, context_);
    }
    stop_here();
    std::size_t bytes = 0;
    for (const TileWork* tile : tiles_) bytes += surface_bytes(tile->surface->view());
    surface_memory_ = lane_.lease(bytes);
    packed_surfaces_ = Buffer<std::byte>(bytes, context_.pinned);
    std::vector<SurfaceView> surfaces;
    std::size_t at = 0;
    for (const TileWork* tile : tiles_) {
      surfaces.push_back(pack_surface(tile->surface->view(), packed_surfaces_.data() + at, surface_memory_.data() + at));
      at += surface_bytes(tile->surface->view());
    }
    lane_.begin("upload");
    lane_.upload(surface_memory_.data(), packed_surfaces_.data(), bytes);
    lane_.begin("compute");
    for (std::size_t t = 0; t < tiles_.size(); ++t) {
      const Piece& piece = plan_.pieces[t];
      fill_heights(surfaces[t], {arrays_.units + piece.first_point, valid_of(t), piece.rows, piece.scale, values_of(t)}, context_.plan,
                   stream_);
    }
  }

  void make_filtered_surfaces() {
    const bool made = std::all_of(tiles_.begin(), tiles_.end(), [](const TileWork* tile) { return tile->surface != nullptr; });
    if (made) return;
    Buffer<std::uint8_t> valid(plan_.points, context_.pinned);
    lane_.download(valid.data(), arrays_.valid, valid.bytes());
    lane_.wait();
    context_.executor.for_each(tiles_.size(), [&](std::size_t t) {
      stop_here();
      const std::uint8_t* const first = valid.data() + plan_.pieces[t].first_point;
      tiles_[t]->surface = make_surface(*tiles_[t]->input, {}, {first, first + tiles_[t]->input->core->size()}, context_.pinned);
    });
  }

  void download() {
    lane_.begin("download");
    for (std::size_t t = 0; t < tiles_.size(); ++t) {
      TileOutput& output = tiles_[t]->output;
      lane_.download(output.features.values.data(), values_of(t), output.features.values.bytes());
      if (!context_.preprocess.active()) continue;
      output.valid = Buffer<std::uint8_t>(plan_.pieces[t].rows, context_.pinned);
      lane_.download(output.valid.data(), valid_of(t), output.valid.bytes());
    }
    lane_.fetch(states_.data(), arrays_.states, states_.bytes());
  }

  void write_counts() {
    for (std::size_t t = 0; t < tiles_.size(); ++t) {
      const PieceState& state = states_[t];
      TileOutput& output = tiles_[t]->output;
      output.degenerate_neighbourhoods = state.degenerate;
      output.truncated_neighbourhoods = state.truncated;
      output.removed = {state.removed_classes, state.removed_statistical, state.removed_radius, state.removed_voxel};
      output.missing_columns = missing_columns(attributes_[t], context_.plan);
      if (!context_.plan.needs_ground() || !tiles_[t]->surface->empty()) continue;
      for (const features::Column& column : context_.plan.columns) {
        const bool of_ground = column.feature == Feature::height_above_ground || column.feature == Feature::facade_score;
        if (of_ground) output.missing_columns.push_back(column.name);
      }
    }
  }

  Lane& lane_;
  const cudaStream_t stream_;
  const std::span<TileWork* const> tiles_;
  const CallContext& context_;
  const NeededArrays needed_;
  const BatchPlan plan_;
  Buffer<PieceState> states_;
  Buffer<double> thresholds_;
  std::vector<Attributes> attributes_, device_attributes_;
  std::size_t attribute_parts_ = 0;    ///< bytes before them
  Buffer<std::byte> packed_surfaces_;  ///< page-locked, so that their copy waits for nobody
  DeviceLease memory_, surface_memory_;
  BatchArrays arrays_;
};

}  // namespace

std::uint64_t whole_tile_bytes(const TileInput& tile, const CallContext& context) {
  const PieceShape shape = whole_tile(tile);
  const BatchPlan plan = plan_of({&shape, 1}, context);
  BatchArrays arrays;
  Carver need(nullptr);
  need.take<std::byte>(lay_out(plan, nullptr, arrays));
  take_attributes(need, attributes_of(*tile.core, context.plan.color_depth), NeededArrays(context.plan), shape.rows);
  return need.size() + (context.plan.needs_ground() ? most_surface_bytes(tile) : 0);
}

void make_surfaces(std::span<TileWork* const> tiles, const CallContext& context) {
  context.executor.for_each(tiles.size(), [&](std::size_t t) {
    if (context.stop.stop_requested()) throw Cancelled("stopped while making the ground surface");
    TileWork& tile = *tiles[t];
    if (tile.surface == nullptr) tile.surface = make_surface(*tile.input, context.preprocess.exclude_classes, {}, context.pinned);
  });
}

void compute_whole_tiles(Lane& lane, std::span<TileWork* const> tiles, const CallContext& context) {
  WholeTiles(lane, tiles, context).run();
}

}  // namespace tuile::compute::cuda
