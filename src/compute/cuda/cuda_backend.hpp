#pragma once

#include <memory>
#include <vector>

#include "tuile/compute/backend.hpp"

namespace tuile::compute::cuda {

/// A backend on these devices. executor must outlive it. Throws DeviceError where none of them can be used after all.
std::unique_ptr<Backend> make_backend_on(const std::vector<int>& devices, Executor& executor, const BackendOptions& options);

}  // namespace tuile::compute::cuda
