#include "support/fake_cuda/emulator.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <exception>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "fake_cuda/device_code.hpp"
#include "support/fake_cuda/fake_cuda.hpp"
#include "support/fake_cuda/fiber.hpp"

namespace fake_cuda {

Here here;

namespace {

struct Thread {
  Fiber* fiber = nullptr;  // null until it has begun
  uint3 index{};
};

struct Warp {
  unsigned existing = 0, ready = 0, parked = 0, at_barrier = 0, ended = 0;  // lanes
  std::array<std::uint64_t, 32> value, result;
  std::array<unsigned, 32> mask, source;
  std::array<WarpOperation, 32> operation;
  std::array<std::source_location, 32> where;
};

// The block that runs.
struct Block {
  std::vector<Thread> threads;
  std::array<Warp, 32> warps;
  const std::function<void()>* thread = nullptr;
  unsigned size = 0, living = 0, ready_warps = 0;
  bool backwards = false;

  unsigned waiting = 0, barrier_values = 0, barrier_result = 0;
  BarrierOperation barrier = BarrierOperation::plain;
  std::source_location barrier_where;

  unsigned warp = 0, lane = 0;  // who runs
  std::exception_ptr failure;

  Thread& running() { return threads[warp * 32 + lane]; }
};

Block block;
Fiber host;  // the stack of whoever runs the grid
std::vector<std::unique_ptr<Fiber>> fibers;
std::vector<Fiber*> idle;

void thread_main();

Fiber* idle_fiber() {
  if (idle.empty()) {
    fibers.push_back(std::make_unique<Fiber>(&thread_main));
    return fibers.back().get();
  }
  Fiber* fiber = idle.back();
  idle.pop_back();
  return fiber;
}

unsigned pick(unsigned set) { return static_cast<unsigned>(block.backwards ? 31 - std::countl_zero(set) : std::countr_zero(set)); }

// Makes a thread that can go on the running one, of the same warp if there is one.
bool choose_next() {
  while (block.warps[block.warp].ready == 0) {
    block.ready_warps &= ~(1u << block.warp);
    if (block.ready_warps == 0) return false;
    block.warp = pick(block.ready_warps);
  }
  block.lane = pick(block.warps[block.warp].ready);
  here.thread = block.running().index;
  return true;
}

// The running thread cannot go on: another does.
void give_way() {
  Fiber& mine = *block.running().fiber;
  if (!choose_next()) {
    Fiber::change(mine, host);
    return;
  }
  Thread& next = block.running();
  if (next.fiber == nullptr) next.fiber = idle_fiber();
  Fiber::change(mine, *next.fiber);
}

void open_barrier() {
  const unsigned warps = (block.size + 31) / 32;
  for (unsigned w = 0; w < warps; ++w) {
    Warp& warp = block.warps[w];
    if (warp.at_barrier != 0) block.ready_warps |= 1u << w;
    warp.ready |= warp.at_barrier;
    warp.at_barrier = 0;
  }
  block.barrier_result = block.barrier_values;
  block.waiting = block.barrier_values = 0;
}

void end_thread() {
  Warp& warp = block.warps[block.warp];
  warp.ready &= ~(1u << block.lane);
  warp.ended |= 1u << block.lane;
  --block.living;
  if (block.living > 0 && block.waiting == block.living) open_barrier();
}

// What a fiber runs: threads, one after the other as long as those that follow have not begun on another fiber.
void thread_main() {
  for (;;) {
    Fiber& mine = *block.running().fiber;
    try {
      (*block.thread)();
    } catch (...) {
      block.failure = std::current_exception();
    }
    if (block.failure) {
      Fiber::change(mine, host);
      continue;
    }
    end_thread();
    if (!choose_next()) {
      idle.push_back(&mine);
      Fiber::change(mine, host);
    } else if (block.running().fiber == nullptr) {
      block.running().fiber = &mine;
    } else {
      idle.push_back(&mine);
      Fiber::change(mine, *block.running().fiber);
    }
  }
}

std::string place(unsigned warp, unsigned lane) {
  std::ostringstream text;
  const uint3 thread = block.threads[warp * 32 + lane].index;
  text << "block (" << here.block.x << ',' << here.block.y << ',' << here.block.z << ") thread (" << thread.x << ',' << thread.y << ','
       << thread.z << ") [warp " << warp << " lane " << lane << ']';
  return text.str();
}

std::string source(const std::source_location& where) {
  return std::string(where.file_name()) + ':' + std::to_string(where.line()) + " (" + where.function_name() + ')';
}

const char* name_of(WarpOperation operation) {
  switch (operation) {
    case WarpOperation::shuffle: return "a shuffle";
    case WarpOperation::ballot: return "a ballot, any or all";
    default: return "__syncwarp";
  }
}

std::string hexadecimal(unsigned mask) {
  std::ostringstream text;
  text << "0x" << std::hex << mask;
  return text.str();
}

[[noreturn]] void fault_here(const std::string& what, const std::source_location& where) {
  fault(place(block.warp, block.lane) + ": " + what + ", at " + source(where));
}

// Nobody can go on: says who waits for whom.
[[noreturn]] void report_stuck() {
  std::ostringstream text;
  text << "a block whose threads wait for ever: ";
  int told = 0;
  for (unsigned w = 0; w < (block.size + 31) / 32; ++w) {
    const Warp& warp = block.warps[w];
    for (unsigned lane = 0; lane < 32 && told < 4; ++lane) {
      const unsigned bit = 1u << lane;
      if ((warp.parked & bit) != 0) {
        const unsigned mask = warp.mask[lane], absent = mask & ~warp.parked;
        text << "\n  " << place(w, lane) << " waits in " << name_of(warp.operation[lane]) << " with mask " << hexadecimal(mask) << ", at "
             << source(warp.where[lane]) << "; of its lanes " << hexadecimal(mask & warp.ended) << " have ended, "
             << hexadecimal(mask & warp.at_barrier) << " wait in __syncthreads, " << hexadecimal(mask & ~warp.existing) << " do not exist";
        if (absent == 0) text << ", others wait in another operation or with another mask";
        ++told;
      } else if ((warp.at_barrier & bit) != 0) {
        text << "\n  " << place(w, lane) << " waits in __syncthreads, at " << source(block.barrier_where);
        ++told;
        break;
      }
    }
  }
  fault(text.str());
}

bool all_here(const Warp& warp, unsigned mask, WarpOperation operation) {
  if ((warp.parked & mask) != mask) return false;
  for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
    const auto lane = static_cast<unsigned>(std::countr_zero(rest));
    if (warp.mask[lane] != mask || warp.operation[lane] != operation) return false;
  }
  return true;
}

void complete(Warp& warp, unsigned mask, WarpOperation operation) {
  if (operation == WarpOperation::shuffle) {
    for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
      const auto lane = static_cast<unsigned>(std::countr_zero(rest));
      const unsigned from = warp.source[lane];
      if ((mask >> from & 1u) == 0) {
        block.lane = lane;
        fault_here("shuffles from lane " + std::to_string(from) + ", which is not in the mask " + hexadecimal(mask), warp.where[lane]);
      }
      warp.result[lane] = warp.value[from];
    }
  } else if (operation == WarpOperation::ballot) {
    std::uint64_t set = 0;
    for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
      const auto lane = static_cast<unsigned>(std::countr_zero(rest));
      set |= warp.value[lane] << lane;
    }
    for (unsigned rest = mask; rest != 0; rest &= rest - 1) warp.result[static_cast<unsigned>(std::countr_zero(rest))] = set;
  }
  warp.parked &= ~mask;
  warp.ready |= mask;
}

void prepare_threads(dim3 size) {
  block.size = size.x * size.y * size.z;
  block.threads.resize(block.size);
  for (unsigned i = 0; i < block.size; ++i) block.threads[i].index = {i % size.x, i / size.x % size.y, i / size.x / size.y};
}

void run_block(bool backwards) {
  const unsigned warps = (block.size + 31) / 32;
  for (Thread& thread : block.threads) thread.fiber = nullptr;
  for (unsigned w = 0; w < warps; ++w) {
    Warp& warp = block.warps[w];
    const unsigned lanes = std::min(32u, block.size - 32 * w);
    warp.existing = warp.ready = lanes == 32 ? ~0u : (1u << lanes) - 1;
    warp.parked = warp.at_barrier = warp.ended = 0;
  }
  block.ready_warps = warps == 32 ? ~0u : (1u << warps) - 1;
  block.living = block.size;
  block.waiting = block.barrier_values = 0;
  block.backwards = backwards;
  block.warp = pick(block.ready_warps);
  choose_next();
  Thread& first = block.running();
  first.fiber = idle_fiber();
  Fiber::change(host, *first.fiber);
}

// After a fault nothing of what was under way goes on.
void forget_fibers() {
  idle.clear();
  for (const auto& fiber : fibers) {
    fiber->reset();
    idle.push_back(fiber.get());
  }
}

}  // namespace

unsigned lane_of_thread() { return block.lane; }

void trap(std::source_location where) { fault_here("__trap", where); }

std::uint64_t warp_operation(WarpOperation operation, unsigned mask, std::uint64_t value, unsigned from, std::source_location where) {
  Warp& warp = block.warps[block.warp];
  const unsigned lane = block.lane, bit = 1u << lane;
  if ((mask & bit) == 0) fault_here("the mask " + hexadecimal(mask) + " does not name the calling lane", where);
  warp.value[lane] = value;
  warp.source[lane] = from;
  warp.mask[lane] = mask;
  warp.operation[lane] = operation;
  warp.where[lane] = where;
  warp.parked |= bit;
  if (all_here(warp, mask, operation)) {
    complete(warp, mask, operation);
  } else {
    warp.ready &= ~bit;
    give_way();
  }
  return warp.result[lane];
}

unsigned block_barrier(BarrierOperation operation, bool value, std::source_location where) {
  if (block.waiting == 0) {
    block.barrier = operation;
    block.barrier_where = where;
  } else if (block.barrier != operation || block.barrier_where.line() != where.line() || block.barrier_where.column() != where.column()) {
    fault_here("comes to another __syncthreads than the threads that wait at " + source(block.barrier_where), where);
  }
  Warp& warp = block.warps[block.warp];
  const unsigned bit = 1u << block.lane;
  warp.ready &= ~bit;
  warp.at_barrier |= bit;
  ++block.waiting;
  block.barrier_values += value ? 1 : 0;
  if (block.waiting == block.living) {
    open_barrier();
  } else {
    give_way();
  }
  return block.barrier_result;
}

void run_grid(dim3 grid, dim3 size, const std::function<void()>& thread, bool backwards) {
  block.thread = &thread;
  block.failure = nullptr;
  prepare_threads(size);
  here.block_size = size;
  here.grid_size = grid;
  const std::uint64_t blocks = std::uint64_t{grid.x} * grid.y * grid.z;
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const std::uint64_t number = backwards ? blocks - 1 - i : i;
    here.block = {static_cast<unsigned>(number % grid.x), static_cast<unsigned>(number / grid.x % grid.y),
                  static_cast<unsigned>(number / grid.x / grid.y)};
    run_block(number % 2 == 1);
    if (block.failure) {
      forget_fibers();
      std::rethrow_exception(std::exchange(block.failure, nullptr));
    }
    if (block.living > 0) {
      try {
        report_stuck();
      } catch (...) {
        forget_fibers();
        throw;
      }
    }
  }
}

}  // namespace fake_cuda
