#include "synth/scene.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace tuile::synth {

namespace {

template <class Objects, class Box>
ObjectGrid grid_over(const Bounds& area, const Objects& objects, Box box) {
  std::vector<Bounds> boxes;
  boxes.reserve(objects.size());
  for (const auto& object : objects) boxes.push_back(box(object));
  return ObjectGrid(area, 8, boxes);
}

}  // namespace

std::vector<Scene::Opaque> Scene::opaques_of(const Town& town) {
  std::vector<Opaque> opaques;
  for (const Building& building : town.buildings) {
    const Material top = building.body.roof == RoofShape::flat ? Material::gravel : Material::tiles;
    opaques.push_back({building.body, 6, 6, top, Material::facade});
    opaques.push_back({building.roof, 6, 6, top, top});
  }
  for (const Bridge& bridge : town.bridges) opaques.push_back({bridge.deck, 17, 17, Material::asphalt, Material::facade});
  for (const Solid& car : town.cars) opaques.push_back({car, 1, 1, Material::metal, Material::metal});
  for (const Solid& stone : town.gravestones) opaques.push_back({stone, 1, 71, Material::facade, Material::facade});
  for (const Solid& pylon : town.pylons) opaques.push_back({pylon, 64, 15, Material::metal, Material::metal});
  return opaques;
}

std::vector<Scene::Strip> Scene::roads_of(const Town& town) {
  std::vector<Strip> strips;
  for (const Road& road : town.roads) {
    for (std::size_t i = 0; i + 1 < road.line.size(); ++i) strips.push_back({road.line[i], road.line[i + 1], road.half_asphalt()});
  }
  return strips;
}

std::vector<Scene::Strip> Scene::railways_of(const Town& town) {
  std::vector<Strip> strips;
  for (const Railway& railway : town.railways) {
    for (std::size_t i = 0; i + 1 < railway.line.size(); ++i) strips.push_back({railway.line[i], railway.line[i + 1], railway.half_bed()});
  }
  return strips;
}

std::vector<Scene::Covering> Scene::coverings_of(const Town& town) {
  std::vector<Covering> coverings;
  for (const Ground& ground : town.sports_grounds) coverings.push_back({&ground.ring, Material::clay, 70});
  for (const Ground& ground : town.cemeteries) coverings.push_back({&ground.ring, Material::gravel, 71});
  for (const VegetationArea& area : town.vegetation) {
    if (area.grass) coverings.push_back({&area.ring, Material::grass, 3});
  }
  return coverings;
}

std::vector<Scene::Wire> Scene::wires_of(const Town& town) {
  std::vector<Wire> wires;
  for (const PowerLine& line : town.power_lines) {
    for (std::size_t i = 0; i + 1 < line.pylons.size(); ++i) {
      const Vertex &a = line.pylons[i], &b = line.pylons[i + 1];
      const double length = std::sqrt((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y));
      for (const double offset : line.wire_offsets) {
        const Vertex aside{-(b.y - a.y) / length * offset, (b.x - a.x) / length * offset};
        wires.push_back(
            {{a.x + aside.x, a.y + aside.y}, {b.x + aside.x, b.y + aside.y}, line.attachments[i], line.attachments[i + 1], line.sag});
      }
    }
  }
  return wires;
}

Scene::Scene(const Town& town)
    : town_(town),
      area_(town.bounds().expanded(reach + 5)),
      opaques_(opaques_of(town)),
      roads_(roads_of(town)),
      railways_(railways_of(town)),
      coverings_(coverings_of(town)),
      wires_(wires_of(town)),
      opaque_grid_(grid_over(area_, opaques_,
                             [](const Opaque& o) {
                               // What stands on the ground is met near its foot; roofs and the arms of pylons hang high above.
                               const bool hangs = o.object_class == 6 || o.object_class == 15;
                               const double height = o.solid.eave + o.solid.rise - o.solid.bottom;
                               return box_of(o.solid.footprint()).expanded(hangs ? reach : height * largest_tilt + 2);
                             })),
      tree_grid_(grid_over(
          area_, town.trees,
          [](const Tree& t) {
            return Bounds{t.position.x, t.position.y, t.position.x, t.position.y}.expanded(t.crown_radius + t.height * largest_tilt + 1);
          })),
      road_grid_(grid_over(area_, roads_,
                           [](const Strip& s) {
                             return box_of(std::array{s.from, s.to}).expanded(s.half_width);
                           })),
      railway_grid_(grid_over(area_, railways_,
                              [](const Strip& s) {
                                return box_of(std::array{s.from, s.to}).expanded(s.half_width);
                              })),
      wire_grid_(grid_over(area_, wires_,
                           [](const Wire& w) {
                             return box_of(std::array{w.from, w.to}).expanded(reach);
                           })),
      water_grid_(grid_over(area_, town.waters, [](const Water& w) { return box_of(w.ring); })),
      covering_grid_(grid_over(area_, coverings_, [](const Covering& c) { return box_of(*c.ring); })) {}

Cover Scene::cover(double x, double y) const noexcept {
  for (const std::uint32_t i : water_grid_.at(x, y)) {
    if (inside(town_.waters[i].ring, x, y)) return {Material::water, 9, 0, &town_.waters[i]};
  }
  for (const std::uint32_t i : railway_grid_.at(x, y)) {
    const Strip& railway = railways_[i];
    // Straight from section to section, without the round ends of roads.
    const double ex = railway.to.x - railway.from.x, ey = railway.to.y - railway.from.y, length = std::sqrt(ex * ex + ey * ey);
    const double along = ((x - railway.from.x) * ex + (y - railway.from.y) * ey) / length;
    const double aside = std::abs((x - railway.from.x) * ey - (y - railway.from.y) * ex) / length;
    if (along < 0 || along > length || aside > railway.half_width) continue;
    // Rails of 1.435 m gauge in the middle of each track.
    const double from_track = std::abs(std::fmod(aside, 3.5) - 1.75);
    if (std::abs(from_track - 0.7175) < 0.05) return {Material::metal, 10, 0.15};
    return {Material::gravel, 10};
  }
  for (const std::uint32_t i : road_grid_.at(x, y)) {
    const Strip& road = roads_[i];
    if (squared_distance_to_segment(road.from, road.to, x, y) <= road.half_width * road.half_width) return {Material::asphalt, 11};
  }
  for (const std::uint32_t i : covering_grid_.at(x, y)) {
    if (inside(*coverings_[i].ring, x, y)) return {coverings_[i].material, coverings_[i].object_class};
  }
  const bool bare = hash(town_.options.seed, static_cast<std::int64_t>(x / 25), static_cast<std::int64_t>(y / 25)) % 3 != 0;
  return {bare ? Material::soil : Material::gravel, 2};
}

Hit Scene::stop(const Ray& ray, const Hit& surface) const noexcept {
  Hit hit = surface;
  for (const std::uint32_t i : opaque_grid_.at(ray.x, ray.y)) {
    const Opaque& opaque = opaques_[i];
    const auto crossing = cross(ray, opaque.solid);
    if (!crossing || crossing->upper <= hit.z) continue;
    hit = {crossing->upper, opaque.classification, opaque.object_class, crossing->wall ? opaque.side : opaque.top, true};
  }
  return hit;
}

Material Scene::seen_from_above(double x, double y) const {
  const Cover under = cover(x, y);
  const double ground = town_.terrain(x, y);
  const Ray ray{x, y, ground, 0};
  const Hit stopped = stop(ray, {under.water ? under.water->level : ground + under.raised, 0, 0, under.material, true});
  double highest = stopped.z;
  Material seen = stopped.material;
  for_each_crown(ray, highest, [&](double upper, double) {
    if (upper <= highest) return;
    highest = upper;
    seen = Material::leaves;
  });
  for_each_wire(ray, highest, [&](double) { seen = Material::metal; });
  return seen;
}

}  // namespace tuile::synth
