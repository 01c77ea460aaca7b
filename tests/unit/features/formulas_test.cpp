#include "features/formulas.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tuile::features {
namespace {

TEST(Formulas, ElementaryFunctions) {
  for (double r = 0; r <= 1; r += 1.0 / 4096) EXPECT_NEAR(cos_of_third(r), std::cos(std::acos(r) / 3), 2e-14);
  for (double x = 1e-12; x < 1e12; x *= 1.37) {
    EXPECT_NEAR(natural_log(x), std::log(x), 1e-13 * std::max(1.0, std::abs(std::log(x))));
    EXPECT_NEAR(cube_root(x) / std::cbrt(x), 1, 1e-13);
  }
  EXPECT_EQ(cube_root(0), 0);
  EXPECT_EQ(p_log_p(0), 0);
}

/// A symmetric matrix of given eigenvalues in a random frame; the shape must give them back, and the normal must be an eigenvector.
void check(double l1, double l2, double l3, std::mt19937& random) {
  std::normal_distribution<double> normal;
  double q[4], length = 0;
  for (double& v : q) {
    v = normal(random);
    length += v * v;
  }
  for (double& v : q) v /= std::sqrt(length);
  const double w = q[0], x = q[1], y = q[2], z = q[3];
  const double axes[3][3] = {{1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)},
                             {2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)},
                             {2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)}};
  const double l[3] = {l1, l2, l3};
  const auto entry = [&](int i, int j) {
    return l[0] * axes[0][i] * axes[0][j] + l[1] * axes[1][i] * axes[1][j] + l[2] * axes[2][i] * axes[2][j];
  };
  const Shape s = eigen_shape(entry(0, 0), entry(0, 1), entry(0, 2), entry(1, 1), entry(1, 2), entry(2, 2));
  EXPECT_NEAR(s.l1, l1, 1e-13 * l1);
  EXPECT_NEAR(s.l2, l2, 1e-13 * l1);
  EXPECT_NEAR(s.l3, l3, 1e-13 * l1);
  EXPECT_NEAR(s.nx * s.nx + s.ny * s.ny + s.nz * s.nz, 1, 1e-12);
  EXPECT_GE(s.nz, 0);
  if (l2 - l3 > 1e-9 * l1) {
    const double along = std::abs(s.nx * axes[2][0] + s.ny * axes[2][1] + s.nz * axes[2][2]);
    EXPECT_NEAR(along, 1, 1e-9) << l1 << ' ' << l2 << ' ' << l3;
  }
}

TEST(Formulas, EigenvaluesAndNormal) {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    for (const double l3 : {0.0, 1e-12, 1e-6, 0.1, 0.5, 0.999999}) {
      for (const double l2 : {l3, l3 + 1e-6, 0.5 * (1 + l3), 1.0}) check(1, l2, l3, random);
    }
  }
}

TEST(Formulas, SpecialDirections) {
  const Shape horizontal = eigen_shape(1, 0, 0, 2, 0, 0);
  EXPECT_EQ(horizontal.nz, 1);
  const Shape wall = eigen_shape(0, 0, 0, -0.0 + 1, 0, 2);
  EXPECT_EQ(wall.nx, 1);
  EXPECT_EQ(wall.nz, 0);
  const Shape ball = eigen_shape(1, 0, 0, 1, 0, 1);
  EXPECT_EQ(ball.nz, 1);
  const Shape line = eigen_shape(1, 0, 0, 0, 0, 0);  // across a horizontal line: up
  EXPECT_EQ(line.nz, 1);
  const Shape nothing = eigen_shape(0, 0, 0, 0, 0, 0);
  EXPECT_EQ(nothing.nz, 1);
  EXPECT_EQ(nothing.l1, 0);
}

TEST(Formulas, VerticalWallsOfIntegersHaveOneSide) {
  // Points (t dx, t dy, z) of a wall across (dy, -dx, 0): the moments are exact integers, the normal is known.
  for (int dx = -40; dx <= 40; ++dx) {
    for (int dy = -40; dy <= 40; ++dy) {
      if (dx == 0 && dy == 0) continue;
      double n = 0, x = 0, y = 0, z = 0, xx = 0, xy = 0, xz = 0, yy = 0, yz = 0, zz = 0;
      for (int t = 0; t < 5; ++t) {
        for (int row = 0; row < 4; ++row) {
          const double px = t * dx, py = t * dy, pz = row * 37 + t * 11;
          n += 1;
          x += px, y += py, z += pz;
          xx += px * px, xy += px * py, xz += px * pz, yy += py * py, yz += py * pz, zz += pz * pz;
        }
      }
      const Shape s = shape_of(n, n * xx - x * x, n * xy - x * y, n * xz - x * z, n * yy - y * y, n * yz - y * z, n * zz - z * z, 0.01);
      EXPECT_EQ(s.nz, 0) << dx << ' ' << dy;
      EXPECT_EQ(verticality(s), 1) << dx << ' ' << dy;
      const double sign = dx < 0 || (dx == 0 && dy > 0) ? 1 : -1, length = std::hypot(dx, dy);
      EXPECT_NEAR(s.nx, sign * dy / length, 1e-9) << dx << ' ' << dy;
      EXPECT_NEAR(s.ny, -sign * dx / length, 1e-9) << dx << ' ' << dy;
      if (dx == 0) {
        EXPECT_EQ(s.ny, 0);
      }
    }
  }
}

TEST(Formulas, DegenerateNeighbourhoodsHaveNoRatios) {
  const Shape pair = shape_of(2, 4, 4, 4, 4, 4, 4, 0.01);
  const double unit = ratio_unit(2, pair);
  EXPECT_EQ(pair.nz, 1);
  EXPECT_EQ(linearity(pair, unit), 0);
  EXPECT_EQ(curvature(pair, unit), 0);
  EXPECT_EQ(eigenentropy(pair, unit), 0);
  EXPECT_EQ(roof_likelihood(pair, unit), 0);
  EXPECT_EQ(density(5, 0), 0);
  EXPECT_EQ(ndvi(0, 0), 0);
  EXPECT_EQ(facade_score(0.5, -1), 0);
  EXPECT_EQ(facade_score(0.5, 9), 0.5);
}

}  // namespace
}  // namespace tuile::features
