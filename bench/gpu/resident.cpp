#include "resident.hpp"

#include <functional>
#include <string>

#include "compute/cuda/attributes.hpp"
#include "compute/cuda/heights.hpp"
#include "compute/cuda/kernels.hpp"
#include "compute/host/attributes.hpp"
#include "compute/host/ground_surface.hpp"
#include "device.hpp"
#include "town.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::gpu_check {

namespace {

namespace cuda = compute::cuda;

std::vector<GridPoint> ground_of(const PointBlock& block) {
  std::vector<GridPoint> ground;
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (block.classification[i] == 2) ground.push_back(block.units[i]);
  }
  return ground;
}

/// A tile on the device, and what its computing takes.
class ResidentTile {
 public:
  ResidentTile(const PointBlock& tile, const features::FeaturePlan& plan)
      : plan_(plan),
        points_(static_cast<std::uint32_t>(tile.size())),
        scale_(tile.grid.scale),
        batch_(cuda::plan_batch({{shape_of(tile)}}, plan, {}, false)),
        bytes_(cuda::lay_out(batch_, nullptr, arrays_)),
        memory_(bytes_),
        red_(tile.red.span()),
        green_(tile.green.span()),
        blue_(tile.blue.span()),
        nir_(tile.nir.span()),
        classes_(tile.classification.span()) {
    cuda::lay_out(batch_, memory_.get(), arrays_);
    check(cudaMemcpy(arrays_.tables, batch_.tables.data(), batch_.tables.size(), cudaMemcpyHostToDevice), "copying tables");
    check(cudaMemcpy(arrays_.units, tile.units.data(), tile.units.bytes(), cudaMemcpyHostToDevice), "copying points");
    attributes_ = compute::attributes_of(tile, plan.color_depth);
    attributes_.units = arrays_.units;
    attributes_.classification = classes_.get();
    attributes_.intensity = nullptr;
    attributes_.return_number = attributes_.number_of_returns = nullptr;
    attributes_.red = red_.get();
    attributes_.green = green_.get();
    attributes_.blue = blue_.get();
    attributes_.nir = nir_.get();

    const compute::GroundSurface surface(ground_of(tile), tile.grid);
    surface_memory_ = DeviceBytes(cuda::surface_bytes(surface.view()));
    std::vector<std::byte> packed(cuda::surface_bytes(surface.view()));
    surface_ = cuda::pack_surface(surface.view(), packed.data(), static_cast<std::byte*>(surface_memory_.get()));
    check(cudaMemcpy(surface_memory_.get(), packed.data(), packed.size(), cudaMemcpyHostToDevice), "copying the ground surface");
  }

  struct Phase {
    std::string name;
    double bytes;  ///< inputs and outputs, once
    std::function<void()> queue;
  };

  std::vector<Phase> phases() {
    const double n = points_;
    std::vector<Phase> phases{
        {"mark", n * 13, [this] { cuda::mark(batch_, arrays_, stream_.get()); }},
        {"attributes", n * (12 + 8 + 7 * 4),
         [this] { cuda::fill_attributes(attributes_, plan_, arrays_.valid, points_, arrays_.values, stream_.get()); }},
        {"order", n * (12 + 16 + 12), [this] { cuda::order(batch_, arrays_, stream_.get()); }}};
    for (std::size_t scale = 0; scale < batch_.scales.size(); ++scale) {
      phases.push_back({"search", n * (16 + 12 + 4.0 * batch_.scales[scale].wanted),
                        [this, scale] { cuda::search(batch_, arrays_, scale, stream_.get()); }});
    }
    phases.push_back({"finish", n * 2, [this] { cuda::finish(batch_, arrays_, stream_.get()); }});
    phases.push_back({"heights", n * 16 + static_cast<double>(surface_memory_.size()), [this] {
                        cuda::fill_heights(surface_, {arrays_.units, arrays_.valid, points_, scale_, arrays_.values}, plan_, stream_.get());
                      }});
    return phases;
  }

  const Stream& stream() const noexcept { return stream_; }
  std::size_t bytes() const noexcept { return bytes_ + surface_memory_.size(); }

 private:
  static cuda::PieceShape shape_of(const PointBlock& tile) {
    cuda::PieceShape shape;
    shape.points = shape.rows = static_cast<std::uint32_t>(tile.size());
    shape.grid = tile.grid;
    return shape;
  }

  const features::FeaturePlan& plan_;
  const std::uint32_t points_;
  const double scale_;
  cuda::BatchPlan batch_;
  cuda::BatchArrays arrays_;
  std::size_t bytes_;
  DeviceBytes memory_;
  DeviceArray<std::uint16_t> red_, green_, blue_, nir_;
  DeviceArray<std::uint8_t> classes_;
  compute::Attributes attributes_;
  DeviceBytes surface_memory_;
  compute::SurfaceView surface_;
  Stream stream_;
};

}  // namespace

std::vector<Row> measure_resident(const Sizes& sizes, double copy_bandwidth) {
  const features::FeaturePlan plan = features::make_plan(features::set_columns("lod2"), {{.k = 20}});
  ResidentTile tile(town(sizes.tile_points, usual_side(sizes.tile_points), 1), plan);
  const std::vector<ResidentTile::Phase> phases = tile.phases();
  std::vector<Event> events(phases.size() + 1);
  std::vector<std::vector<double>> times(phases.size());
  std::vector<double> whole;
  constexpr int warm_up = 2;
  for (int run = 0; run < warm_up + sizes.runs; ++run) {
    events[0].record(tile.stream());
    for (std::size_t p = 0; p < phases.size(); ++p) {
      phases[p].queue();
      events[p + 1].record(tile.stream());
    }
    events.back().wait();
    if (run < warm_up) continue;
    for (std::size_t p = 0; p < phases.size(); ++p) times[p].push_back(events[p + 1].milliseconds_since(events[p]));
    whole.push_back(events.back().milliseconds_since(events[0]));
  }

  const double milliseconds = median(whole);
  std::vector<Row> rows{
      {"gpu.lod2_k20_resident", milliseconds, "ms", 20.0, false, sizes.runs},
      {"gpu.lod2_k20_rate", static_cast<double>(sizes.tile_points) / milliseconds / 1e3, "Mpoints/s", {}, true, sizes.runs},
      {"gpu.lod2_k20_memory", static_cast<double>(tile.bytes()) / static_cast<double>(sizes.tile_points), "bytes/point"}};
  for (std::size_t p = 0; p < phases.size(); ++p) {
    const double taken = median(times[p]);
    rows.push_back({"gpu.phase." + phases[p].name, taken, "ms", {}, false, sizes.runs});
    rows.push_back({"gpu.phase." + phases[p].name + ".bytes", phases[p].bytes / 1e6, "MB"});
    rows.push_back(
        {"gpu.phase." + phases[p].name + ".of_copy_bandwidth", phases[p].bytes / (taken / 1e3) / copy_bandwidth, "", {}, true, sizes.runs});
  }
  return rows;
}

}  // namespace tuile::gpu_check
