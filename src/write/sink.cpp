#include "tuile/write/sink.hpp"

#include <string>

#include "tuile/core/error.hpp"

namespace tuile::write {

namespace {

void expect_length(const char* array, std::size_t length, std::size_t expected) {
  if (length == expected) return;
  throw InvalidArgument("block of rows: '" + std::string(array) + "' has " + std::to_string(length) + " values, " +
                        std::to_string(expected) + " are expected");
}

}  // namespace

void check_block(const TileLayout& layout, const RowBlock& block) {
  const std::size_t rows = block.size();
  if (block.first_row > layout.points || rows > layout.points - block.first_row)
    throw InvalidArgument("block of rows: first row " + std::to_string(block.first_row) + " and " + std::to_string(rows) +
                          " rows pass the tile's " + std::to_string(layout.points));
  expect_length("classification", block.classification.size(), rows);
  expect_length("features", block.features.size(), rows * layout.feature_names.size());
  expect_length("valid", block.valid.size(), layout.valid ? rows : 0);
}

}  // namespace tuile::write
