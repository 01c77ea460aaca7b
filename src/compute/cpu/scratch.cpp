#include "compute/cpu/scratch.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <vector>

#include "compute/cpu/tree_view.hpp"

namespace tuile::compute::cpu {

namespace {

template <class T>
void enlarge(Buffer<T>& buffer, std::size_t size) {
  Buffer<T> larger(size);
  if (!buffer.empty()) std::memcpy(larger.data(), buffer.data(), buffer.bytes());
  buffer = std::move(larger);
}

}  // namespace

ScratchMemory::ScratchMemory() : partial_(std::size_t{group_size} * partial_count * 8) {
  view_.partial = partial_.data();
  view_.memory = this;
  grow_candidates(256);
  grow_list(1024);
}

void ScratchMemory::grow_candidates(std::uint32_t count) {
  const std::uint32_t capacity = std::max(2 * view_.candidate_capacity, (count + bucket_size - 1) / bucket_size * bucket_size);
  enlarge(bucket_, capacity);
  enlarge(full_, capacity / bucket_size);
  enlarge(near_, capacity + bucket_size);
  view_.bucket = bucket_.data();
  view_.near = near_.data();
  view_.full = full_.data();
  for (std::size_t i = 0; i < 6; ++i) {
    enlarge(boxes_[i], capacity);
    view_.box[i] = boxes_[i].data();
  }
  view_.candidate_capacity = capacity;
}

void ScratchMemory::grow_list(std::uint32_t count) {
  const std::uint32_t capacity = std::max(2 * view_.list_capacity, (count + bucket_size - 1) / bucket_size * bucket_size);
  for (Buffer<float>& array : list_) enlarge(array, capacity);
  view_.d2 = list_[0].data();
  view_.dx = list_[1].data();
  view_.dy = list_[2].data();
  view_.dz = list_[3].data();
  view_.list_capacity = capacity;
}

void grow_candidates(Scratch& scratch, std::uint32_t count) { scratch.memory->grow_candidates(count); }
void grow_list(Scratch& scratch, std::uint32_t count) { scratch.memory->grow_list(count); }

void resolve_tie(Scratch& scratch, std::uint32_t count, std::uint32_t kept, float tie) {
  std::vector<std::array<float, 3>> tied;
  std::uint32_t nearer = 0;
  const bool same = tie == 0.0F;  // all tied points are copies of the query: any of them will do
  for (std::uint32_t i = 0; i < count; ++i) {
    if (scratch.d2[i] < tie) {
      scratch.d2[nearer] = scratch.d2[i];
      scratch.dx[nearer] = scratch.dx[i];
      scratch.dy[nearer] = scratch.dy[i];
      scratch.dz[nearer] = scratch.dz[i];
      ++nearer;
    } else if (scratch.d2[i] == tie && !(same && tied.size() == kept)) {
      tied.push_back({scratch.dx[i], scratch.dy[i], scratch.dz[i]});
    }
  }
  if (!same) std::nth_element(tied.begin(), tied.begin() + (kept - nearer), tied.end());
  for (std::uint32_t i = nearer; i < kept; ++i) {
    scratch.d2[i] = tie;
    scratch.dx[i] = tied[i - nearer][0];
    scratch.dy[i] = tied[i - nearer][1];
    scratch.dz[i] = tied[i - nearer][2];
  }
  std::fill(scratch.d2 + kept, scratch.d2 + kept + bucket_size, std::numeric_limits<float>::infinity());
}

}  // namespace tuile::compute::cpu
