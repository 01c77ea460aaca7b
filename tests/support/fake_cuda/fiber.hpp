#pragma once

#include <cstddef>

namespace fake_cuda {

/// A stack of its own that can be switched to and from, for the threads of a block. Made for the host thread that runs a kernel: a default
/// one stands for that thread's own stack.
class Fiber {
 public:
  Fiber() = default;
  explicit Fiber(void (*main)());
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Forgets what was under way on it; the next switch starts `main` anew.
  void reset();
  /// Leaves `from`, the running one, for `to`; comes back when something switches to `from`.
  static void change(Fiber& from, Fiber& to);

 private:
  void arrived();  // says to the sanitizers that this one runs now

  void (*main_)() = nullptr;
  std::byte* memory_ = nullptr;      // guard page, then the stack
  void* context_ = nullptr;          // the saved stack pointer, or a ucontext
  void* sanitizer_state_ = nullptr;  // what the sanitizer keeps of a fiber that is not running
  const void* stack_bottom_ = nullptr;
  std::size_t stack_bytes_ = 0;
  void* thread_fiber_ = nullptr;  // of the thread sanitizer
};

}  // namespace fake_cuda
