#include "tuile/pipeline/lidar_processor.hpp"

#include <memory>
#include <utility>

#include "pipeline/run_counters.hpp"
#include "pipeline/run_setup.hpp"
#include "pipeline/run_tiles.hpp"
#include "pipeline/tile_outlet.hpp"

namespace tuile::pipeline {

namespace {

/// What was computed is computed: a report that cannot be written is no reason to lose the summary.
template <class Action>
void or_say(const Log& log, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    log(error.what());
  }
}

}  // namespace

LidarProcessor::LidarProcessor(ProcessOptions options) : options_(std::move(options)) {}

RunSummary LidarProcessor::process() {
  const ResourceUsage usage;
  const AnonymousPeak anonymous;
  const Log log = serialised(options_.warn);
  Trace events;  // before the backend, which adds to it
  Trace* const trace = options_.config.trace ? &events : nullptr;
  RunSetup setup(
      options_, log, trace == nullptr ? RunSetup::DeviceWatch{} : [trace](const compute::DeviceSpan& span) {
        trace->add_device(span.device, span.what, span.begin, span.end);
      });
  setup.bound_backend();
  const std::unique_ptr<TileOutlet> outlet = make_outlet(setup);
  outlet->prepare();
  RunCounters counters(setup, usage, log);
  if (counters.may_begin())
    run_tiles(setup, *outlet, counters, trace);
  else
    counters.summary().tiles_not_begun = setup.plan.tiles.size();
  counters.settle(anonymous);
  or_say(log, [&] { outlet->report(counters.summary()); });
  if (trace != nullptr) or_say(log, [&] { trace->save(*options_.config.trace); });
  return std::move(counters.summary());
}

}  // namespace tuile::pipeline
