#include "support/fake_cuda/fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace fake_cuda {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t stack_size = std::size_t{512} << 10;  // their frames are large
#else
constexpr std::size_t stack_size = std::size_t{256} << 10;
#endif

std::size_t page_size() {
  static const std::size_t bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

Fiber* coming_from = nullptr;  // of the switch under way
Fiber* going_to = nullptr;

}  // namespace

#if defined(__x86_64__)
// Saves what a call must keep, and nothing else: swapcontext asks the kernel for the signal mask, at a hundred times the cost.
extern "C" void fake_cuda_switch(void** save, void* load);
asm(R"(
.text
.p2align 4
.globl fake_cuda_switch
.hidden fake_cuda_switch
.type fake_cuda_switch, @function
fake_cuda_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size fake_cuda_switch, .-fake_cuda_switch
)");
#endif

Fiber::Fiber(void (*main)()) : main_(main), stack_bytes_(stack_size) {
  void* mapped = mmap(nullptr, stack_size + page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<std::byte*>(mapped);
  mprotect(memory_, page_size(), PROT_NONE);
  stack_bottom_ = memory_ + page_size();
  reset();
}

Fiber::~Fiber() {
#if defined(__SANITIZE_THREAD__)
  if (main_ != nullptr && thread_fiber_ != nullptr) __tsan_destroy_fiber(thread_fiber_);
#endif
#if !defined(__x86_64__)
  delete static_cast<ucontext_t*>(context_);
#endif
  if (memory_ != nullptr) munmap(memory_, stack_bytes_ + page_size());
}

#if defined(__x86_64__)
void Fiber::reset() {
  sanitizer_state_ = nullptr;
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(stack_bottom_, stack_bytes_);
#endif
  // Six registers, the entry, and a return address that ends every walk up the stack.
  auto* top = reinterpret_cast<std::uintptr_t*>(memory_ + page_size() + stack_bytes_);
  std::memset(top - 8, 0, 8 * sizeof(std::uintptr_t));
  top[-2] = reinterpret_cast<std::uintptr_t>(+[] {
    going_to->arrived();
    going_to->main_();
  });
  context_ = top - 8;
}
#else
void Fiber::reset() {
  sanitizer_state_ = nullptr;
  if (context_ == nullptr) context_ = new ucontext_t;
  auto* context = static_cast<ucontext_t*>(context_);
  getcontext(context);
  context->uc_stack.ss_sp = memory_ + page_size();
  context->uc_stack.ss_size = stack_bytes_;
  context->uc_link = nullptr;
  makecontext(
      context,
      +[] {
        going_to->arrived();
        going_to->main_();
      },
      0);
}
#endif

void Fiber::arrived() {
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(sanitizer_state_, &bottom, &bytes);
  if (coming_from->main_ == nullptr) {
    coming_from->stack_bottom_ = bottom;
    coming_from->stack_bytes_ = bytes;
  }
#endif
}

void Fiber::change(Fiber& from, Fiber& to) {
  coming_from = &from;
  going_to = &to;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.sanitizer_state_, to.stack_bottom_, to.stack_bytes_);
#endif
#if defined(__SANITIZE_THREAD__)
  if (from.main_ == nullptr) from.thread_fiber_ = __tsan_get_current_fiber();
  if (to.thread_fiber_ == nullptr) to.thread_fiber_ = __tsan_create_fiber(0);
  __tsan_switch_to_fiber(to.thread_fiber_, 0);
#endif
#if defined(__x86_64__)
  fake_cuda_switch(&from.context_, to.context_);
#else
  if (from.context_ == nullptr) from.context_ = new ucontext_t;
  swapcontext(static_cast<ucontext_t*>(from.context_), static_cast<ucontext_t*>(to.context_));
#endif
  from.arrived();
}

}  // namespace fake_cuda
