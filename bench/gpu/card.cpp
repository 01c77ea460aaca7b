#include "card.hpp"

#include <cuda_runtime.h>

#include <cstring>
#include <fstream>
#include <functional>

#include "device.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::gpu_check {

namespace {

/// 13000 → "13.0"
std::string version_text(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

/// Seconds that the work put on the stream takes, the median of `runs` after one to warm up.
double seconds_of(const Stream& stream, int runs, const std::function<void()>& work) {
  const Event begin, end;
  std::vector<double> seconds;
  for (int run = 0; run <= runs; ++run) {
    begin.record(stream);
    work();
    end.record(stream);
    end.wait();
    if (run > 0) seconds.push_back(end.milliseconds_since(begin) / 1000);
  }
  return median(std::move(seconds));
}

}  // namespace

Card find_card() {
  int devices = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&devices); error != cudaSuccess || devices == 0) {
    throw NoDevice(std::string("no CUDA device: ") + (error != cudaSuccess ? cudaGetErrorString(error) : "none is visible"));
  }
  Card card;
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "asking what the device is");
  card.name = properties.name;
  card.architecture = std::to_string(properties.major) + "." + std::to_string(properties.minor);
  card.multiprocessors = properties.multiProcessorCount;
  card.memory = static_cast<double>(properties.totalGlobalMem);
  int version = 0;
  check(cudaDriverGetVersion(&version), "asking for the driver's version");
  card.driver = version_text(version);
  check(cudaRuntimeGetVersion(&version), "asking for the runtime's version");
  card.runtime = version_text(version);
  return card;
}

std::string describe_host() {
  std::string processor = "unknown processor";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const std::size_t at = line.find_first_not_of(" \t", line.find(':') + 1);
    if (at != std::string::npos) processor = line.substr(at);
    break;
  }
  return processor + ", " + std::to_string(available_processors()) + " cores";
}

Bandwidths measure_bandwidths(std::size_t bytes, int runs) {
  const DeviceBytes from(bytes), to(bytes);
  const PinnedBytes up(bytes), down(bytes);
  std::memset(up.get(), 1, bytes);
  std::memset(down.get(), 1, bytes);
  const Stream stream, other;
  const Event other_begins, other_ends;
  check(cudaMemsetAsync(from.get(), 1, bytes, stream.get()), "filling device memory");

  const auto copy = [&](void* target, const void* source, cudaMemcpyKind kind, const Stream& on) {
    check(cudaMemcpyAsync(target, source, bytes, kind, on.get()), "copying");
  };
  const auto size = static_cast<double>(bytes);
  Bandwidths result;
  constexpr int copies = 8;  // one after the other, so that their start costs nothing
  result.copy = 2 * size * copies / seconds_of(stream, runs, [&] {
                  for (int i = 0; i < copies; ++i) copy(to.get(), from.get(), cudaMemcpyDeviceToDevice, stream);
                });
  const double upload = size / seconds_of(stream, runs, [&] { copy(to.get(), up.get(), cudaMemcpyHostToDevice, stream); });
  const double download = size / seconds_of(stream, runs, [&] { copy(down.get(), from.get(), cudaMemcpyDeviceToHost, stream); });
  // Both at once: the time from the first's beginning to the end of both.
  const double both = 2 * size / seconds_of(stream, runs, [&] {
                        other_begins.record(stream);
                        check(cudaStreamWaitEvent(other.get(), other_begins.get(), 0), "ordering streams");
                        copy(to.get(), up.get(), cudaMemcpyHostToDevice, stream);
                        copy(down.get(), from.get(), cudaMemcpyDeviceToHost, other);
                        other_ends.record(other);
                        check(cudaStreamWaitEvent(stream.get(), other_ends.get(), 0), "ordering streams");
                      });
  result.rows = {{"card.copy_bandwidth", result.copy / 1e9, "GB/s", {}, true, runs},
                 {"card.upload_bandwidth", upload / 1e9, "GB/s", {}, true, runs},
                 {"card.download_bandwidth", download / 1e9, "GB/s", {}, true, runs},
                 {"card.both_ways_bandwidth", both / 1e9, "GB/s", {}, true, runs}};
  return result;
}

}  // namespace tuile::gpu_check
