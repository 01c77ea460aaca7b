#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

namespace tuile::test {

/// Writes WKB by hand, little-endian, ISO: shares nothing with the code under test.
class Wkb {
 public:
  using Points = std::vector<std::vector<double>>;  // 2, 3 or 4 numbers each

  static std::string point(const std::vector<double>& place) {
    Wkb wkb(1, place.size());
    for (const double v : place) wkb.put(v);
    return wkb.text_;
  }
  static std::string line(const Points& points) {
    Wkb wkb(2, points.at(0).size());
    wkb.points(points);
    return wkb.text_;
  }
  /// Rings as given: close them yourself.
  static std::string polygon(const std::vector<Points>& rings) {
    Wkb wkb(3, rings.at(0).at(0).size());
    wkb.put(static_cast<std::uint32_t>(rings.size()));
    for (const Points& ring : rings) wkb.points(ring);
    return wkb.text_;
  }
  /// 5 multi-line, 6 multi-polygon, 7 collection.
  static std::string collection(std::uint32_t type, const std::vector<std::string>& parts, std::size_t dimensions = 2) {
    Wkb wkb(type, dimensions);
    wkb.put(static_cast<std::uint32_t>(parts.size()));
    for (const std::string& part : parts) wkb.text_ += part;
    return wkb.text_;
  }
  /// A curve polygon of one circular string.
  static std::string curve_polygon(const Points& arcs) {
    Wkb inner(8, 2);
    inner.points(arcs);
    return collection(10, {inner.text_});
  }
  static Points square(double x, double y, double side) { return {{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}, {x, y}}; }

 private:
  Wkb(std::uint32_t type, std::size_t dimensions) {
    text_ += '\1';
    put(type + (dimensions == 3 ? 1000U : dimensions == 4 ? 3000U : 0U));
  }
  template <class Number>
  void put(Number value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    text_.append(raw, sizeof value);
  }
  void points(const Points& list) {
    put(static_cast<std::uint32_t>(list.size()));
    for (const auto& place : list) {
      for (const double v : place) put(v);
    }
  }
  std::string text_;
};

}  // namespace tuile::test
