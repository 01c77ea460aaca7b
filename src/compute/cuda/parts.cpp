#include "compute/cuda/parts.hpp"

#include "compute/cuda/kernels.hpp"
#include "compute/cuda/piece.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute::cuda {

namespace {

std::vector<PieceShape> shapes_of(const TileInput& tile, std::span<const Part> parts) {
  std::vector<PieceShape> shapes;
  for (const Part& part : parts) shapes.push_back(part_of_tile(tile, part.units.size(), part.rows.size(), part.given));
  return shapes;
}

}  // namespace

PartResults search_parts(Lane& lane, const TileInput& tile, std::span<const Part> parts, const features::FeaturePlan& plan,
                         const CallContext& context) {
  if (context.stop.stop_requested()) throw Cancelled("stopped while computing features");
  const BatchPlan batch = plan_batch(shapes_of(tile, parts), plan, {}, false);
  const cudaStream_t stream = lane.stream();
  PartResults results;
  results.values = Buffer<float>(std::size_t{batch.rows} * batch.columns, context.pinned);
  Buffer<PieceState> states(parts.size());
  Buffer<std::uint32_t> unfinished;
  // Declared after what is copied to, before what is leased: whichever way this ends, the lane is done with both before they go.
  BatchArrays arrays;
  const DeviceLease memory = lane.lease(lay_out(batch, nullptr, arrays));
  struct Drain {
    Lane& lane;
    ~Drain() { lane.drain(); }
  } const drain{lane};
  lay_out(batch, memory.data(), arrays);

  lane.begin("upload");
  lane.upload(arrays.tables, batch.tables.data(), batch.tables.size());
  for (std::size_t p = 0; p < parts.size(); ++p) {
    lane.upload(arrays.units + batch.pieces[p].first_point, parts[p].units.data(), parts[p].units.bytes());
  }
  lane.begin("compute");
  mark(batch, arrays, stream);
  order(batch, arrays, stream);
  for (std::size_t s = 0; s < batch.scales.size(); ++s) search(batch, arrays, s, stream);
  if (!batch.count_columns.empty()) count(batch, arrays, stream);
  finish(batch, arrays, stream);
  lane.begin("download");
  lane.download(results.values.data(), arrays.values, results.values.bytes());
  lane.fetch(states.data(), arrays.states, states.bytes());
  lane.finish();

  for (std::size_t p = 0; p < parts.size(); ++p) {
    results.degenerate += states[p].degenerate;
    results.truncated += states[p].truncated;
    if (states[p].unfinished == 0) continue;
    unfinished = Buffer<std::uint32_t>(states[p].unfinished);
    lane.fetch(unfinished.data(), arrays.unfinished + batch.pieces[p].first_row, unfinished.bytes());
    for (const std::uint32_t row : unfinished) results.unfinished.push_back(parts[p].rows[row]);
  }
  return results;
}

}  // namespace tuile::compute::cuda
