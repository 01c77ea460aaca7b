#include "write/npz/object_arrays.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "tuile/core/utf8.hpp"
#include "tuile/write/sink.hpp"

namespace tuile::write {

namespace {

/// The name of an attribute's array: what cannot stand in the name of an archive's member is replaced, and a name that is taken gets "_".
std::string array_name(const std::string& attribute, const std::vector<WholeArray>& arrays) {
  std::u32string letters = utf8_decode(attribute, longest_object_text);
  for (char32_t& letter : letters)
    if (letter < U' ' || letter == U'\x7F' || letter == U'/' || letter == U'\\' || letter == U':') letter = U'_';
  std::string name = "object_" + utf8_encode(letters);
  const auto taken = [&] { return std::any_of(arrays.begin(), arrays.end(), [&](const WholeArray& array) { return array.name == name; }); };
  while (taken()) name += '_';
  return name;
}

void add_texts(std::string name, const std::vector<std::string>& values, std::vector<WholeArray>& arrays) {
  NpyStrings texts = npy_texts(values, longest_object_text);
  arrays.push_back({std::move(name), std::move(texts.header), std::move(texts.data)});
}

}  // namespace

std::vector<WholeArray> object_arrays(const ObjectTable& objects) {
  std::vector<WholeArray> arrays;
  add_texts("object_ids", objects.ids, arrays);
  const auto layers = std::as_bytes(std::span(objects.layer));
  arrays.push_back({"object_layer", {"|u1", {objects.size()}}, {layers.begin(), layers.end()}});
  const std::size_t width = objects.attribute_names.size();
  std::vector<std::string> values(objects.size());
  for (std::size_t j = 0; j < width; ++j) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = objects.attributes[i * width + j];
    add_texts(array_name(objects.attribute_names[j], arrays), values, arrays);
  }
  return arrays;
}

}  // namespace tuile::write
