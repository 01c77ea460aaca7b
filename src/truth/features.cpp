#include "tuile/truth/features.hpp"

#include <strings.h>

#include <array>
#include <charconv>

namespace tuile::truth {

namespace {

template <class Number>
std::string shortest(Number number) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} ? std::string(text.data(), end) : std::string();
}

struct ToText {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return shortest(value); }
  std::string operator()(double value) const { return shortest(value); }
  std::string operator()(const std::string& value) const { return value; }
};

}  // namespace

std::string to_text(const AttributeValue& value) { return std::visit(ToText{}, value); }

const AttributeValue* Feature::find(std::string_view name) const noexcept {
  for (const auto& [own, value] : attributes) {
    if (own.size() == name.size() && strncasecmp(own.data(), name.data(), name.size()) == 0) return &value;
  }
  return nullptr;
}

}  // namespace tuile::truth
