#pragma once

#include <cstdint>
#include <vector>

#include "synth/geometry.hpp"
#include "synth/materials.hpp"
#include "synth/object_grid.hpp"
#include "synth/random.hpp"
#include "tuile/synth/town.hpp"

namespace tuile::synth {

inline constexpr double largest_tilt = 200.0 / 550;          ///< of rays: see the scanner's swaths
inline constexpr double tallest = 34;                        ///< of all objects, metres
inline constexpr double reach = tallest * largest_tilt + 2;  ///< how far from its place on bare terrain a ray can end

/// One place where a ray meets something.
struct Hit {
  double z;
  std::uint8_t classification, object_class;  ///< as in TownPoint
  Material material;
  bool opaque = false;
};

/// What covers the ground at a place.
struct Cover {
  Material material;
  std::uint8_t object_class;
  double raised = 0;             ///< above the terrain, metres
  const Water* water = nullptr;  ///< else its surface counts
};

/// The objects of a town, found by place: what rays meet. Keeps a reference to the town. Thread-safe.
class Scene {
 public:
  explicit Scene(const Town& town);
  const Town& town() const noexcept { return town_; }
  const Bounds& area() const noexcept { return area_; }  ///< rays may stand on

  Cover cover(double x, double y) const noexcept;
  /// The first solid on the ray, or `surface`.
  Hit stop(const Ray& ray, const Hit& surface) const noexcept;

  /// Calls met(wire's height) for each wire the ray touches above `floor`.
  template <class Met>
  void for_each_wire(const Ray& ray, double floor, Met met) const;
  /// Calls met(upper, lower) for each crown on the ray; `floor` cuts them.
  template <class Met>
  void for_each_crown(const Ray& ray, double floor, Met met) const;

  /// What a camera straight above sees.
  Material seen_from_above(double x, double y) const;

 private:
  struct Opaque {
    Solid solid;
    std::uint8_t classification, object_class;
    Material top, side;
  };
  struct Strip {
    Vertex from, to;
    double half_width;
  };
  struct Covering {
    const std::vector<Vertex>* ring;
    Material material;
    std::uint8_t object_class;
  };
  struct Wire {
    Vertex from, to;
    double from_height, to_height, sag;
  };
  static std::vector<Opaque> opaques_of(const Town& town);
  static std::vector<Strip> roads_of(const Town& town);
  static std::vector<Strip> railways_of(const Town& town);
  static std::vector<Covering> coverings_of(const Town& town);
  static std::vector<Wire> wires_of(const Town& town);

  const Town& town_;
  Bounds area_;
  std::vector<Opaque> opaques_;
  std::vector<Strip> roads_, railways_;
  std::vector<Covering> coverings_;
  std::vector<Wire> wires_;
  ObjectGrid opaque_grid_, tree_grid_, road_grid_, railway_grid_, wire_grid_, water_grid_, covering_grid_;
};

template <class Met>
void Scene::for_each_wire(const Ray& ray, double floor, Met met) const {
  for (const std::uint32_t i : wire_grid_.at(ray.x, ray.y)) {
    const Wire& wire = wires_[i];
    const double ex = wire.to.x - wire.from.x, ey = wire.to.y - wire.from.y, length_squared = ex * ex + ey * ey;
    // The wire's height changes slowly: two rounds place the ray beside it.
    double z = (wire.from_height + wire.to_height) / 2, along = 0;
    for (int round = 0; round < 2; ++round) {
      along = ((ray.x_at(z) - wire.from.x) * ex + (ray.y - wire.from.y) * ey) / length_squared;
      z = wire.from_height + (wire.to_height - wire.from_height) * along - 4 * wire.sag * along * (1 - along);
    }
    if (along < 0 || along > 1 || z <= floor) continue;
    const double aside = (ray.x_at(z) - wire.from.x) * ey - (ray.y - wire.from.y) * ex;
    if (aside * aside < 0.12 * 0.12 * length_squared) met(z);
  }
}

template <class Met>
void Scene::for_each_crown(const Ray& ray, double floor, Met met) const {
  for (const std::uint32_t i : tree_grid_.at(ray.x, ray.y)) {
    const auto crossing = cross(ray, town_.trees[i]);
    if (crossing && crossing->upper > floor) met(crossing->upper, std::max(crossing->lower, floor));
  }
}

}  // namespace tuile::synth
