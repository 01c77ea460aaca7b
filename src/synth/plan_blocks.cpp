#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "synth/geometry.hpp"
#include "synth/planner.hpp"

namespace tuile::synth {

namespace {

constexpr double street_strip = 5;  ///< kept free along a block's border
constexpr double wall_strip = 7;    ///< likewise, of what has walls
constexpr double overhang = 0.2;    ///< of roofs over walls
constexpr double roof_thickness = 0.15;

/// A direction at random, without trigonometry: the rational parametrisation of the circle.
Vertex direction(Random& random) noexcept {
  const double t = random.uniform(-1, 1), scale = 1 / (1 + t * t);
  return {(1 - t * t) * scale, 2 * t * scale};
}

Solid roof_over(const Solid& body) noexcept {
  Solid roof = body;
  const double steepness = body.rise / body.half_width;
  roof.half_length += overhang;
  roof.half_width += overhang;
  roof.eave -= steepness * overhang;
  roof.rise += steepness * overhang;
  roof.bottom = roof.eave - roof_thickness;
  return roof;
}

/// The roof's edge on the map.
Outline::Ring edge_of(const Solid& roof) {
  Outline::Ring ring;
  for (const Vertex& corner : roof.footprint()) ring.push_back({to_map(corner.x), to_map(corner.y)});
  return ring;
}

/// A rectangle about a centre, along an axis of the grid.
Outline::Ring box(const Vertex& centre, const Vertex& axis, double half_length, double half_width) {
  return edge_of({centre, axis, half_length, half_width, 0, 0, 0});
}

}  // namespace

double to_map(double value) noexcept { return std::round(value * 1000) / 1000; }

std::vector<Vertex> ellipse(const Vertex& centre, double half_x, double half_y) {
  std::vector<Vertex> ring;
  // Each quarter by the rational parametrisation of the circle.
  for (int i = 0; i < 16; ++i) {
    const double t = std::array{0.0, 0.2, 0.42, 0.68}[static_cast<std::size_t>(i % 4)], scale = 1 / (1 + t * t);
    Vertex point{(1 - t * t) * scale, 2 * t * scale};
    for (int quarter = 0; quarter < i / 4; ++quarter) point = {-point.y, point.x};
    ring.push_back({to_map(centre.x + half_x * point.x), to_map(centre.y + half_y * point.y)});
  }
  return ring;
}

std::vector<Vertex> rectangle(double west, double south, double east, double north) {
  return {{west, south}, {east, south}, {east, north}, {west, north}};
}

Town Planner::plan() {
  const Bounds area = town_.bounds().expanded(60);
  first_ = block_at(area.min_x, area.min_y);
  last_ = block_at(area.max_x, area.max_y);
  lay_streets();
  lay_railways();
  for (std::int64_t row = first_.row; row <= last_.row; ++row) {
    for (std::int64_t column = first_.column; column <= last_.column; ++column) fill({column, row});
  }
  hang_power_line();
  return std::move(town_);
}

void Planner::fill(const Block& block) {
  switch (kind_of(town_.options.seed, block)) {
    case BlockKind::houses:
      build_houses(block);
      plant(block, 9, 5, Around::beds);
      break;
    case BlockKind::gardens:
      build_houses(block);
      lay_lawn(block, "Verger");
      plant(block, 18, 10, Around::lawn);
      break;
    case BlockKind::flats:
      build_flats(block);
      plant(block, 9, 4, Around::bare);
      break;
    case BlockKind::park:
      lay_lawn(block, "Bois");
      plant(block, 60, 20, Around::lawn);
      break;
    case BlockKind::pond:
      dig_pond(block);
      plant(block, 14, 8, Around::lawn);
      break;
    case BlockKind::meadow:
      lay_lawn(block, "Lande herbacée");
      hide_waters(block);
      plant(block, 5, 4, Around::lawn);
      break;
    case BlockKind::sports:
      town_.sports_grounds.push_back(
          {cleabs_of("TERR_SPO", block, 1), rectangle(block.west() + 6, block.south() + 9, block.west() + 44, block.south() + 41)});
      break;
    case BlockKind::cemetery: dig_graves(block); break;
  }
}

Building Planner::raise(const Vertex& centre, const Vertex& axis, double half_length, double half_width, double height, double rise,
                        RoofShape roof) const {
  Building building{{centre, axis, half_length, half_width, 0, 0, rise, roof}, {}, std::numeric_limits<double>::infinity()};
  building.body.eave = -std::numeric_limits<double>::infinity();
  for (const Vertex& corner : building.body.footprint()) {
    const double ground = town_.terrain(corner.x, corner.y);
    building.ground = std::min(building.ground, ground);
    building.body.eave = std::max(building.body.eave, ground + height);
  }
  return building;
}

/// One object of the map, of bodies whose eaves are as high as the highest one asks for; those that are not `mapped` stand on it.
void Planner::add_building(const Block& block, int number, std::vector<Building> bodies, const std::vector<std::size_t>& mapped) {
  Outline outline{cleabs_of("BATIMENT", block, number), {}, "Indifférenciée", "Résidentiel", "Imagerie aérienne", bodies[0].ground, 0, 0};
  if (hash(town_.options.seed, block.column, block.row, 30 + number) % 4 == 0) outline.origin = "Lidar HD";
  for (const std::size_t i : mapped) {
    outline.ground = std::min(outline.ground, bodies[i].ground);
    outline.eave = std::max(outline.eave, bodies[i].body.eave);
  }
  for (const std::size_t i : mapped) bodies[i].body.eave = outline.eave;
  for (Building& building : bodies) {
    building.body.bottom = building.ground - 1;
    building.roof = roof_over(building.body);
    outline.ridge = std::max(outline.ridge, building.body.eave + building.body.rise);
    town_.buildings.push_back(building);
  }
  for (const std::size_t i : mapped) outline.parts.push_back({edge_of(bodies[i].roof)});
  town_.outlines.push_back(std::move(outline));
}

void Planner::build_houses(const Block& block) {
  Random random = random_of(block, 3);
  int number = 1;
  for (const double x : {16.5, 33.5}) {
    for (const double y : {16.5, 33.5}) {
      const Vertex centre{block.west() + x + random.uniform(-0.8, 0.8), block.south() + y + random.uniform(-0.8, 0.8)};
      const Vertex axis = direction(random);
      const double half_width = random.uniform(3, 4.4), half_length = half_width + random.uniform(0.6, 1.8);
      const double draw = random.uniform();
      const RoofShape roof = draw < 0.65 ? RoofShape::gabled : draw < 0.85 ? RoofShape::hipped : RoofShape::flat;
      const double rise = roof == RoofShape::flat ? 0 : half_width * random.uniform(0.45, 0.9);
      add_building(block, number++, {raise(centre, axis, half_length, half_width, random.uniform(2.8, 6.2), rise, roof)}, {0});
    }
  }
}

/// A bar with a lift's housing on its roof, four wings around a courtyard, or two bars that are one building.
void Planner::build_flats(const Block& block) {
  Random random = random_of(block, 4);
  const Vertex centre{block.west() + 25 + random.uniform(-2, 2), block.south() + 25 + random.uniform(-2, 2)};
  const Vertex axis = random.chance(0.5) ? Vertex{1, 0} : Vertex{0, 1};
  const double height = 3 * std::floor(random.uniform(3, 7));
  const auto part = [&](double along, double aside, double half_length, double half_width, double above) {
    const Vertex at{centre.x + along * axis.x - aside * axis.y, centre.y + along * axis.y + aside * axis.x};
    return raise(at, axis, half_length, half_width, above, 0, RoofShape::flat);
  };
  switch (random.bits() % 3) {
    case 0:
      add_building(block, 1, {part(0, 0, random.uniform(11, 15), random.uniform(5.5, 7), height), part(4, 0, 2.2, 1.6, height + 2.6)}, {0});
      break;
    case 1: {
      constexpr double depth = 2.5;  // half of a wing's
      const double length = random.uniform(13, 15), width = random.uniform(12, 14);
      add_building(block, 1,
                   {part(0, width - depth, length, depth, height), part(0, depth - width, length, depth, height),
                    part(length - depth, 0, depth, width - 2 * depth, height), part(depth - length, 0, depth, width - 2 * depth, height)},
                   {0, 1, 2, 3});
      // The wings touch: on the map they are one, with a hole.
      Outline& outline = town_.outlines.back();
      outline.parts = {{box(centre, axis, length + overhang, width + overhang),
                        box(centre, axis, length - 2 * depth - overhang, width - 2 * depth - overhang)}};
      break;
    }
    default: {
      const double length = random.uniform(11, 15);
      add_building(block, 1, {part(0, 9, length, 4.5, height), part(0, -9, length, 4.5, height)}, {0, 1});
    }
  }
}

void Planner::lay_lawn(const Block& block, const std::string& nature) {
  town_.vegetation.push_back({cleabs_of("ZONEVEGE", block, 0),
                              nature,
                              rectangle(block.west() + street_strip, block.south() + street_strip, block.west() + block_side - street_strip,
                                        block.south() + block_side - street_strip),
                              {}});
}

/// A pond in a level meadow, and a footbridge over it.
void Planner::dig_pond(const Block& block) {
  Random random = random_of(block, 5);
  const double half_x = random.uniform(8, 11), half_y = random.uniform(8, 11);
  const Vertex centre = block.centre();
  const double level = town_.terrain(centre.x, centre.y);
  town_.waters.push_back({cleabs_of("SURF_EAU", block, 1), ellipse(centre, half_x, half_y), level - 0.2});
  lay_lawn(block, "Lande herbacée");
  town_.vegetation.back().hole = town_.waters.back().ring;
  const bool across = random.chance(0.5);
  town_.bridges.push_back(
      {cleabs_of("CONSSURF", block, 1),
       {centre, across ? Vertex{0, 1} : Vertex{1, 0}, to_map((across ? half_y : half_x) + 1.5), 2, level + 0.1, level + 0.5, 0}});
}

/// A reservoir under the meadow, and a pool that holds water in wet winters only.
void Planner::hide_waters(const Block& block) {
  const double y = block.south() + 25;
  town_.hidden_waters.push_back({cleabs_of("SURF_EAU", block, 2), rectangle(block.west() + 8, y - 12, block.west() + 20, y + 12), true});
  town_.hidden_waters.push_back({cleabs_of("SURF_EAU", block, 3), ellipse({block.west() + 34, y}, 8, 11), false});
}

void Planner::dig_graves(const Block& block) {
  town_.cemeteries.push_back(
      {cleabs_of("CIMETIER", block, 1), rectangle(block.west() + wall_strip, block.south() + wall_strip,
                                                  block.west() + block_side - wall_strip, block.south() + block_side - wall_strip)});
  Random random = random_of(block, 8);
  for (double x = 10; x <= 40; x += 2.5) {
    for (double y = 10; y <= 40; y += 3) {
      if (!random.chance(0.8)) continue;
      const Vertex at{block.west() + x, block.south() + y};
      const double ground = town_.terrain(at.x, at.y);
      town_.gravestones.push_back({at, {0, 1}, 1, 0.4, ground - 0.5, ground + random.uniform(0.3, 0.9), 0});
    }
  }
}

/// Trees and shrubs where nothing else stands.
void Planner::plant(const Block& block, int trees, int shrubs, Around around) {
  Random random = random_of(block, 7);
  for (int i = 0; i < trees + shrubs; ++i) {
    const bool shrub = i >= trees;
    const double radius = shrub ? random.uniform(0.5, 1.2) : random.uniform(1.6, 3.8);
    const double height = shrub ? random.uniform(0.8, 1.6) : radius * random.uniform(2.4, 3.6);
    const double border = street_strip + radius + 0.3;
    const double x = block.west() + random.uniform(border, block_side - border);
    const Vertex at{to_map(x), to_map(block.south() + random.uniform(border, block_side - border))};
    if (!is_free(at, radius + 0.5)) continue;
    const double ground = town_.terrain(at.x, at.y), half = shrub ? height / 2 : height * 0.36;
    town_.trees.push_back({at, ground, height, radius, ground + height - half, half});
    if (around == Around::lawn) continue;
    // The ring's corners lie outside the crown, so that its sides do not cut it.
    const double ring = radius * 1.025 + 0.05;
    town_.vegetation.push_back(
        {cleabs_of("ZONEVEGE", block, i + 1), shrub ? "Haie" : "Zone arborée", ellipse(at, ring, ring), {}, around == Around::beds});
  }
}

bool Planner::is_free(const Vertex& at, double radius) const noexcept {
  for (std::size_t i = town_.buildings.size(); i-- > 0;) {
    const Solid& body = town_.buildings[i].body;
    // Only the block's own buildings, the last ones added, can be near.
    if (std::abs(body.centre.x - at.x) > block_side || std::abs(body.centre.y - at.y) > block_side) break;
    const double dx = at.x - body.centre.x, dy = at.y - body.centre.y;
    if (std::abs(dx * body.axis.x + dy * body.axis.y) < body.half_length + radius &&
        std::abs(dy * body.axis.x - dx * body.axis.y) < body.half_width + radius)
      return false;
  }
  if (town_.waters.empty()) return true;
  const Bounds water = box_of(town_.waters.back().ring);
  const double dx = (at.x - (water.min_x + water.max_x) / 2) / (water.width() / 2 + radius),
               dy = (at.y - (water.min_y + water.max_y) / 2) / (water.height() / 2 + radius);
  return dx * dx + dy * dy > 1;
}

}  // namespace tuile::synth
