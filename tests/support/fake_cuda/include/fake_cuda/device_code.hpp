#pragma once

// What device code finds without including it: keywords, the place of a thread, synchronisation, intrinsics.
// Kernels run one at a time under the lock of the fake, all threads of a block as fibers of one host thread: so atomics need not be atomic,
// and shared memory is a static variable.

#include <math.h>

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <type_traits>

#include "fake_cuda/vectors.hpp"

#ifndef __cpp_lib_source_location  // clang before 16 with gcc's library: it only looks at the locks (scripts/thread_safety)
namespace std {
struct source_location {
  static constexpr source_location current() noexcept { return {}; }
  constexpr const char* file_name() const noexcept { return ""; }
  constexpr unsigned line() const noexcept { return 0; }
};
}  // namespace std
#endif

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __shared__ static
#define __constant__
#define __align__(bytes) alignas(bytes)
#define __grid_constant__

namespace fake_cuda {

/// Where the thread is that runs now.
struct Here {
  uint3 thread, block;
  dim3 block_size, grid_size;
};
extern Here here;

enum class WarpOperation : std::uint8_t { none, sync, shuffle, ballot };
enum class BarrierOperation : std::uint8_t { plain, any, all, count };

/// Waits for the lanes of the mask; gives what the operation does. source: the lane that a shuffle reads from.
std::uint64_t warp_operation(WarpOperation operation, unsigned mask, std::uint64_t value, unsigned source, std::source_location where);
/// Waits for the block's threads; gives how many brought a value other than 0.
unsigned block_barrier(BarrierOperation operation, bool value, std::source_location where);
unsigned lane_of_thread();
[[noreturn]] void trap(std::source_location where = std::source_location::current());

template <class T>
T shuffle(unsigned mask, T value, unsigned source, std::source_location where) {
  static_assert(std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "shuffles take 32 and 64 bit numbers");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = warp_operation(WarpOperation::shuffle, mask, bits, source, where);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

/// What the overloads of the real shuffles make of a value.
template <class T>
using Promoted = decltype(+std::declval<T>());

}  // namespace fake_cuda

inline constexpr const uint3& threadIdx = fake_cuda::here.thread;
inline constexpr const uint3& blockIdx = fake_cuda::here.block;
inline constexpr const dim3& blockDim = fake_cuda::here.block_size;
inline constexpr const dim3& gridDim = fake_cuda::here.grid_size;
inline constexpr int warpSize = 32;

// Warps. As on the card, a group of `width` lanes shuffles among itself, and a source outside the group is one's own lane.
template <class T>
fake_cuda::Promoted<T> __shfl_sync(unsigned mask, T value, int source, int width = 32,
                                   std::source_location where = std::source_location::current()) {
  const unsigned lane = fake_cuda::lane_of_thread(), size = static_cast<unsigned>(width);
  return fake_cuda::shuffle(mask, +value, (lane & ~(size - 1)) | (static_cast<unsigned>(source) & (size - 1)), where);
}
template <class T>
fake_cuda::Promoted<T> __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                                      std::source_location where = std::source_location::current()) {
  const unsigned lane = fake_cuda::lane_of_thread(), place = lane & (static_cast<unsigned>(width) - 1);
  return fake_cuda::shuffle(mask, +value, delta > place ? lane : lane - delta, where);
}
template <class T>
fake_cuda::Promoted<T> __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                                        std::source_location where = std::source_location::current()) {
  const unsigned lane = fake_cuda::lane_of_thread(), place = lane & (static_cast<unsigned>(width) - 1);
  return fake_cuda::shuffle(mask, +value, place + delta >= static_cast<unsigned>(width) ? lane : lane + delta, where);
}
template <class T>
fake_cuda::Promoted<T> __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32,
                                       std::source_location where = std::source_location::current()) {
  const unsigned lane = fake_cuda::lane_of_thread(), size = static_cast<unsigned>(width), source = lane ^ static_cast<unsigned>(bits);
  return fake_cuda::shuffle(mask, +value, source >= (lane & ~(size - 1)) + size ? lane : source, where);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, std::source_location where = std::source_location::current()) {
  return static_cast<unsigned>(fake_cuda::warp_operation(fake_cuda::WarpOperation::ballot, mask, predicate != 0, 0, where));
}
inline int __any_sync(unsigned mask, int predicate, std::source_location where = std::source_location::current()) {
  return __ballot_sync(mask, predicate, where) != 0;
}
inline int __all_sync(unsigned mask, int predicate, std::source_location where = std::source_location::current()) {
  return __ballot_sync(mask, predicate, where) == mask;
}
inline void __syncwarp(unsigned mask = 0xffffffffu, std::source_location where = std::source_location::current()) {
  fake_cuda::warp_operation(fake_cuda::WarpOperation::sync, mask, 0, 0, where);
}

// Blocks
inline void __syncthreads(std::source_location where = std::source_location::current()) {
  fake_cuda::block_barrier(fake_cuda::BarrierOperation::plain, false, where);
}
inline int __syncthreads_or(int value, std::source_location where = std::source_location::current()) {
  return fake_cuda::block_barrier(fake_cuda::BarrierOperation::any, value != 0, where) != 0;
}
inline int __syncthreads_and(int value, std::source_location where = std::source_location::current()) {
  return fake_cuda::block_barrier(fake_cuda::BarrierOperation::all, value == 0, where) == 0;
}
inline int __syncthreads_count(int value, std::source_location where = std::source_location::current()) {
  return static_cast<int>(fake_cuda::block_barrier(fake_cuda::BarrierOperation::count, value != 0, where));
}
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}
inline void __trap(std::source_location where = std::source_location::current()) { fake_cuda::trap(where); }

// Atomics: the types that the real ones have. (std::uint64_t is another type than unsigned long long, there as here.)
#define FAKE_CUDA_ATOMIC(name, type, operand, result) \
  inline type name(type* address, type operand) {     \
    const type old = *address;                        \
    *address = static_cast<type>(result);             \
    return old;                                       \
  }
#define FAKE_CUDA_ATOMICS(type)                           \
  FAKE_CUDA_ATOMIC(atomicMax, type, v, old > v ? old : v) \
  FAKE_CUDA_ATOMIC(atomicMin, type, v, old < v ? old : v) \
  FAKE_CUDA_ATOMIC(atomicAnd, type, v, old& v)            \
  FAKE_CUDA_ATOMIC(atomicOr, type, v, old | v)            \
  FAKE_CUDA_ATOMIC(atomicXor, type, v, old ^ v)
FAKE_CUDA_ATOMICS(int)
FAKE_CUDA_ATOMICS(unsigned)
FAKE_CUDA_ATOMICS(long long)
FAKE_CUDA_ATOMICS(unsigned long long)
FAKE_CUDA_ATOMIC(atomicAdd, int, v, static_cast<unsigned>(old) + static_cast<unsigned>(v))
FAKE_CUDA_ATOMIC(atomicAdd, unsigned, v, old + v)
FAKE_CUDA_ATOMIC(atomicAdd, unsigned long long, v, old + v)
FAKE_CUDA_ATOMIC(atomicSub, int, v, static_cast<unsigned>(old) - static_cast<unsigned>(v))
FAKE_CUDA_ATOMIC(atomicSub, unsigned, v, old - v)
FAKE_CUDA_ATOMIC(atomicExch, int, v, v)
FAKE_CUDA_ATOMIC(atomicExch, unsigned, v, v)
FAKE_CUDA_ATOMIC(atomicExch, unsigned long long, v, v)
#undef FAKE_CUDA_ATOMICS
#undef FAKE_CUDA_ATOMIC
#define FAKE_CUDA_ATOMIC_CAS(type)                                    \
  inline type atomicCAS(type* address, type expected, type desired) { \
    const type old = *address;                                        \
    if (old == expected) *address = desired;                          \
    return old;                                                       \
  }
FAKE_CUDA_ATOMIC_CAS(int)
FAKE_CUDA_ATOMIC_CAS(unsigned)
FAKE_CUDA_ATOMIC_CAS(unsigned long long)
#undef FAKE_CUDA_ATOMIC_CAS

// Memory and bits
template <class T>
T __ldg(const T* address) {
  return *address;
}
inline int __popc(unsigned v) { return std::popcount(v); }
inline int __popcll(unsigned long long v) { return std::popcount(v); }
inline int __ffs(int v) { return v == 0 ? 0 : std::countr_zero(static_cast<unsigned>(v)) + 1; }
inline int __ffsll(long long v) { return v == 0 ? 0 : std::countr_zero(static_cast<unsigned long long>(v)) + 1; }
inline int __clz(int v) { return std::countl_zero(static_cast<unsigned>(v)); }
inline int __clzll(long long v) { return std::countl_zero(static_cast<unsigned long long>(v)); }
inline unsigned __brev(unsigned v) {
  unsigned reversed = 0;
  for (int bit = 0; bit < 32; ++bit) reversed = reversed << 1 | (v >> bit & 1u);
  return reversed;
}
inline unsigned long long __brevll(unsigned long long v) {
  return static_cast<unsigned long long>(__brev(static_cast<unsigned>(v))) << 32 | __brev(static_cast<unsigned>(v >> 32));
}
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32); }
namespace fake_cuda {
__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UnsignedWide;
}  // namespace fake_cuda
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>(static_cast<fake_cuda::UnsignedWide>(a) * b >> 64);
}
inline long long __mul64hi(long long a, long long b) { return static_cast<long long>(static_cast<fake_cuda::Wide>(a) * b >> 64); }
inline int __float_as_int(float v) { return std::bit_cast<int>(v); }
inline unsigned __float_as_uint(float v) { return std::bit_cast<unsigned>(v); }
inline float __int_as_float(int v) { return std::bit_cast<float>(v); }
inline float __uint_as_float(unsigned v) { return std::bit_cast<float>(v); }
inline long long __double_as_longlong(double v) { return std::bit_cast<long long>(v); }
inline double __longlong_as_double(long long v) { return std::bit_cast<double>(v); }

// Arithmetic that is never fused, rounded to nearest, and conversions. (The tree is compiled without contraction.)
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline int __float2int_rn(float v) { return static_cast<int>(std::nearbyint(v)); }
inline int __float2int_rz(float v) { return static_cast<int>(v); }
inline int __float2int_rd(float v) { return static_cast<int>(std::floor(v)); }
inline int __float2int_ru(float v) { return static_cast<int>(std::ceil(v)); }
inline int __double2int_rn(double v) { return static_cast<int>(std::nearbyint(v)); }
inline int __double2int_rd(double v) { return static_cast<int>(std::floor(v)); }
inline int __double2int_ru(double v) { return static_cast<int>(std::ceil(v)); }
inline int __double2int_rz(double v) { return static_cast<int>(v); }
inline long long __double2ll_rn(double v) { return static_cast<long long>(std::nearbyint(v)); }
inline long long __double2ll_rd(double v) { return static_cast<long long>(std::floor(v)); }
inline long long __double2ll_ru(double v) { return static_cast<long long>(std::ceil(v)); }
inline long long __double2ll_rz(double v) { return static_cast<long long>(v); }
inline float __int2float_rn(int v) { return static_cast<float>(v); }
inline float __uint2float_rn(unsigned v) { return static_cast<float>(v); }
inline float __ll2float_rn(long long v) { return static_cast<float>(v); }
inline float __ull2float_rn(unsigned long long v) { return static_cast<float>(v); }
inline float __double2float_rn(double v) { return static_cast<float>(v); }
inline double __ll2double_rn(long long v) { return static_cast<double>(v); }
inline double __ull2double_rn(unsigned long long v) { return static_cast<double>(v); }
inline double __int2double_rn(int v) { return static_cast<double>(v); }

// The smaller and the larger of the usual types; mixed types go to the common one, as on the card.
#define FAKE_CUDA_MIN_MAX(type)                                \
  constexpr type min(type a, type b) { return b < a ? b : a; } \
  constexpr type max(type a, type b) { return a < b ? b : a; }
FAKE_CUDA_MIN_MAX(int)
FAKE_CUDA_MIN_MAX(unsigned)
FAKE_CUDA_MIN_MAX(long)
FAKE_CUDA_MIN_MAX(unsigned long)
FAKE_CUDA_MIN_MAX(long long)
FAKE_CUDA_MIN_MAX(unsigned long long)
#undef FAKE_CUDA_MIN_MAX
template <class A, class B>
requires(std::is_arithmetic_v<A>&& std::is_arithmetic_v<B> && !std::is_same_v<A, B>) constexpr auto min(A a, B b) {
  using T = std::common_type_t<A, B>;
  return static_cast<T>(b) < static_cast<T>(a) ? static_cast<T>(b) : static_cast<T>(a);
}
template <class A, class B>
requires(std::is_arithmetic_v<A>&& std::is_arithmetic_v<B> && !std::is_same_v<A, B>) constexpr auto max(A a, B b) {
  using T = std::common_type_t<A, B>;
  return static_cast<T>(a) < static_cast<T>(b) ? static_cast<T>(b) : static_cast<T>(a);
}
inline float min(float a, float b) { return std::fmin(a, b); }
inline float max(float a, float b) { return std::fmax(a, b); }
inline double min(double a, double b) { return std::fmin(a, b); }
inline double max(double a, double b) { return std::fmax(a, b); }
