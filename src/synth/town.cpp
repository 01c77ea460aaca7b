#include "tuile/synth/town.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "synth/geometry.hpp"
#include "synth/random.hpp"
#include "tuile/core/error.hpp"

namespace tuile::synth {
namespace {

constexpr double block_side = 50;     ///< streets lie between blocks, objects stay inside
constexpr double largest_area = 4e8;  ///< m², of a town: all its objects are in memory
constexpr double street_strip = 7;    ///< kept free along a block's border

enum class BlockKind : std::uint8_t { houses, flats, park, pond, gardens, field };

/// A block of the street grid, numbered from coordinate 0, so its content does not depend on where the town begins.
struct Block {
  std::int64_t column, row;
  double west() const noexcept { return static_cast<double>(column) * block_side; }
  double south() const noexcept { return static_cast<double>(row) * block_side; }
};

void require(bool holds, const std::string& name, const std::string& value, const std::string& expected) {
  if (!holds) throw InvalidArgument("town option " + name + " is " + value + "; " + expected);
}

void check(const TownOptions& options) {
  const auto whole = [](double value) { return std::abs(value - std::round(value)) < 1e-6; };
  for (const auto& [name, tiles] : {std::pair{"tiles_x", options.tiles_x}, std::pair{"tiles_y", options.tiles_y}}) {
    require(tiles >= 1 && tiles <= 1000, name, std::to_string(tiles), "1 to 1000 is expected");
  }
  require(options.size >= 1 && options.size <= 10000 && whole(options.size * 100), "size", std::to_string(options.size),
          "1 to 10000 metres in whole centimetres are expected");
  require(options.density >= 0.1 && options.density <= 1000, "density", std::to_string(options.density),
          "0.1 to 1000 pulses per m² are expected");
  require(options.point_format == 6 || options.point_format == 8, "point_format", std::to_string(options.point_format),
          "6 or 8 is expected");
  const double area = options.size * options.size * options.tiles_x * options.tiles_y;
  require(area <= largest_area, "size", std::to_string(options.size), "a town may have 400 km²: ask for fewer or smaller tiles");
  for (const auto& [name, corner, tiles] :
       {std::tuple{"west", options.west, options.tiles_x}, std::tuple{"south", options.south, options.tiles_y}}) {
    require(whole(corner), name, std::to_string(corner), "whole metres are expected");
    // Coordinates are 32-bit centimetres.
    require(std::abs(corner) <= 2e7 && std::abs(corner + tiles * options.size) <= 2e7, name, std::to_string(corner),
            "the town must lie within 20 000 km of coordinate 0: make it smaller or move it");
  }
}

/// A direction at random, without trigonometry: the rational parametrisation of the circle.
Vertex direction(Random& random) noexcept {
  const double t = random.uniform(-1, 1), scale = 1 / (1 + t * t);
  return {(1 - t * t) * scale, 2 * t * scale};
}

class Planner {
 public:
  explicit Planner(const TownOptions& options) { town_.options = options; }

  Town plan() {
    const Bounds area = town_.bounds().expanded(60);
    first_ = {static_cast<std::int64_t>(std::floor(area.min_x / block_side)),
              static_cast<std::int64_t>(std::floor(area.min_y / block_side))};
    last_ = {static_cast<std::int64_t>(std::floor(area.max_x / block_side)),
             static_cast<std::int64_t>(std::floor(area.max_y / block_side))};
    lay_streets();
    for (std::int64_t row = first_.row; row <= last_.row; ++row) {
      for (std::int64_t column = first_.column; column <= last_.column; ++column) fill({column, row});
    }
    hang_power_line();
    return std::move(town_);
  }

 private:
  Random random_of(const Block& block, std::int64_t what) const noexcept {
    return Random(hash(town_.options.seed, block.column, block.row, what));
  }

  /// Every kind appears among any 3 × 3 blocks.
  BlockKind kind_of(const Block& block) const noexcept {
    const std::int64_t rank = block.column + 2 * block.row + static_cast<std::int64_t>(hash(town_.options.seed, 6) % 6);
    return static_cast<BlockKind>((rank % 6 + 6) % 6);
  }

  /// Streets along the west and south of every second block, their vertices at the crossings a little off the grid.
  void lay_streets() {
    const auto crossing = [&](std::int64_t column, std::int64_t row) {
      Random random = random_of({column, row}, 1);
      return Vertex{static_cast<double>(column) * block_side + random.uniform(-1.5, 1.5),
                    static_cast<double>(row) * block_side + random.uniform(-1.5, 1.5)};
    };
    const auto width = [&](std::int64_t which, std::int64_t axis) {
      return 5 + 0.5 * static_cast<double>(hash(town_.options.seed, which, axis) % 5);
    };
    for (std::int64_t column = first_.column; column <= last_.column + 1; ++column) {
      if (column % 2 != 0) continue;
      Road road{{}, width(column, 1)};
      for (std::int64_t row = first_.row; row <= last_.row + 1; ++row) road.line.push_back(crossing(column, row));
      town_.roads.push_back(std::move(road));
    }
    for (std::int64_t row = first_.row; row <= last_.row + 1; ++row) {
      if (row % 2 != 0) continue;
      Road road{{}, width(row, 2)};
      for (std::int64_t column = first_.column; column <= last_.column + 1; ++column) road.line.push_back(crossing(column, row));
      town_.roads.push_back(std::move(road));
    }
    for (const Road& road : town_.roads) park_cars(road);
  }

  void park_cars(const Road& road) {
    for (std::size_t i = 0; i + 1 < road.line.size(); ++i) {
      const Vertex &a = road.line[i], &b = road.line[i + 1];
      Random random(hash(town_.options.seed, static_cast<std::int64_t>(std::floor(a.x)), static_cast<std::int64_t>(std::floor(a.y)), 2));
      const double length = std::sqrt((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y));
      const Vertex along{(b.x - a.x) / length, (b.y - a.y) / length};
      for (double at = 8; at < length - 8; at += 7) {
        if (!random.chance(0.25)) continue;
        const double side = (random.chance(0.5) ? 1 : -1) * (road.width / 2 - 1.1);
        const Vertex centre{a.x + along.x * at - along.y * side, a.y + along.y * at + along.x * side};
        const double ground = town_.terrain(centre.x, centre.y);
        town_.cars.push_back({centre, along, 2.1, 0.85, ground - 0.5, ground + random.uniform(1.4, 1.9), 0});
      }
    }
  }

  void fill(const Block& block) {
    switch (kind_of(block)) {
      case BlockKind::houses:
        build_houses(block);
        plant(block, 9, 5);
        break;
      case BlockKind::gardens:
        build_houses(block);
        plant(block, 18, 10);
        break;
      case BlockKind::flats:
        build_flats(block);
        plant(block, 9, 4);
        break;
      case BlockKind::park:
        lay_lawn(block);
        plant(block, 60, 20);
        break;
      case BlockKind::pond:
        dig_pond(block);
        plant(block, 14, 8);
        break;
      case BlockKind::field: plant(block, 5, 4); break;
    }
  }

  void build(const Vertex& centre, const Vertex& axis, double half_length, double half_width, double height, double rise, RoofShape roof) {
    Building building{{centre, axis, half_length, half_width, 0, 0, rise, roof}, std::numeric_limits<double>::infinity()};
    double highest = -std::numeric_limits<double>::infinity();
    for (const Vertex& corner : building.body.footprint()) {
      const double ground = town_.terrain(corner.x, corner.y);
      building.ground = std::min(building.ground, ground);
      highest = std::max(highest, ground);
    }
    building.body.bottom = building.ground - 1;
    building.body.eave = highest + height;
    town_.buildings.push_back(building);
  }

  void build_houses(const Block& block) {
    Random random = random_of(block, 3);
    for (const double x : {16.5, 33.5}) {
      for (const double y : {16.5, 33.5}) {
        const Vertex centre{block.west() + x + random.uniform(-0.8, 0.8), block.south() + y + random.uniform(-0.8, 0.8)};
        const Vertex axis = direction(random);
        const double half_width = random.uniform(3, 4.4), half_length = half_width + random.uniform(0.6, 1.8);
        const double draw = random.uniform();
        const RoofShape roof = draw < 0.65 ? RoofShape::gabled : draw < 0.85 ? RoofShape::hipped : RoofShape::flat;
        const double rise = roof == RoofShape::flat ? 0 : half_width * random.uniform(0.45, 0.9);
        build(centre, axis, half_length, half_width, random.uniform(2.8, 6.2), rise, roof);
      }
    }
  }

  void build_flats(const Block& block) {
    Random random = random_of(block, 4);
    const Vertex centre{block.west() + 25 + random.uniform(-2, 2), block.south() + 25 + random.uniform(-2, 2)};
    const Vertex axis = random.chance(0.5) ? Vertex{1, 0} : Vertex{0, 1};
    const double height = 3 * std::floor(random.uniform(3, 7));
    build(centre, axis, random.uniform(11, 15), random.uniform(5.5, 7), height, 0, RoofShape::flat);
    // The lift's housing stands on the roof.
    build({centre.x + 4 * axis.x, centre.y + 4 * axis.y}, axis, 2.2, 1.6, height + 2.6, 0, RoofShape::flat);
  }

  void lay_lawn(const Block& block) {
    const double west = block.west() + street_strip - 2, south = block.south() + street_strip - 2;
    const double east = block.west() + block_side - street_strip + 2, north = block.south() + block_side - street_strip + 2;
    town_.vegetation.push_back({{{west, south}, {east, south}, {east, north}, {west, north}}});
  }

  void dig_pond(const Block& block) {
    Random random = random_of(block, 5);
    const double half_x = random.uniform(9, 13), half_y = random.uniform(9, 13);
    Water water{{}, std::numeric_limits<double>::infinity()};
    // Sixteen points of an ellipse, each quarter by the rational parametrisation.
    for (int i = 0; i < 16; ++i) {
      const double t = std::array{0.0, 0.2, 0.42, 0.68}[static_cast<std::size_t>(i % 4)], scale = 1 / (1 + t * t);
      Vertex point{(1 - t * t) * scale, 2 * t * scale};
      for (int quarter = 0; quarter < i / 4; ++quarter) point = {-point.y, point.x};
      water.ring.push_back({block.west() + 25 + half_x * point.x, block.south() + 25 + half_y * point.y});
      water.level = std::min(water.level, town_.terrain(water.ring.back().x, water.ring.back().y));
    }
    water.level -= 0.3;
    town_.waters.push_back(std::move(water));
  }

  /// Trees and shrubs where nothing else stands.
  void plant(const Block& block, int trees, int shrubs) {
    Random random = random_of(block, 7);
    for (int i = 0; i < trees + shrubs; ++i) {
      const bool shrub = i >= trees;
      const Vertex at{block.west() + random.uniform(street_strip, block_side - street_strip),
                      block.south() + random.uniform(street_strip, block_side - street_strip)};
      const double radius = shrub ? random.uniform(0.5, 1.2) : random.uniform(1.6, 3.8);
      const double height = shrub ? random.uniform(0.8, 1.6) : radius * random.uniform(2.4, 3.6);
      if (!is_free(at, shrub ? 1.5 : 2.5)) continue;
      const double ground = town_.terrain(at.x, at.y), half = shrub ? height / 2 : height * 0.36;
      town_.trees.push_back({at, ground, height, radius, ground + height - half, half});
    }
  }

  bool is_free(const Vertex& at, double margin) const noexcept {
    for (std::size_t i = town_.buildings.size(); i-- > 0;) {
      const Solid& body = town_.buildings[i].body;
      // Only the block's own buildings, the last ones added, can be near.
      if (std::abs(body.centre.x - at.x) > block_side || std::abs(body.centre.y - at.y) > block_side) break;
      const double dx = at.x - body.centre.x, dy = at.y - body.centre.y;
      if (std::abs(dx * body.axis.x + dy * body.axis.y) < body.half_length + margin &&
          std::abs(dy * body.axis.x - dx * body.axis.y) < body.half_width + margin)
        return false;
    }
    return town_.waters.empty() || !inside(town_.waters.back().ring, at.x, at.y);
  }

  /// One line across the town from west to east, a little askew, near its middle.
  void hang_power_line() {
    constexpr double span = 60, height = 22, arm = 4;
    const Bounds area = town_.bounds();
    const double middle = std::round((area.min_y + area.max_y) / 2) + 3, lean = 0.08;
    PowerLine line{{}, {}, {-3.5, 0, 3.5}, 1.4};
    const double scale = 1 / std::sqrt(1 + lean * lean);
    const Vertex along{scale, lean * scale};
    for (double x = area.min_x - 50; x < area.max_x + 50 + span; x += span) {
      const Vertex foot{x, middle + lean * (x - (area.min_x + area.max_x) / 2)};
      const double ground = town_.terrain(foot.x, foot.y);
      line.pylons.push_back(foot);
      line.attachments.push_back(ground + height);
      town_.pylons.push_back({foot, along, 0.45, 0.45, ground - 1, ground + height + 1.5, 0});
      town_.pylons.push_back({foot, {-along.y, along.x}, arm, 0.25, ground + height, ground + height + 0.5, 0});
    }
    town_.power_lines.push_back(std::move(line));
  }

  Town town_;
  Block first_{}, last_{};
};

}  // namespace

std::array<Vertex, 4> Solid::footprint() const noexcept {
  const auto corner = [&](double u, double v) {
    return Vertex{centre.x + u * half_length * axis.x - v * half_width * axis.y,
                  centre.y + u * half_length * axis.y + v * half_width * axis.x};
  };
  return {corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)};
}

Bounds Town::bounds() const noexcept {
  return {options.west, options.south, options.west + options.tiles_x * options.size, options.south + options.tiles_y * options.size};
}

Town make_town(const TownOptions& options) {
  check(options);
  return Planner(options).plan();
}

}  // namespace tuile::synth
