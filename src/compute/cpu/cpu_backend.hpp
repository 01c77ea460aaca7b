#pragma once

#include <memory>

#include "tuile/compute/backend.hpp"

namespace tuile::compute::cpu {

inline constexpr const char* backend_name = "cpu";

/// The backend that computes on the processor. executor must outlive it.
std::unique_ptr<Backend> make_backend(Executor& executor, const BackendOptions& options);

}  // namespace tuile::compute::cpu
