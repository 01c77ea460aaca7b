#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tuile/core/ground_truth.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/write/written_file.hpp"

namespace tuile::write {

/// What every row of a tile's outputs has. Row i is point i of the input file (of its selected points, where a box cuts).
struct TileLayout {
  std::uint64_t points = 0;                ///< N
  Grid grid;                               ///< of the coordinates given; its origin is the outputs' `origin`
  std::vector<std::string> feature_names;  ///< F columns
  bool valid = false;                      ///< rows say whether preprocessing kept the point
  bool labels = false;                     ///< rows have label, label_source and label_object
  ObjectTable objects;                     ///< with labels: what label_object counts
};

/// Values and names of the object table are cut at this many characters wherever it is written: in fixed-width arrays one long text would
/// make all of them as long.
inline constexpr std::size_t longest_object_text = 200;

/// Rows [first_row, first_row + size()) of a tile. The memory is the caller's and needs to live only during the call.
struct RowBlock {
  std::uint64_t first_row = 0;
  std::span<const GridPoint> units;              ///< (n) relative to the layout's grid
  std::span<const std::uint8_t> classification;  ///< (n) as in the file
  std::span<const float> features;               ///< (n, F) row-major
  std::span<const std::uint8_t> valid;           ///< (n) zeros and ones where the layout has `valid`, else empty
  std::span<const std::uint8_t> labels;          ///< (n) where the layout has labels, else empty
  std::span<const std::uint8_t> label_source;    ///< (n) likewise
  std::span<const std::int32_t> label_object;    ///< (n) likewise
  std::size_t size() const noexcept { return units.size(); }
};

/// Checks the layout's object table. Throws InvalidArgument: arrays that do not belong together, or objects without labels.
void check_layout(const TileLayout& layout);

/// Checks a block against the layout. Throws InvalidArgument: rows beyond the tile, or arrays of another length.
void check_block(const TileLayout& layout, const RowBlock& block);

/// One output file of one tile. A sink that is destroyed unfinished leaves nothing behind.
/// Called from one thread at a time.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Takes rows: blocks in any order, disjoint. Throws InvalidArgument (block against layout, rows given twice), IoError.
  virtual void write(const RowBlock& block) = 0;
  /// Publishes the file at its place. Throws InvalidArgument where rows are missing, IoError. Once.
  virtual WrittenFile finish() = 0;
};

}  // namespace tuile::write
