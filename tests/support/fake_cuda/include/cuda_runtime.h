#pragma once

// A CUDA for tests: kernels run on the host (support/fake_cuda). Stands first on the include path where the sources of the CUDA backend are
// compiled for tests; has what they use and no more. Names and values are CUDA's, everything else is our own.

#include "fake_cuda/device_code.hpp"
#include "fake_cuda/launch.hpp"
#include "fake_cuda/runtime_api.hpp"
