#pragma once

#include <string>
#include <vector>

namespace tuile::compute::cuda {

/// The devices that the backend can use, and why it cannot use others.
struct AvailableDevices {
  std::vector<int> ids;
  std::string reason;  ///< where there are none: why, and what to do
};

/// wanted: ids; empty: all. Where one of those wanted cannot be used, none is given. Makes no context, starts no thread, never throws for
/// what the machine lacks.
AvailableDevices available_devices(const std::vector<int>& wanted);

}  // namespace tuile::compute::cuda
