#pragma once

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "tuile/core/error.hpp"
#include "tuile/core/host_memory.hpp"
#include "tuile/core/scratch_file.hpp"

namespace tuile {

/// A fixed-size array of trivially copyable elements, 64-byte aligned, not initialised, move-only.
/// Unlike std::vector it costs no pass over the memory before its owner fills it.
/// Lies on the heap, in memory of a HostMemory, or in a nameless temporary file that is mapped (`in_file`): then the kernel can write it
/// out. Throws OutOfMemory naming the size.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr std::size_t alignment = 64;

  Buffer() noexcept = default;
  explicit Buffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    if (size > (std::numeric_limits<std::size_t>::max() - alignment) / sizeof(T)) throw_out_of_memory(size);
    const std::size_t bytes = (size * sizeof(T) + alignment - 1) / alignment * alignment;
    data_ = static_cast<T*>(std::aligned_alloc(alignment, bytes));
    if (data_ == nullptr) throw_out_of_memory(size);
  }
  Buffer(std::size_t size, T value) : Buffer(size) {
    for (std::size_t i = 0; i < size_; ++i) data_[i] = value;
  }
  /// From `memory`, or from the heap where that is null or has nothing left.
  Buffer(std::size_t size, const std::shared_ptr<HostMemory>& memory) {
    if (memory != nullptr && size > 0 && size <= (std::numeric_limits<std::size_t>::max() - alignment) / sizeof(T)) {
      data_ = static_cast<T*>(memory->allocate(size * sizeof(T)));
    }
    if (data_ == nullptr) {
      *this = Buffer(size);
      return;
    }
    size_ = size;
    held_ = size * sizeof(T);
    memory_ = memory;
  }
  /// In a temporary file in `folder`, 4096-byte aligned. Throws as map_scratch_file.
  static Buffer in_file(const std::string& folder, std::size_t size) {
    Buffer buffer;
    if (size == 0) return buffer;
    if (size > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw_out_of_memory(size);
    buffer.data_ = static_cast<T*>(map_scratch_file(folder, size * sizeof(T)));
    buffer.size_ = size;
    buffer.held_ = size * sizeof(T);
    return buffer;
  }
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        held_(std::exchange(other.held_, 0)),
        memory_(std::move(other.memory_)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(held_, other.held_);
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~Buffer() {
    if (memory_ != nullptr)
      memory_->release(data_, held_);
    else if (held_ > 0)
      unmap_scratch_file(data_, held_);
    else
      std::free(data_);
  }

  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t bytes() const noexcept { return size_ * sizeof(T); }
  bool empty() const noexcept { return size_ == 0; }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  T* begin() noexcept { return data_; }
  T* end() noexcept { return data_ + size_; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }
  std::span<T> span() noexcept { return {data_, size_}; }
  std::span<const T> span() const noexcept { return {data_, size_}; }

  /// Drops the elements from `size` on; keeps the memory. `size` must not exceed size().
  void shrink(std::size_t size) noexcept {
    if (size < size_) size_ = size;
  }

 private:
  [[noreturn]] static void throw_out_of_memory(std::size_t size) {
    throw OutOfMemory("cannot allocate " + std::to_string(size) + " elements of " + std::to_string(sizeof(T)) +
                      " bytes; lower memory.budget or the number of workers");
  }
  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t held_ = 0;                ///< bytes of the mapped file, or from memory_; 0: on the heap
  std::shared_ptr<HostMemory> memory_;  ///< null: a mapped file or the heap
};

}  // namespace tuile
