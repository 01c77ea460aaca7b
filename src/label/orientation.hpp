#pragma once

#include <array>
#include <cmath>
#include <cstddef>

#include "tuile/core/ground_truth.hpp"

namespace tuile::label {

/// A side of an outline with its lower end first, so that two areas that share a side ask the same question about it.
struct Edge {
  Position low, high;
};

namespace detail {

/// As is_left, by the orientation determinant multiplied out: its six products as pairs of doubles, added up without loss
/// (Shewchuk 1997, grow-expansion).
inline bool is_left_exactly(const Edge& edge, double x, double y) noexcept {
  std::array<double, 12> sum{};
  std::size_t terms = 0;
  const auto add = [&](double value) {
    for (std::size_t i = 0; i < terms; ++i) {
      const double total = value + sum[i];
      const double part = total - value;
      sum[i] = (value - (total - part)) + (sum[i] - part);
      value = total;
    }
    sum[terms++] = value;
  };
  const auto add_product = [&](double a, double b) {
    const double product = a * b;
    add(std::fma(a, b, -product));
    add(product);
  };
  add_product(edge.low.x, edge.high.y);
  add_product(-edge.low.y, edge.high.x);
  add_product(edge.low.y, x);
  add_product(-edge.low.x, y);
  add_product(y, edge.high.x);
  add_product(-x, edge.high.y);
  while (terms > 0 && sum[terms - 1] == 0) --terms;  // the last term that is not zero outweighs those before it
  return terms > 0 && sum[terms - 1] > 0;
}

}  // namespace detail

/// Whether (x, y) lies strictly left of the edge as one looks along it upwards. Exact for coordinates up to 1e100 m whose products do not
/// underflow (magnitudes from 1e-140, or zero): a float test where its rounding cannot matter (Shewchuk 1997, stage A), else exact
/// arithmetic.
inline bool is_left(const Edge& edge, double x, double y) noexcept {
  const double a = (edge.low.x - x) * (edge.high.y - y);
  const double b = (edge.low.y - y) * (edge.high.x - x);
  const double bound = 3.3306690738754716e-16 * (std::abs(a) + std::abs(b));
  const double determinant = a - b;
  if (std::abs(determinant) > bound) return determinant > 0;
  return detail::is_left_exactly(edge, x, y);
}

/// Whether the ray from (x, y) towards +x meets the edge. An edge has its lower end and not its upper one, so a corner counts once and
/// areas that share a border share no point of it: a place on a left or lower border is inside, on a right or upper one outside.
inline bool crosses(const Edge& edge, double x, double y) noexcept { return edge.low.y <= y && y < edge.high.y && is_left(edge, x, y); }

}  // namespace tuile::label
