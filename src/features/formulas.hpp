#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

/// The definitions of the features, once, for every backend. Only + − × ÷ √ and bit moves on doubles: no library function whose last bits
/// differ from one machine to another, and nothing that keeps a compiler from evaluating many points at a time.
/// Internal linkage: each translation unit has its own copy, compiled for its own instruction set.
#ifdef __CUDACC__
#define TUILE_HD static __host__ __device__ inline
#else
#define TUILE_HD static inline
#endif

namespace tuile::features {

/// Shape of a neighbourhood: eigenvalues of its covariance, λ1 ≥ λ2 ≥ λ3 ≥ 0, and the unit eigenvector of λ3, turned upwards.
struct Shape {
  double l1, l2, l3;
  double nx, ny, nz;
};

TUILE_HD double larger(double a, double b) { return a > b ? a : b; }
TUILE_HD double smaller(double a, double b) { return a < b ? a : b; }

TUILE_HD std::uint64_t bits_of(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}
TUILE_HD double from_bits(std::uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}
/// An integer below 2^52 as a double, and back, by the bits of 2^52 (vector units lack the 64-bit conversion).
TUILE_HD double from_integer(std::uint64_t value) { return from_bits(value | 0x4330000000000000U) - 4503599627370496.0; }
TUILE_HD std::uint64_t to_integer(double value) { return bits_of(value + 4503599627370496.0) & 0x000fffffffffffffU; }

/// cos(acos(r)/3) for r in [0, 1]: the largest root of 4c³ − 3c = r. A cubic through values and slopes of both ends, then Newton, which
/// converges quadratically here (the slope 12c² − 3 is between 6 and 9).
TUILE_HD double cos_of_third(double r) {
  constexpr double c0 = 0.86602540378443864676;  // √3/2
  constexpr double rise = 1.0 - c0;
  constexpr double s0 = 1.0 / 6.0, s1 = 1.0 / 9.0;
  double c = c0 + r * (s0 + r * ((3.0 * rise - 2.0 * s0 - s1) + r * (s0 + s1 - 2.0 * rise)));
  for (int i = 0; i < 2; ++i) c -= ((4.0 * c * c - 3.0) * c - r) / (12.0 * c * c - 3.0);
  return c;
}

/// Eigenvalues and last eigenvector of the symmetric matrix (xx xy xz / xy yy yz / xz yz zz), of any scale, entries 0 or of magnitude
/// 1e-50 to 1e50. First the eigenvalue that lies apart from the other two, by the trigonometric solution of the characteristic
/// polynomial (Smith 1961, CACM 4:168), and its eigenvector from the adjugate of C − λI, whose columns are all parallel to it; then the
/// other two from the 2×2 problem in the plane across it, which stays exact where they nearly coincide.
/// Where λ2 = λ3 (points on a line) e3 is the direction across the line nearest to the vertical; where all are equal it is (0,0,1).
TUILE_HD Shape eigen_shape(double xx, double xy, double xz, double yy, double yz, double zz) {
  const double q = (xx + yy + zz) * (1.0 / 3.0);
  const double a = xx - q, b = yy - q, c = zz - q;
  const double p2 = (a * a + b * b + c * c + 2.0 * (xy * xy + xz * xz + yz * yz)) * (1.0 / 6.0);
  const double p = std::sqrt(p2);
  const double det = a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz);
  const double cube = 2.0 * p2 * p;
  const double r = smaller(larger(det / (cube > 0.0 ? cube : 1.0), -1.0), 1.0);
  const bool largest_apart = r >= 0.0;
  const double reach = 2.0 * p * cos_of_third(r < 0.0 ? -r : r);
  const double shift = largest_apart ? reach : -reach;  // the eigenvalue apart is q + shift

  const double ma = a - shift, mb = b - shift, mc = c - shift;
  const double a00 = mb * mc - yz * yz, a11 = ma * mc - xz * xz, a22 = ma * mb - xy * xy;
  const double a01 = xz * yz - xy * mc, a02 = xy * yz - xz * mb, a12 = xy * xz - yz * ma;
  const double d0 = a00 < 0.0 ? -a00 : a00, d1 = a11 < 0.0 ? -a11 : a11, d2 = a22 < 0.0 ? -a22 : a22;
  const bool first = (d0 >= d1) & (d0 >= d2);
  const bool second = d1 >= d2;
  double wx = first ? a00 : (second ? a01 : a02);
  double wy = first ? a01 : (second ? a11 : a12);
  double wz = first ? a02 : (second ? a12 : a22);
  const double norm = std::sqrt(wx * wx + wy * wy + wz * wz);
  const double scale = 1.0 / (norm > 0.0 ? norm : 1.0);
  wx *= scale;
  wy *= scale;
  wz = norm > 0.0 ? wz * scale : 1.0;

  // The plane across w: u towards the vertical, v horizontal.
  const double flat = std::sqrt(wx * wx + wy * wy);
  const bool upright = flat < 1e-12;
  const double tilt = 1.0 / (upright ? 1.0 : flat);
  const double vx = upright ? 0.0 : -wy * tilt, vy = upright ? 1.0 : wx * tilt;
  const double ux = upright ? 1.0 : -vy * wz, uy = upright ? 0.0 : vx * wz, uz = upright ? 0.0 : flat;
  const double cux = a * ux + xy * uy + xz * uz, cuy = xy * ux + b * uy + yz * uz, cuz = xz * ux + yz * uy + c * uz;
  const double alpha = ux * cux + uy * cuy + uz * cuz;
  const double beta = vx * cux + vy * cuy;
  const double gamma = vx * (a * vx + xy * vy) + vy * (xy * vx + b * vy);
  const double middle = 0.5 * (alpha + gamma), delta = 0.5 * (alpha - gamma);
  const double rho = std::sqrt(delta * delta + beta * beta);
  const double high = q + middle + rho, low = q + middle - rho;

  // The eigenvector of `low` in that plane, from the row of the 2×2 matrix without cancellation.
  const bool tie = rho <= 1e-13 * (q + reach);
  const double su = tie ? 1.0 : (delta >= 0.0 ? beta : rho - delta);
  const double sv = tie ? 0.0 : (delta >= 0.0 ? -(delta + rho) : -beta);
  const double length = std::sqrt(su * su + sv * sv);
  const double ku = su / length, kv = sv / length;
  double nx = largest_apart ? ku * ux + kv * vx : wx;
  double ny = largest_apart ? ku * uy + kv * vy : wy;
  double nz = largest_apart ? ku * uz : wz;
  const bool round = !(p2 > 1e-30 * q * q);
  nx = round ? 0.0 : nx;
  ny = round ? 0.0 : ny;
  nz = round ? 1.0 : nz;
  // Rounding leaves 1e-15 or so of a component that is zero: it must not choose the side of a vertical wall.
  nz = nz * nz < 1e-24 ? 0.0 : nz;
  ny = ny * ny < 1e-24 ? 0.0 : ny;
  const double horizontal = ny == 0.0 ? nx : ny;
  const double decides = nz == 0.0 ? horizontal : nz;
  const double sign = decides < 0.0 ? -1.0 : 1.0;

  Shape shape;
  const double apart = q + shift;
  shape.l1 = larger(largest_apart ? apart : high, 0.0);
  shape.l2 = smaller(larger(largest_apart ? high : low, 0.0), shape.l1);
  shape.l3 = smaller(larger(largest_apart ? low : apart, 0.0), shape.l2);
  shape.nx = sign * nx + 0.0;  // + 0.0: no negative zeros
  shape.ny = sign * ny + 0.0;
  shape.nz = smaller(sign * nz + 0.0, 1.0);
  return shape;
}

/// Fewer than three points, or all of them within a micrometre: a neighbourhood without a shape.
TUILE_HD bool is_degenerate(double n, double l1) { return (n < 3.0) | (l1 <= 1e-12); }

/// The shape of n points whose covariance (centred, ÷ n) is the matrix given divided by n², in units² of `scale` metres.
/// Eigenvalues in m². A degenerate neighbourhood has the normal (0,0,1).
TUILE_HD Shape shape_of(double n, double xx, double xy, double xz, double yy, double yz, double zz, double scale) {
  Shape shape = eigen_shape(xx, xy, xz, yy, yz, zz);
  const double unit = scale * scale / (n * n);
  shape.l1 *= unit;
  shape.l2 *= unit;
  shape.l3 *= unit;
  const bool degenerate = is_degenerate(n, shape.l1);
  shape.nx = degenerate ? 0.0 : shape.nx;
  shape.ny = degenerate ? 0.0 : shape.ny;
  shape.nz = degenerate ? 1.0 : shape.nz;
  return shape;
}

/// 1/λ1, or 0 for a degenerate neighbourhood, so that every ratio made with it is 0 there.
TUILE_HD double ratio_unit(double n, const Shape& s) { return is_degenerate(n, s.l1) ? 0.0 : 1.0 / s.l1; }

// Dimensionality: Demantké et al. 2011, "Dimensionality based scale selection in 3D lidar point clouds"; with λ, not √λ, as in
// Weinmann et al. 2015, "Semantic point cloud interpretation based on optimal neighborhoods, relevant features and efficient classifiers".
TUILE_HD double linearity(const Shape& s, double unit) { return (s.l1 - s.l2) * unit; }
TUILE_HD double planarity(const Shape& s, double unit) { return (s.l2 - s.l3) * unit; }
TUILE_HD double sphericity(const Shape& s, double unit) { return s.l3 * unit; }
TUILE_HD double anisotropy(const Shape& s, double unit) { return (s.l1 - s.l3) * unit; }
TUILE_HD double sum_eigenvalues(const Shape& s) { return s.l1 + s.l2 + s.l3; }

/// Surface variation: Pauly et al. 2002, "Efficient simplification of point-sampled surfaces". unit: ratio_unit.
TUILE_HD double curvature(const Shape& s, double unit) { return unit > 0.0 ? s.l3 / sum_eigenvalues(s) : 0.0; }

/// Natural logarithm of a normal positive double, 1e-15 relative: ln(2^e m) = e ln 2 + 2 atanh((m − 1)/(m + 1)), m in [√½, √2).
TUILE_HD double natural_log(double value) {
  const std::uint64_t bits = bits_of(value);
  double m = from_bits((bits & 0x000fffffffffffffU) | 0x3ff0000000000000U);
  double e = from_integer(bits >> 52U) - 1023.0;
  const bool upper = m >= 1.41421356237309504880;
  m = upper ? 0.5 * m : m;
  e = upper ? e + 1.0 : e;
  const double t = (m - 1.0) / (m + 1.0), t2 = t * t;
  const double series =
      1.0 +
      t2 * (1.0 / 3 + t2 * (1.0 / 5 + t2 * (1.0 / 7 + t2 * (1.0 / 9 + t2 * (1.0 / 11 + t2 * (1.0 / 13 + t2 * (1.0 / 15 + t2 / 17)))))));
  return e * 0.69314718055994530942 + 2.0 * t * series;
}

/// p ln p, 0 at 0.
TUILE_HD double p_log_p(double p) {
  const double safe = p > 1e-300 ? p : 1.0;
  return safe * natural_log(safe);
}

/// Shannon entropy of the eigenvalues' shares: Weinmann et al. 2015. unit: ratio_unit.
TUILE_HD double eigenentropy(const Shape& s, double unit) {
  const double share = 1.0 / (unit > 0.0 ? sum_eigenvalues(s) : 1.0);
  const double entropy = -(p_log_p(s.l1 * share) + p_log_p(s.l2 * share) + p_log_p(s.l3 * share));
  return unit > 0.0 ? larger(entropy, 0.0) : 0.0;
}

/// Cube root of value ≥ 0 (0 below 1e-290): a third of the exponent and leading bits for a start within 4 %, then Newton.
TUILE_HD double cube_root(double value) {
  const double safe = value > 1e-290 ? value : 1.0;
  const double third = from_integer(bits_of(safe) >> 32U) * (1.0 / 3.0) + 715094163.0;
  double y = from_bits(to_integer(third) << 32U);
  for (int i = 0; i < 4; ++i) y = (2.0 * y + safe / (y * y)) * (1.0 / 3.0);
  return value > 1e-290 ? y : 0.0;
}

/// Geometric mean of the eigenvalues, m²: Weinmann et al. 2015.
TUILE_HD double omnivariance(const Shape& s) { return cube_root(s.l1 * s.l2 * s.l3); }

// Guinard and Landrieu 2017, "Weakly supervised segmentation-aided classification of urban scenes from 3D LiDAR point clouds".
TUILE_HD double verticality(const Shape& s) { return 1.0 - s.nz; }
TUILE_HD double horizontality(const Shape& s) { return s.nz; }

// Scores of the design: products, and their square roots as likelihoods.
TUILE_HD double wall_score(const Shape& s, double unit) { return verticality(s) * planarity(s, unit); }
TUILE_HD double roof_score(const Shape& s, double unit) { return horizontality(s) * planarity(s, unit); }
TUILE_HD double wall_likelihood(const Shape& s, double unit) { return std::sqrt(larger(wall_score(s, unit), 0.0)); }
TUILE_HD double roof_likelihood(const Shape& s, double unit) { return std::sqrt(larger(roof_score(s, unit), 0.0)); }
/// A wall counts in full from 3 m above the ground on. height: m
TUILE_HD double facade_score(double wall, double height) { return wall * smaller(larger(height * (1.0 / 3.0), 0.0), 1.0); }

/// Standard deviation (÷ n) of the neighbours' z, m. zz: n² × variance, units²
TUILE_HD double vertical_std(double n, double zz, double scale) { return std::sqrt(zz) / n * scale; }

/// Neighbours per volume of the ball that reaches the farthest, m⁻³; 0 for an empty ball. extent: m
TUILE_HD double density(double n, double extent) {
  const double volume = 4.18879020478639098462 * extent * extent * extent;
  return volume > 0.0 ? n / volume : 0.0;
}

/// Rouse et al. 1974, "Monitoring vegetation systems in the Great Plains with ERTS".
TUILE_HD double ndvi(double red, double nir) {
  const double sum = nir + red;
  return sum > 0.0 ? (nir - red) / sum : 0.0;
}

}  // namespace tuile::features
