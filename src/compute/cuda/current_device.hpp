#pragma once

namespace tuile::compute::cuda {

/// Makes a device the calling thread's current one for its lifetime. Never throws: a call that needs the device says what is wrong.
/// The one before comes back only where this process uses it: making a device current makes a context on it, and every thread's first is
/// device 0, which may be somebody else's.
class CurrentDevice {
 public:
  explicit CurrentDevice(int device) noexcept;
  ~CurrentDevice();
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  static constexpr int none = -1;
  int before_ = none;  ///< to come back to
};

}  // namespace tuile::compute::cuda
