#pragma once

#include <cstdint>
#include <vector>

#include "compute/cpu/batch.hpp"
#include "compute/cpu/tree_view.hpp"

namespace tuile::compute::cpu {

/// Neighbours one query at a time in integers of any size: right for every coordinate, several times slower than the kernels, which hand
/// over what float32 cannot hold.
class ExactSearch {
 public:
  explicit ExactSearch(const TreeView& tree) : tree_(tree) {}

  /// The neighbourhood of the point in `slot` of the tree, written to position `at` of `batch`.
  void moments(std::uint32_t slot, const Search& search, Batch& batch, std::size_t at);
  /// The sum of the distances to its neighbours, likewise.
  void distances(std::uint32_t slot, const Search& search, Batch& batch, std::size_t at);
  /// Points within √limit units of the point in `slot`, itself included.
  std::uint64_t count_within(std::uint32_t slot, std::uint64_t limit) const;

 private:
  __extension__ using Wide = __int128;
  struct Neighbour {
    Wide d2;
    std::int64_t dx, dy, dz;
  };
  /// Nearest first; ties by (x, y, z).
  static bool before(const Neighbour& a, const Neighbour& b);
  static Neighbour neighbour(const Record& record, const Record& centre);
  void gather(const Record& centre, const Search& search);

  TreeView tree_;
  std::vector<Neighbour> heap_;
};

}  // namespace tuile::compute::cpu
