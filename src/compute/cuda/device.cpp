#include "compute/cuda/device.hpp"

#include "compute/cuda/cuda_error.hpp"
#include "compute/cuda/current_device.hpp"
#include "compute/cuda/kernels.hpp"
#include "compute/cuda/lane.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

namespace {

std::string name_of(int id) {
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, id), "asking for the device's name");
  return properties.name;
}

}  // namespace

Device::MadeCurrent::MadeCurrent(int id) { check(cudaSetDevice(id), "choosing the device"); }

Device::Device(int id, const std::function<void(const DeviceSpan&)>& on_span)
    : id_(id), made_current_(id), name_(name_of(id)), memory_(id), clock_(id, on_span) {
  check_code();
  for (int i = 0; i < lane_count; ++i) lanes_.push_back(std::make_unique<Lane>(*this));
  measure_memory();
}

Device::~Device() {
  const CurrentDevice current(id_);
  lanes_.clear();
}

void Device::measure_memory() {
  const CurrentDevice current(id_);
  // Something is left for what the driver takes when a kernel first runs, and for fragments.
  usable_ = memory_.available() / 16 * 15;
}

void Device::drop(const std::string& reason) {
  const MutexLock lock(mutex_);
  if (lost_.empty()) lost_ = reason;
}

bool Device::is_lost() const {
  const MutexLock lock(mutex_);
  return !lost_.empty();
}

DeviceReport Device::report() const {
  const DeviceMemory::Statistics memory = memory_.statistics();
  DeviceReport report{.id = id_,
                      .name = name_,
                      .tiles = tiles_,
                      .busy_seconds = clock_.busy_seconds(),
                      .uploaded = uploaded_,
                      .downloaded = downloaded_,
                      .allocations = memory.allocations,
                      .reused = memory.reused,
                      .memory_peak = memory.peak};
  const MutexLock lock(mutex_);
  report.lost = lost_;
  return report;
}

}  // namespace tuile::compute::cuda
