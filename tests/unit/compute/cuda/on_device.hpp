#pragma once

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstring>
#include <span>
#include <vector>

namespace tuile::compute::cuda {

/// An array in device memory with what is given in it; none where that is empty.
template <class T>
class OnDevice {
 public:
  OnDevice(const T* data, std::size_t size) : size_(size) {
    if (size == 0) return;
    EXPECT_EQ(cudaMalloc(reinterpret_cast<void**>(&data_), size * sizeof(T)), cudaSuccess);
    EXPECT_EQ(cudaMemcpy(data_, data, size * sizeof(T), cudaMemcpyHostToDevice), cudaSuccess);
  }
  explicit OnDevice(const std::vector<T>& data) : OnDevice(data.data(), data.size()) {}
  ~OnDevice() {
    if (data_ != nullptr) cudaFree(data_);
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  T* get() const { return data_; }
  std::vector<T> fetch() const {
    std::vector<T> host(size_);
    if (size_ == 0) return host;
    EXPECT_EQ(cudaMemcpy(host.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost), cudaSuccess);
    return host;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

inline void expect_same_bits(std::span<const float> values, std::span<const float> expected, std::size_t columns) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(std::memcmp(&values[i], &expected[i], sizeof(float)), 0)
        << "row " << i / columns << ", column " << i % columns << ": " << values[i] << " in place of " << expected[i];
  }
}

}  // namespace tuile::compute::cuda
