#include <sstream>

#include "support/fake_cuda/state.hpp"

namespace fake_cuda {

namespace {

Counters read_counters() {
  State& all = state();
  Counters now = all.counters;
  for (const auto& [address, allocation] : all.allocations) {
    (allocation.device < 0 ? now.pinned_live : now.device_live) += 1;
    (allocation.device < 0 ? now.pinned_bytes : now.device_bytes) += allocation.bytes;
  }
  now.streams_live = all.streams.size();
  now.events_live = all.events.size();
  for (const auto& [handle, pool] : all.pools) now.pools_live += pool->is_default ? 0 : 1;
  return now;
}

std::vector<std::string> read_leaks() {
  std::vector<std::string> texts;
  const auto tell = [&](std::uint64_t count, const std::string& what) {
    if (count > 0) texts.push_back(std::to_string(count) + ' ' + what);
  };
  const Counters now = read_counters();
  tell(now.streams_live, "streams");
  tell(now.events_live, "events");
  tell(now.pools_live, "memory pools");
  tell(now.pending, "operations that nobody waited for");
  for (const auto& [address, allocation] : state().allocations) {
    std::ostringstream text;
    text << allocation.bytes << " bytes "
         << (allocation.device < 0 ? "of page-locked memory" : "of device " + std::to_string(allocation.device)) << " at 0x" << std::hex
         << address;
    texts.push_back(text.str());
  }
  return texts;
}

}  // namespace

void reset(const Machine& machine) {
  const Lock lock(mutex());
  std::string live;
  for (const std::string& text : read_leaks()) live += "\n  " + text;
  if (!live.empty()) fault("reset while these are live:" + live);
  state().start(machine);
}

void fail(const std::string& function, int nth, cudaError_t error, int times) {
  const Lock lock(mutex());
  const std::uint64_t first = state().calls[function] + static_cast<std::uint64_t>(nth);
  state().failures.push_back({function, first, first + static_cast<std::uint64_t>(times) - 1, error});
}

void lose(int device, int nth_kernel, cudaError_t error) {
  const Lock lock(mutex());
  Device& dying = *state().devices.at(static_cast<std::size_t>(device));
  dying.dies_at_kernel = dying.kernels + static_cast<std::uint64_t>(nth_kernel);
  dying.dies_of = error;
}

Counters counters() {
  const Lock lock(mutex());
  return read_counters();
}

bool has_context(int device) {
  const Lock lock(mutex());
  return state().devices.at(static_cast<std::size_t>(device))->has_context;
}

std::uint64_t calls(const std::string& function) {
  const Lock lock(mutex());
  const auto entry = state().calls.find(function);
  return entry == state().calls.end() ? 0 : entry->second;
}

std::vector<std::string> called() {
  const Lock lock(mutex());
  std::vector<std::string> names;
  for (const auto& [name, count] : state().calls) {
    if (count > 0) names.push_back(name);
  }
  return names;
}

std::vector<std::string> leaks() {
  const Lock lock(mutex());
  return read_leaks();
}

}  // namespace fake_cuda
