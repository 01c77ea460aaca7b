#include "support/fake_cuda/state.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fake_cuda {

namespace {

std::atomic<int> faults_thrown = 0;

thread_local int device_of_thread = 0;
thread_local cudaError_t error_of_thread = cudaSuccess;
thread_local std::uint64_t generation_of_thread = 0;

[[noreturn]] void bad_setting(std::string_view item) {
  std::fprintf(
      stderr,
      "TUILE_FAKE_CUDA: '%.*s' is not one of devices=N, memory=N[K|M|G], driver=none, lose=DEVICE@KERNEL, fail=FUNCTION@CALL[:ERROR]\n",
      static_cast<int>(item.size()), item.data());
  std::abort();
}

std::uint64_t number(std::string_view text, std::string_view item) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) bad_setting(item);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit == "K") return value << 10;
  if (unit == "M") return value << 20;
  if (unit == "G") return value << 30;
  if (!unit.empty()) bad_setting(item);
  return value;
}

void read_environment(State& state) {
  const char* text = std::getenv("TUILE_FAKE_CUDA");
  if (text == nullptr) return state.start({});
  std::vector<std::pair<std::string_view, std::string_view>> items;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const std::size_t equals = item.find('=');
    if (equals == item.npos) bad_setting(item);
    items.emplace_back(item.substr(0, equals), item.substr(equals + 1));
  }
  Machine machine;
  for (const auto& [key, value] : items) {
    if (key == "devices")
      machine.devices = static_cast<int>(number(value, value));
    else if (key == "memory")
      machine.memory = number(value, value);
    else if (key == "driver" && value == "none")
      machine.driver = false;
    else if (key != "lose" && key != "fail")
      bad_setting(key);
  }
  state.start(machine);
  for (const auto& [key, value] : items) {
    if (key != "lose" && key != "fail") continue;
    const std::size_t at = value.find('@');
    if (at == value.npos) bad_setting(value);
    const std::string_view what = value.substr(0, at), colon_text = value.substr(at + 1);
    if (key == "lose") {
      const std::uint64_t device = number(what, value);
      if (device >= state.devices.size()) bad_setting(value);
      state.devices[device]->dies_at_kernel = number(colon_text, value);
      state.devices[device]->dies_of = cudaErrorIllegalAddress;
    } else {
      const std::size_t colon = colon_text.find(':');
      const std::uint64_t nth = number(colon_text.substr(0, colon), value);
      const std::uint64_t error =
          colon == colon_text.npos ? std::uint64_t{cudaErrorMemoryAllocation} : number(colon_text.substr(colon + 1), value);
      state.failures.push_back({std::string(what), nth, nth, static_cast<cudaError_t>(error)});
    }
  }
}

}  // namespace

void fault(const std::string& what) {
  if (faults_thrown > 0) throw KernelFault(what);
  std::fprintf(stderr, "fake CUDA: %s\n", what.c_str());
  std::abort();
}

FaultsThrow::FaultsThrow() { ++faults_thrown; }
FaultsThrow::~FaultsThrow() { --faults_thrown; }

State::State() = default;
State::~State() = default;

void State::start(const Machine& wanted) {
  machine = wanted;
  ++generation;
  devices.clear();
  pools.clear();
  calls.clear();
  failures.clear();
  counters = {};
  for (int id = 0; id < wanted.devices; ++id) {
    auto device = std::make_unique<Device>();
    device->id = id;
    device->default_stream = std::make_shared<CUstream_st>();
    device->default_stream->device = device.get();
    device->streams.push_back(device->default_stream);
    auto pool = std::make_unique<CUmemPoolHandle_st>();
    pool->device = id;
    pool->is_default = true;
    device->default_pool = pool.get();
    pools.emplace(pool.get(), std::move(pool));
    devices.push_back(std::move(device));
  }
}

std::uint64_t State::reserved(int device) const {
  std::uint64_t bytes = 0;
  for (const auto& [handle, pool] : pools) {
    if (pool->device == device) bytes += pool->reserved;
  }
  return bytes;
}

const Allocation* State::find(const void* data, std::size_t bytes) const {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  auto entry = allocations.upper_bound(address);
  if (entry == allocations.begin()) return nullptr;
  --entry;
  return address + bytes <= entry->first + entry->second.bytes && address < entry->first + entry->second.bytes ? &entry->second : nullptr;
}

// Neither is ever destroyed: threads may still call when the process ends.
std::mutex& mutex() {
  static std::mutex& only = *new std::mutex;
  return only;
}

State& state() {
  static State& only = []() -> State& {
    auto* made = new State;
    read_environment(*made);
    return *made;
  }();
  return only;
}

int current_device() {
  if (generation_of_thread != state().generation) {
    generation_of_thread = state().generation;
    device_of_thread = 0;
    error_of_thread = cudaSuccess;
  }
  return device_of_thread;
}

void set_current_device(int device) {
  current_device();  // a thread's first call, too
  device_of_thread = device;
}

cudaError_t& last_error() {
  current_device();
  return error_of_thread;
}

Call::Call(const char* function, Needs needs) : lock_(mutex()) {
  State& all = state();
  const std::uint64_t count = ++all.calls[function];
  if (!all.machine.driver) {
    error_ = cudaErrorInsufficientDriver;
  } else if (all.devices.empty()) {
    error_ = cudaErrorNoDevice;
  } else if (needs == Needs::device) {
    error_ = device().lost;
  }
  for (const Failure& failure : all.failures) {
    if (failure.function == function && count >= failure.first && count <= failure.last) error_ = failure.error;
  }
  result(error_);
}

Call::~Call() {
  if (lock_.owns_lock()) let_device_memory_be_touched(false);
}

cudaError_t Call::result(cudaError_t error) const {
  if (error != cudaSuccess) last_error() = error;
  return error;
}

Device& Call::device() const { return *state().devices[static_cast<std::size_t>(current_device())]; }

std::shared_ptr<CUstream_st> Call::stream(cudaStream_t handle) {
  std::shared_ptr<CUstream_st> found;
  if (handle == nullptr || handle == cudaStreamLegacy || handle == cudaStreamPerThread) {
    found = device().default_stream;
  } else if (const auto entry = state().streams.find(handle); entry != state().streams.end()) {
    found = entry->second;
  } else {
    error_ = result(cudaErrorInvalidResourceHandle);
    return nullptr;
  }
  if (found->device->lost == cudaSuccess) return found;
  error_ = result(found->device->lost);
  return nullptr;
}

std::uint64_t put(Lock& lock, CUstream_st& stream, std::function<void(Lock&)> work, bool even_if_lost) {
  Device& device = *stream.device;
  if (&stream == device.default_stream.get()) {
    for (const auto& other : std::vector(device.streams)) {
      if (other->blocking && other.get() != &stream) drain(lock, *other);
    }
  } else if (stream.blocking) {
    drain(lock, *device.default_stream);
  }
  stream.queue.push_back({++stream.put, std::move(work), even_if_lost});
  ++state().counters.pending;
  return stream.put;
}

void step(Lock& lock, CUstream_st& stream) {
  if (stream.busy) {
    state().idle.wait(lock, [&] { return !stream.busy; });
    return;
  }
  if (stream.queue.empty()) return;
  const Operation operation = std::move(stream.queue.front());
  stream.queue.pop_front();
  --state().counters.pending;
  stream.busy = true;
  stream.running = operation.number;
  struct Ended {
    CUstream_st& stream;
    ~Ended() {
      stream.busy = false;
      state().idle.notify_all();
    }
  } ended{stream};
  if (stream.device->lost == cudaSuccess || operation.even_if_lost) operation.work(lock);
}

void drain(Lock& lock, CUstream_st& stream, std::uint64_t up_to) {
  const auto kept = stream.shared_from_this();
  up_to = std::min(up_to, stream.put);
  while ((!stream.queue.empty() && stream.queue.front().number <= up_to) || (stream.busy && stream.running <= up_to)) step(lock, stream);
  if (stream.destroyed && stream.queue.empty() && !stream.busy) std::erase(stream.device->streams, kept);
}

void drain_device(Lock& lock, Device& device) {
  for (const auto& stream : std::vector(device.streams)) drain(lock, *stream);
  trim_pools(device.id);
}

void trim_pools(int device) {
  for (const auto& [handle, pool] : state().pools) {
    if (pool->device == device) pool->reserved = std::max(pool->used, std::min(pool->reserved, pool->threshold));
  }
}

}  // namespace fake_cuda
