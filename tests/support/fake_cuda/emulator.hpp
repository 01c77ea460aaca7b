#pragma once

#include <functional>

#include "fake_cuda/vectors.hpp"

namespace fake_cuda {

/// Runs a grid, block by block, one at a time in the process (the caller holds the lock of the fake). Throws KernelFault for what is
/// undefined or never ends on a card: a lane that is waited for and cannot come, a shuffle from a lane that is not in the mask, threads of
/// a block that wait at different barriers.
/// backwards: blocks, and every other block's warps and lanes, are begun from the last: whoever counts on an order finds out.
void run_grid(dim3 grid, dim3 block, const std::function<void()>& thread, bool backwards);

}  // namespace fake_cuda
