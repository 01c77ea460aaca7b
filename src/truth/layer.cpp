#include "tuile/truth/layer.hpp"

#include <algorithm>

#include "areas_attributes.hpp"

namespace tuile::truth {

namespace {

/// Changes when make_areas gives other areas for the same features and layer.
constexpr int areas_version = 1;

class Text {
 public:
  /// With its length before it, so that no text can look like two.
  Text& operator<<(const std::string& part) {
    text_ += std::to_string(part.size()) + ":" + part + ";";
    return *this;
  }
  Text& operator<<(double number) { return *this << to_text(number); }
  Text& operator<<(bool flag) { return *this << std::string(flag ? "1" : "0"); }
  Text& operator<<(const std::vector<std::string>& list) {
    *this << std::to_string(list.size());
    for (const std::string& part : list) *this << part;
    return *this;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string definition(const Layer& layer) {
  Text text;
  text << std::to_string(areas_version) << layer.name << std::to_string(layer.only.size());
  for (const AttributeTest& test : layer.only) {
    text << test.attribute << std::to_string(static_cast<int>(test.kind)) << test.values << test.bound << test.when_missing;
  }
  text << layer.buffer.has_value();
  if (layer.buffer) {
    const LineBuffer& buffer = *layer.buffer;
    text << buffer.attribute << buffer.factor << buffer.default_attribute << std::to_string(buffer.by_value.size());
    for (const auto& [value, distance] : buffer.by_value) text << value << distance;
    text << buffer.otherwise << buffer.plus << buffer.flat_caps;
  }
  text << layer.attributes;
  return text.take();
}

double reach(const Layer& layer) noexcept {
  if (!layer.buffer) return 0;
  double largest = layer.buffer->otherwise;
  if (!layer.buffer->attribute.empty()) largest = std::max(largest, largest_attribute_distance);
  for (const auto& entry : layer.buffer->by_value) largest = std::max(largest, entry.second);
  return std::max(0.0, largest + layer.buffer->plus);
}

}  // namespace tuile::truth
