#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "fake_cuda/errors.hpp"

/// The side of the fake CUDA that tests hold: which devices there are, what goes wrong, what was done.
///
/// Streams are lazy: what is put on one runs when something waits for it (a synchronisation of stream, event or device, a copy that
/// synchronises, an event that another stream waits for), so a result read without waiting is not there. Nothing runs by itself: who
/// waits for a host function must also synchronise. Device memory is host memory filled with 0xCD, when it is new and before it is freed.
///
/// The variable TUILE_FAKE_CUDA sets up a process, items parted by commas: devices=2, memory=512M (of each), driver=none, lose=1@40 (the
/// 40th kernel of device 1 dies), fail=cudaMalloc@3 or fail=cudaMalloc@3:700 (its third call; error 2 unless given).
namespace fake_cuda {

/// A mistake that a card does not report, or not with words: deadlocks in kernels, copies outside of what is allocated.
struct KernelFault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Ends the process with the text on standard error, or throws KernelFault where FaultsThrow is alive.
[[noreturn]] void fault(const std::string& what);

/// While it lives, faults are thrown from the call of the runtime that ran the work.
class FaultsThrow {
 public:
  FaultsThrow();
  ~FaultsThrow();
  FaultsThrow(const FaultsThrow&) = delete;
  FaultsThrow& operator=(const FaultsThrow&) = delete;
};

struct Machine {
  int devices = 1;
  std::uint64_t memory = std::uint64_t{1} << 30;  ///< bytes of each device
  bool driver = true;
  bool pinned_memory = true;  ///< false: page-locked memory is refused
  /// The host can touch device memory only through the runtime (a SIGSEGV, or a report of the address sanitizer), and kernels are not given
  /// addresses of the host but page-locked ones (a fault). false: for kernels of a test's own on vectors of its own.
  bool separate_memory = true;
};

/// Another machine: forgets every device, injected error and counter. Nothing may be live (leaks() is empty), or it faults.
void reset(const Machine& machine = {});

/// The call number `nth` (1: the next) of a function, and `times - 1` after it, fail with the error.
void fail(const std::string& function, int nth = 1, cudaError_t error = cudaErrorMemoryAllocation, int times = 1);
/// The nth kernel from now that runs on a device dies, and with it the device: every later call there gives the error.
void lose(int device, int nth_kernel = 1, cudaError_t error = cudaErrorIllegalAddress);

struct Counters {
  std::uint64_t bytes_up = 0, bytes_down = 0;                  ///< copied between host and device
  std::uint64_t kernels = 0;                                   ///< launches that ran
  std::uint64_t device_synchronisations = 0;                   ///< cudaDeviceSynchronize
  std::uint64_t implicit_synchronisations = 0;                 ///< cudaFree, cudaFreeHost, cudaHostUnregister
  std::uint64_t device_allocations = 0, pool_allocations = 0;  ///< ever
  std::uint64_t device_live = 0, device_bytes = 0;             ///< allocations not yet freed
  std::uint64_t pinned_live = 0, pinned_bytes = 0;
  std::uint64_t streams_live = 0, events_live = 0, pools_live = 0;
  std::uint64_t pending = 0;  ///< operations on streams that have not run
};
Counters counters();
/// Whether some thread has made the device current since: then it has a context, which takes memory of it.
bool has_context(int device);
/// Calls of a function of the runtime since the last reset.
std::uint64_t calls(const std::string& function);
/// The functions of the runtime that were called since.
std::vector<std::string> called();
/// What is live, one text each; empty: nothing.
std::vector<std::string> leaks();

}  // namespace fake_cuda
