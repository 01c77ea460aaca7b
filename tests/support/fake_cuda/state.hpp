#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "fake_cuda/launch.hpp"
#include "support/fake_cuda/fake_cuda.hpp"

namespace fake_cuda {

using Lock = std::unique_lock<std::mutex>;

struct Operation {
  std::uint64_t number = 0;
  std::function<void(Lock&)> work;
  bool even_if_lost = false;
};

/// What an event was last put on.
struct Record {
  std::shared_ptr<CUstream_st> stream;
  std::uint64_t number = 0;
  bool done = false;
  std::chrono::steady_clock::time_point time;
};

struct Allocation {
  std::size_t bytes = 0;
  int device = -1;  // -1: page-locked memory of the host
  cudaMemPool_t pool = nullptr;
  bool registered = false;  // someone else's memory, page-locked
  void* mapped = nullptr;   // the pages of device memory, the last of which cannot be touched
  std::size_t mapped_bytes = 0;
};

struct Device {
  int id = 0;
  std::uint64_t used = 0;  // by cudaMalloc
  cudaError_t lost = cudaSuccess;
  bool has_context = false;          // some thread has made it current
  std::uint64_t kernels = 0;         // that ran
  std::uint64_t dies_at_kernel = 0;  // 0: never
  cudaError_t dies_of = cudaSuccess;
  std::shared_ptr<CUstream_st> default_stream;
  cudaMemPool_t default_pool = nullptr;
  std::vector<std::shared_ptr<CUstream_st>> streams;  // also destroyed ones with work left
};

struct Failure {
  std::string function;
  std::uint64_t first = 0, last = 0;  // numbers of calls
  cudaError_t error = cudaErrorUnknown;
};

struct State {
  Machine machine;
  std::uint64_t generation = 0;
  std::vector<std::unique_ptr<Device>> devices;
  std::map<cudaStream_t, std::shared_ptr<CUstream_st>> streams;
  std::map<cudaEvent_t, std::unique_ptr<CUevent_st>> events;
  std::map<cudaMemPool_t, std::unique_ptr<CUmemPoolHandle_st>> pools;
  std::map<std::uintptr_t, Allocation> allocations;
  std::map<std::string, std::uint64_t, std::less<>> calls;
  std::vector<Failure> failures;
  Counters counters;
  bool device_memory_open = false;
  std::condition_variable idle;  // a stream has ended an operation

  State();
  ~State();
  void start(const Machine& wanted);
  std::uint64_t reserved(int device) const;
  /// The allocation that holds the bytes; null: none.
  const Allocation* find(const void* data, std::size_t bytes) const;
};

std::mutex& mutex();
State& state();  ///< the mutex is held

/// One call of the runtime: holds the lock, and knows at once whether it fails.
class Call {
 public:
  enum class Needs { nothing, device };  ///< device: fails where the current one is lost
  explicit Call(const char* function, Needs needs = Needs::device);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  bool fails() const { return error_ != cudaSuccess; }
  cudaError_t error() const { return error_; }
  /// Keeps the error for cudaGetLastError.
  cudaError_t result(cudaError_t error) const;
  Lock& lock() { return lock_; }
  Device& device() const;  ///< the current one
  /// The stream of a handle; null after setting error(), where there is none or its device is lost.
  std::shared_ptr<CUstream_st> stream(cudaStream_t handle);

 private:
  Lock lock_;
  cudaError_t error_ = cudaSuccess;
};

/// Opens device memory to what runs on a device, or closes it to the host. Allocations are closed when they are made.
void let_device_memory_be_touched(bool touched);
/// Faults where a word of a parameter is an address of the host's that is not page-locked.
void check_parameters(std::span<const Parameter> parameters);

int current_device();
void set_current_device(int device);
cudaError_t& last_error();

/// Puts an operation on a stream; a stream that synchronises with the default stream first lets that one's work run, and the reverse.
std::uint64_t put(Lock& lock, CUstream_st& stream, std::function<void(Lock&)> work, bool even_if_lost = false);
/// Runs what is on the stream, up to an operation.
void drain(Lock& lock, CUstream_st& stream, std::uint64_t up_to = ~std::uint64_t{0});
/// Runs one operation, if there is one.
void step(Lock& lock, CUstream_st& stream);
void drain_device(Lock& lock, Device& device);
/// The end of a synchronisation: pools give back what they hold beyond their threshold.
void trim_pools(int device);

}  // namespace fake_cuda

struct CUstream_st : std::enable_shared_from_this<CUstream_st> {
  fake_cuda::Device* device = nullptr;
  bool blocking = true;  // goes with the default stream
  bool destroyed = false;
  std::deque<fake_cuda::Operation> queue;
  std::uint64_t put = 0;      // number of the last operation
  bool busy = false;          // an operation runs
  std::uint64_t running = 0;  // its number
  int pool_frees = 0;         // cudaFreeAsync on the queue
};

struct CUevent_st {
  int device = 0;
  bool timed = true;
  std::shared_ptr<fake_cuda::Record> record;
};

struct CUmemPoolHandle_st {
  int device = 0;
  std::uint64_t threshold = 0, used = 0, reserved = 0, used_high = 0, reserved_high = 0;
  bool is_default = false;
  std::map<cudaMemPoolAttr, int> flags;
};
