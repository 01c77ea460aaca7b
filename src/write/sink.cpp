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

void check_layout(const TileLayout& layout) {
  const ObjectTable& objects = layout.objects;
  if (!layout.labels && objects.size() > 0) throw InvalidArgument("a tile without labels is given objects that labels count");
  if (objects.layer.size() == objects.size() && objects.attributes.size() == objects.size() * objects.attribute_names.size()) return;
  throw InvalidArgument("object table: " + std::to_string(objects.size()) + " ids, " + std::to_string(objects.layer.size()) +
                        " layers and " + std::to_string(objects.attributes.size()) + " values of " +
                        std::to_string(objects.attribute_names.size()) + " attributes do not make a table");
}

void check_block(const TileLayout& layout, const RowBlock& block) {
  const std::size_t rows = block.size();
  if (block.first_row > layout.points || rows > layout.points - block.first_row)
    throw InvalidArgument("block of rows: first row " + std::to_string(block.first_row) + " and " + std::to_string(rows) +
                          " rows pass the tile's " + std::to_string(layout.points));
  expect_length("classification", block.classification.size(), rows);
  expect_length("features", block.features.size(), rows * layout.feature_names.size());
  expect_length("valid", block.valid.size(), layout.valid ? rows : 0);
  const std::size_t labelled = layout.labels ? rows : 0;
  expect_length("labels", block.labels.size(), labelled);
  expect_length("label_source", block.label_source.size(), labelled);
  expect_length("label_object", block.label_object.size(), labelled);
}

}  // namespace tuile::write
