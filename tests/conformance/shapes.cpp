#include "conformance/shapes.hpp"

#include <algorithm>
#include <cmath>

namespace tuile::conformance {

namespace {

std::int32_t side_of(std::size_t points, double points_per_square_metre) {
  return std::max(100, static_cast<std::int32_t>(100 * std::sqrt(static_cast<double>(points) / points_per_square_metre)));
}
Cloud usual_town(std::size_t points, std::uint32_t seed) { return town(points, side_of(points, 15), seed); }

/// Points spread over a cube of `side` units beside a town that reaches into it.
Cloud heap(std::size_t points, std::uint32_t side, std::uint32_t seed) {
  Cloud cloud = town(points / 4, 1500, seed);
  std::mt19937 random(seed);
  const auto one = [&](std::int32_t from) { return static_cast<std::int32_t>(from + static_cast<std::int64_t>(random() % (side + 1))); };
  while (cloud.points.size() < points) {
    cloud.points.push_back({one(700), one(300), one(60)});
    cloud.classes.push_back(1);
  }
  return cloud;
}

Cloud line(std::size_t points, GridPoint step) {
  Cloud cloud;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(points); ++i) cloud.points.push_back({i * step.x, i * step.y, i * step.z});
  return cloud;
}

Cloud grid_of_ties(std::size_t points) {
  const auto side = static_cast<std::int32_t>(std::cbrt(static_cast<double>(points)));
  Cloud cloud;
  for (std::int32_t x = 0; x < side; ++x) {
    for (std::int32_t y = 0; y < side; ++y) {
      for (std::int32_t z = 0; z < side; ++z) cloud.points.push_back({x * 30, y * 30, z * 30});
    }
  }
  return cloud;
}

Cloud copies(std::size_t points) {
  Cloud cloud = usual_town(points / 4, 18);
  const std::size_t first = cloud.points.size();
  for (std::size_t i = 0; cloud.points.size() < points; i = (i + 1) % first) {
    for (std::size_t copy = 0; copy < i % 40; copy += 7) {
      cloud.points.push_back(cloud.points[i]);
      cloud.classes.push_back(cloud.classes[i]);
    }
  }
  return cloud;
}

Cloud columns(std::size_t points) {
  Cloud cloud;
  std::mt19937 random(40);
  for (std::size_t i = 0; i < points; ++i) {
    const auto one = [&](std::uint32_t below) { return static_cast<std::int32_t>(random() % below); };
    if (i % 5 == 0) {
      cloud.points.push_back({one(4000), one(2000), one(5)});
    } else {
      const std::int32_t tree = one(6);
      cloud.points.push_back({tree * 700 + one(25), tree * 300 + one(25), one(3000)});
    }
    cloud.classes.push_back(i % 5 == 0 ? 2 : 5);
  }
  return cloud;
}

Cloud cables(std::size_t points) {
  Cloud cloud = town(points / 4, 6000, 41);
  for (std::int32_t i = 0; cloud.points.size() < points; ++i) {
    const std::int32_t x = i % 3000 * 4 - 6000;
    cloud.points.push_back({x, 2000 + i % 3 * 400, 4000 + x * x / 40'000});
    cloud.classes.push_back(1);
  }
  return cloud;
}

Cloud moved_apart(Cloud cloud) {
  for (std::size_t i = 0; i < cloud.points.size(); i += 2) cloud.points[i].x += 1'000'000'000;
  return cloud;
}

}  // namespace

std::vector<Shape> shapes() {
  return {
      {"Town", 0.01, [](std::size_t n) { return usual_town(n, 1); }},
      {"TownMillimetres", 0.001, [](std::size_t n) { return town(n, side_of(n, 15) * 10, 8); }},
      {"Sparse", 0.01, [](std::size_t n) { return town(n, side_of(n, 0.05), 9); }},
      {"GridOfTies", 0.01, &grid_of_ties},
      {"Copies", 0.01, &copies},
      {"FarApart", 0.01, [](std::size_t n) { return random_points(n, 1'000'000, 11); }},
      {"FarApartInFloat", 0.01, [](std::size_t n) { return random_points(n, 8000, 12); }},
      {"HugeCoordinates", 0.001, [](std::size_t n) { return random_points(n, 2'000'000'000, 13); }},
      {"TwoTownsFarApart", 0.01, [](std::size_t n) { return moved_apart(usual_town(n, 14)); }},
      {"Line", 0.01,
       [](std::size_t n) {
         return line(n, {3, 2, 0});
       }},
      {"Column", 0.01,
       [](std::size_t n) {
         return line(n, {0, 0, 2});
       }},
      {"Plane", 0.01,
       [](std::size_t n) {
         Cloud cloud;
         for (std::int32_t i = 0; i < static_cast<std::int32_t>(n); ++i) cloud.points.push_back({i % 60 * 10, i / 60 * 11, i % 60 * 5});
         return cloud;
       }},
      {"DensityJump", 0.01,
       [](std::size_t n) {
         Cloud cloud = town(n / 2, 8000, 16);
         append(cloud, town(n / 2, 400, 17));
         return cloud;
       }},
      {"VegetationColumns", 0.01, &columns},
      {"Cables", 0.01, &cables},
      {"FilledCube", 0.01, [](std::size_t n) { return random_points(n, 100, 42); }},
      {"AllEqual", 0.01,
       [](std::size_t n) {
         return line(n, {0, 0, 0});
       }},
      {"HeapOfCopies", 0.01, [](std::size_t n) { return heap(n, 0, 19); }},
      {"HeapOfNearCopies", 0.01, [](std::size_t n) { return heap(n, 3, 20); }},
      {"DenseHeap", 0.01, [](std::size_t n) { return heap(n, 40, 21); }},
      {"HeapsBeyondFloat", 0.01, [](std::size_t n) { return moved_apart(heap(n, 2, 22)); }},
  };
}

Cloud random_points(std::size_t count, std::int32_t reach, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto one = [&] { return static_cast<std::int32_t>(static_cast<std::int64_t>(random()) % (std::int64_t{2} * reach + 1) - reach); };
  Cloud cloud;
  for (std::size_t i = 0; i < count; ++i) cloud.points.push_back({one(), one(), one()});
  return cloud;
}

Cloud noisy_town(std::size_t count, std::int32_t side, std::uint32_t seed) {
  Cloud cloud = town(count, side, seed);
  std::mt19937 random(seed + 1);
  for (std::size_t i = 0; i < count / 50; ++i) {
    const auto one = [&] { return static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(side)); };
    cloud.points.push_back({one(), one(), static_cast<std::int32_t>(random() % 12000) - 4000});
    cloud.classes.push_back(1);
    if (i % 4 == 0) {
      cloud.points.push_back(cloud.points[random() % count]);
      cloud.classes.push_back(5);
    }
  }
  for (std::size_t i = 0; i < cloud.classes.size(); i += 11) cloud.classes[i] = i % 2 == 0 ? 65 : 66;
  return cloud;
}

void append(Cloud& cloud, const Cloud& more) {
  cloud.classes.resize(cloud.points.size(), 1);
  cloud.points.insert(cloud.points.end(), more.points.begin(), more.points.end());
  cloud.classes.insert(cloud.classes.end(), more.classes.begin(), more.classes.end());
  cloud.classes.resize(cloud.points.size(), 1);
}

Cloud part(const Cloud& cloud, const GridBounds& bounds, bool inside) {
  Cloud some;
  for (std::size_t i = 0; i < cloud.points.size(); ++i) {
    if (bounds.contains(cloud.points[i].x, cloud.points[i].y) != inside) continue;
    some.points.push_back(cloud.points[i]);
    some.classes.push_back(i < cloud.classes.size() ? cloud.classes[i] : std::uint8_t{1});
  }
  return some;
}

}  // namespace tuile::conformance
