#include "compute/cuda/lane.hpp"

#include <exception>
#include <string>
#include <utility>

#include "compute/cuda/cuda_error.hpp"

namespace tuile::compute::cuda {

std::size_t Lane::record() {
  if (recorded_ == events_.size()) events_.push_back(std::make_unique<Event>());
  check(cudaEventRecord(events_[recorded_]->get(), stream()), "recording an event");
  return recorded_++;
}

void Lane::begin(const char* section) {
  end();
  opened_ = record();
  open_ = section;
}

void Lane::end() {
  if (open_ == nullptr) return;
  const std::size_t event = record();
  sections_.push_back({std::exchange(open_, nullptr), opened_, event});
}

void Lane::upload(void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream()), "copying to the device");
  device_.count_upload(bytes);
}

void Lane::download(void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream()), "copying from the device");
  device_.count_download(bytes);
}

void Lane::fetch(void* to, const void* from, std::size_t bytes) {
  wait();
  download(to, from, bytes);
  wait();
}

void Lane::wait() {
  check(cudaEventRecord(passed_.get(), stream()), "recording an event");
  check(cudaEventSynchronize(passed_.get()), "computing");
}

void Lane::finish() {
  end();
  wait();
  for (const Section& section : sections_) {
    try {
      device_.clock().add(section.what, events_[section.first_event]->get(), events_[section.last_event]->get());
    } catch (const DeviceLost&) {
      throw;
    } catch (const DeviceError&) {
      // A figure is missing; the rows are there.
    }
  }
  sections_.clear();
  recorded_ = 0;
}

void Lane::drain() noexcept {
  sections_.clear();
  recorded_ = 0;
  open_ = nullptr;
  // What is queued on a lost device never runs. Where one that works refuses to be waited for, it is not given anything more.
  cudaError_t error = cudaSuccess;
  for (int attempt = 0; attempt < 3; ++attempt) {
    error = attempt < 2 ? cudaStreamSynchronize(stream()) : cudaDeviceSynchronize();
    if (error == cudaSuccess) return;
    cudaGetLastError();
  }
  try {
    device_.drop("CUDA device " + std::to_string(device_.id()) + " (" + device_.name() +
                 "): waiting for its work failed: " + describe(error));
  } catch (const std::exception&) {
    // No memory for the reason: the next call on the device gives one.
  }
}

}  // namespace tuile::compute::cuda
