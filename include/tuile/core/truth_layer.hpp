#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tuile {

/// Which features of a ground-truth layer count, by one attribute. Text that is a number compares as one.
struct AttributeTest {
  enum class Kind { in, not_in, at_least, at_most };
  std::string attribute;
  Kind kind = Kind::in;
  std::vector<std::string> values;  ///< in, not_in
  double bound = 0;                 ///< at_least, at_most
  bool when_missing = true;         ///< whether a feature without the attribute (or with null, or no number where one is compared) counts
  bool operator==(const AttributeTest&) const = default;
};

/// How lines become areas: all places within a distance of the line.
/// distance = (attribute · factor, else by_value[value of `default_attribute`], else otherwise) + plus, metres.
/// Attributes that are missing, not positive or no number count as missing; what an attribute gives is cut at 50 m.
struct LineBuffer {
  std::string attribute;  ///< empty: none
  double factor = 1;
  std::string default_attribute = "nature";
  std::map<std::string, double> by_value;  ///< metres
  double otherwise = 0;                    ///< metres
  double plus = 0;                         ///< metres
  bool flat_caps = false;                  ///< the area ends where the line ends; else round
  bool operator==(const LineBuffer&) const = default;
};

}  // namespace tuile
