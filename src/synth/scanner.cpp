#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <span>

#include "synth/geometry.hpp"
#include "synth/materials.hpp"
#include "synth/object_grid.hpp"
#include "synth/random.hpp"
#include "tuile/synth/sampling.hpp"

namespace tuile::synth {
namespace {

constexpr double swath_step = 200;     ///< between flight lines; a swath reaches one step to both sides
constexpr double flying_height = 550;  ///< so that the outermost pulse leans 20°
constexpr double largest_tilt = swath_step / flying_height;
constexpr double flying_speed = 60;                   ///< m/s
constexpr double tallest = 34;                        ///< of all objects, metres
constexpr double reach = tallest * largest_tilt + 2;  ///< how far from its place on bare terrain a pulse can return
constexpr double least_separation = 0.5;              ///< of two returns of a pulse, metres
constexpr std::size_t most_returns = 5;
constexpr double first_time = 300000000;  ///< adjusted standard GPS time of the first swath

/// One place where a pulse is sent back.
struct Hit {
  double z;
  std::uint8_t classification;
  Material material;
  bool opaque = false;
};

/// Angle in degrees from its tangent, |tangent| ≤ 0.4: the series, so as not to depend on a maths library.
double degrees(double tangent) noexcept {
  const double square = tangent * tangent;
  return tangent * (1 - square * (1.0 / 3 - square * (1.0 / 5 - square * (1.0 / 7 - square * (1.0 / 9 - square / 11))))) *
         57.29577951308232;
}

template <class Objects, class Box>
ObjectGrid grid_over(const Bounds& area, const Objects& objects, Box box) {
  std::vector<Bounds> boxes;
  boxes.reserve(objects.size());
  for (const auto& object : objects) boxes.push_back(box(object));
  return ObjectGrid(area, 8, boxes);
}

struct Segment {
  Vertex from, to;
  double half_width;
};

std::vector<Segment> segments_of(const std::vector<Road>& roads) {
  std::vector<Segment> segments;
  for (const Road& road : roads) {
    for (std::size_t i = 0; i + 1 < road.line.size(); ++i) segments.push_back({road.line[i], road.line[i + 1], road.width / 2});
  }
  return segments;
}

/// Between two pylons, one wire.
struct Wire {
  Vertex from, to;
  double from_height, to_height, sag;
};

std::vector<Wire> wires_of(const std::vector<PowerLine>& lines) {
  std::vector<Wire> wires;
  for (const PowerLine& line : lines) {
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

struct Opaque {
  const Solid* solid;
  std::uint8_t classification;
  Material roof, wall;
};

std::vector<Opaque> opaques_of(const Town& town) {
  std::vector<Opaque> opaques;
  for (const Building& building : town.buildings) {
    opaques.push_back({&building.body, 6, building.body.roof == RoofShape::flat ? Material::gravel : Material::tiles, Material::facade});
  }
  for (const Solid& car : town.cars) opaques.push_back({&car, 1, Material::metal, Material::metal});
  for (const Solid& pylon : town.pylons) opaques.push_back({&pylon, 64, Material::metal, Material::metal});
  return opaques;
}

}  // namespace

struct Scanner::Impl {
  const Town& town;
  Bounds area;
  std::vector<Opaque> opaques;
  std::vector<Segment> roads;
  std::vector<Wire> wires;
  ObjectGrid opaque_grid, tree_grid, road_grid, wire_grid, water_grid, lawn_grid;
  double spacing;                      ///< of scan lines, and about of the pulses of a line
  std::int64_t line_pulses;            ///< pulses of one line
  std::int64_t first_line, last_line;  ///< of the whole town
  std::int64_t first_swath;
  std::int64_t size_units, west_units, south_units;

  explicit Impl(const Town& of)
      : town(of),
        area(of.bounds().expanded(reach + 5)),
        opaques(opaques_of(of)),
        roads(segments_of(of.roads)),
        wires(wires_of(of.power_lines)),
        opaque_grid(grid_over(area, opaques, [](const Opaque& o) { return box_of(o.solid->footprint()).expanded(reach); })),
        tree_grid(grid_over(
            area, of.trees,
            [](const Tree& t) {
              return Bounds{t.position.x, t.position.y, t.position.x, t.position.y}.expanded(t.crown_radius + t.height * largest_tilt + 1);
            })),
        road_grid(grid_over(area, roads,
                            [](const Segment& s) {
                              return box_of(std::array{s.from, s.to}).expanded(s.half_width);
                            })),
        wire_grid(grid_over(area, wires,
                            [](const Wire& w) {
                              return box_of(std::array{w.from, w.to}).expanded(reach);
                            })),
        water_grid(grid_over(area, of.waters, [](const Water& w) { return box_of(w.ring); })),
        lawn_grid(grid_over(area, of.vegetation, [](const VegetationArea& v) { return box_of(v.ring); })),
        spacing(std::sqrt(2 / of.options.density)),
        line_pulses(std::llround(2 * swath_step / spacing)),
        first_line(line_at(area.min_y)),
        last_line(line_at(area.max_y)),
        first_swath(static_cast<std::int64_t>(std::floor(area.min_x / swath_step))),
        size_units(std::llround(of.options.size / point_scale)),
        west_units(std::llround(of.options.west / point_scale)),
        south_units(std::llround(of.options.south / point_scale)) {
    line_pulses = std::max<std::int64_t>(line_pulses, 1);
  }

  std::int64_t line_at(double y) const noexcept { return static_cast<std::int64_t>(std::floor(y / spacing)); }

  /// Collects a pulse's returns.
  class Hits {
   public:
    void add(const Hit& hit) noexcept {
      if (count_ < hits_.size()) hits_[count_++] = hit;
    }
    /// At most `most_returns`, from above. Of two too close to tell apart the upper one stays, unless the lower one is opaque.
    std::span<const Hit> resolve() noexcept {
      std::sort(hits_.begin(), hits_.begin() + static_cast<std::ptrdiff_t>(count_), [](const Hit& a, const Hit& b) { return a.z > b.z; });
      std::size_t kept = 0;
      for (std::size_t i = 0; i < count_; ++i) {
        while (hits_[i].opaque && kept > 0 && hits_[kept - 1].z - hits_[i].z < least_separation) --kept;
        if (kept > 0 && hits_[kept - 1].z - hits_[i].z < least_separation) continue;
        if (kept == most_returns) {
          if (!hits_[i].opaque) continue;
          --kept;
        }
        hits_[kept++] = hits_[i];
      }
      return {hits_.data(), kept};
    }

   private:
    std::array<Hit, 16> hits_;
    std::size_t count_ = 0;
  };

  /// The first opaque thing on the ray: a building, a car, a pylon, else the ground or water.
  Hit stop(const Ray& ray, Random& random) const noexcept {
    Hit hit = surface(ray, random);
    for (const std::uint32_t i : opaque_grid.at(ray.x, ray.y)) {
      const auto crossing = cross(ray, *opaques[i].solid);
      if (!crossing || crossing->upper <= hit.z) continue;
      hit = {crossing->upper, opaques[i].classification, crossing->wall ? opaques[i].wall : opaques[i].roof, true};
    }
    return hit;
  }

  Hit surface(const Ray& ray, Random& random) const noexcept {
    for (const std::uint32_t i : water_grid.at(ray.x, ray.y)) {
      if (inside(town.waters[i].ring, ray.x, ray.y)) return {town.waters[i].level, 9, Material::water, true};
    }
    for (const std::uint32_t i : road_grid.at(ray.x, ray.y)) {
      const Segment& road = roads[i];
      if (squared_distance_to_segment(road.from, road.to, ray.x, ray.y) <= road.half_width * road.half_width)
        return {ray.ground, 2, Material::asphalt, true};
    }
    bool lawn = false;
    for (const std::uint32_t i : lawn_grid.at(ray.x, ray.y)) lawn = lawn || inside(town.vegetation[i].ring, ray.x, ray.y);
    // Grass sends a pulse back from its blades or from its soil, never both apart.
    if (random.chance(lawn ? 0.25 : 0.04)) return {ray.ground + random.uniform(0.06, 0.42), 3, Material::grass, true};
    return {ray.ground, 2,
            lawn || hash(town.options.seed, static_cast<std::int64_t>(ray.x / 25), static_cast<std::int64_t>(ray.y / 25)) % 3 != 0
                ? Material::grass
                : Material::soil,
            true};
  }

  void add_wires(const Ray& ray, double floor, Hits& hits, Random& random) const noexcept {
    for (const std::uint32_t i : wire_grid.at(ray.x, ray.y)) {
      const Wire& wire = wires[i];
      const double ex = wire.to.x - wire.from.x, ey = wire.to.y - wire.from.y, length_squared = ex * ex + ey * ey;
      // The wire's height changes slowly: two rounds place the ray beside it.
      double z = (wire.from_height + wire.to_height) / 2, along = 0;
      for (int round = 0; round < 2; ++round) {
        along = ((ray.x_at(z) - wire.from.x) * ex + (ray.y - wire.from.y) * ey) / length_squared;
        z = wire.from_height + (wire.to_height - wire.from_height) * along - 4 * wire.sag * along * (1 - along);
      }
      if (along < 0 || along > 1 || z <= floor) continue;
      const double aside = (ray.x_at(z) - wire.from.x) * ey - (ray.y - wire.from.y) * ex;
      if (aside * aside < 0.12 * 0.12 * length_squared && random.chance(0.8)) hits.add({z, 64, Material::metal});
    }
  }

  /// True where the pulse gets through the crowns.
  bool add_crowns(const Ray& ray, double floor, Hits& hits, Random& random) const noexcept {
    double energy = 1;
    for (const std::uint32_t i : tree_grid.at(ray.x, ray.y)) {
      const auto crossing = cross(ray, town.trees[i]);
      if (!crossing || crossing->upper <= floor) continue;
      const double lower = std::max(crossing->lower, floor), depth = crossing->upper - lower;
      const auto leaf = [&](double z) {
        const double above = z - ray.ground;
        hits.add({z, static_cast<std::uint8_t>(above < 0.5 ? 3 : above < 1.5 ? 4 : 5), Material::leaves});
      };
      if (random.chance(0.9)) leaf(crossing->upper - random.uniform() * std::min(0.8, depth));
      if (random.chance(0.4)) leaf(lower + random.uniform() * depth * 0.7);
      energy *= random.uniform();
    }
    return energy > 0.35;
  }

  /// Appends the pulse's points that lie in the tile.
  void pulse(const Strip& strip, std::int64_t line, std::int64_t rank, std::vector<TownPoint>& points) const {
    Random random(hash(town.options.seed, strip.swath, line, rank));
    const double sweep = (static_cast<double>(rank) + 0.5) / static_cast<double>(line_pulses);
    // Lines are flown to and fro: the aircraft moves on by one spacing during each.
    const bool rightward = (line & 1) != 0;
    const double centre = static_cast<double>(strip.swath) * swath_step;
    Ray ray{};
    ray.x = centre + (2 * sweep - 1) * swath_step + 0.2 * spacing * random.normal();
    ray.y = (static_cast<double>(line) + (rightward ? sweep : 1 - sweep)) * spacing + 0.1 * spacing * random.normal();
    if (!area.contains(ray.x, ray.y)) return;
    ray.tilt = (ray.x - centre) / flying_height;
    ray.ground = town.terrain(ray.x, ray.y);

    const Hit stopped = stop(ray, random);
    Hits hits;
    if (random.chance(1.5e-5)) {
      // A bird, or a path longer than it seems.
      hits.add({ray.ground + (random.chance(0.7) ? random.uniform(35, 80) : -random.uniform(4, 15)), 65, Material::noise, true});
      ray.tilt = 0;
    } else {
      add_wires(ray, stopped.z, hits, random);
      const bool through = add_crowns(ray, stopped.z, hits, random);
      // Water mirrors all but the steepest pulses away.
      const bool lost = stopped.material == Material::water && !random.chance(std::abs(ray.tilt) < 0.05 ? 0.5 : 0.15);
      if (through && !lost) hits.add(stopped);
    }
    emit(strip, line, rank, ray, hits.resolve(), random, points);
  }

  void emit(const Strip& strip, std::int64_t line, std::int64_t rank, const Ray& ray, std::span<const Hit> hits, Random& random,
            std::vector<TownPoint>& points) const {
    const std::int64_t flown = strip.southward ? last_line - line : line - first_line;
    const std::int64_t fired = (line & 1) != 0 ? rank : line_pulses - 1 - rank;
    const double line_time = spacing / flying_speed;
    const std::uint8_t count = static_cast<std::uint8_t>(hits.size());
    for (std::size_t i = 0; i < hits.size(); ++i) {
      const Hit& hit = hits[i];
      TownPoint point{};
      point.x = static_cast<std::int32_t>(std::llround((ray.x_at(hit.z) + 0.015 * random.normal()) / point_scale));
      point.y = static_cast<std::int32_t>(std::llround((ray.y + 0.015 * random.normal()) / point_scale));
      point.z = static_cast<std::int32_t>(std::llround((hit.z + (hit.classification == 9 ? 0.01 : 0.02) * random.normal()) / point_scale));
      const Appearance& look = appearance(hit.material);
      point.intensity = seen(look.intensity, 1 / static_cast<double>(hits.size()), random);
      if (town.options.point_format == 8) {
        point.red = seen(look.red, 256, random);
        point.green = seen(look.green, 256, random);
        point.blue = seen(look.blue, 256, random);
        point.nir = seen(look.nir, 256, random);
      }
      const std::int64_t east = point.x - west_units, north = point.y - south_units;
      if (east < strip.tile_x * size_units || east >= (strip.tile_x + 1) * size_units || north < strip.tile_y * size_units ||
          north >= (strip.tile_y + 1) * size_units) {
        continue;
      }
      point.return_number = static_cast<std::uint8_t>(i + 1);
      point.number_of_returns = count;
      point.classification = hit.classification;
      point.scan_direction = ((line & 1) != 0) != strip.southward;
      point.edge_of_flight_line = fired == 0 || fired == line_pulses - 1;
      point.scan_angle = static_cast<std::int16_t>(std::lround(degrees(strip.southward ? -ray.tilt : ray.tilt) / 0.006));
      point.point_source_id = static_cast<std::uint16_t>(strip.swath - first_swath + 1);
      point.gps_time = first_time + static_cast<double>(strip.swath - first_swath) * 4000 +
                       (static_cast<double>(flown) + static_cast<double>(fired) / static_cast<double>(line_pulses)) * line_time;
      points.push_back(point);
    }
  }
};

Scanner::Scanner(const Town& town) : impl_(std::make_unique<Impl>(town)) {}
Scanner::~Scanner() = default;

std::vector<Scanner::Strip> Scanner::strips(int tile_x, int tile_y, std::size_t pulses_per_strip) const {
  const TownOptions& options = impl_->town.options;
  const double west = options.west + tile_x * options.size, south = options.south + tile_y * options.size;
  const std::int64_t bottom = impl_->line_at(south - 1) - 1, top = impl_->line_at(south + options.size + 1) + 1;
  const double per_line = std::min(options.size + 2 * reach, 2 * swath_step) / impl_->spacing;
  const auto lines = std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(pulses_per_strip) / per_line));
  // Swath s covers [s − 1, s + 1) steps.
  const auto first = static_cast<std::int64_t>(std::floor((west - reach) / swath_step)),
             last = static_cast<std::int64_t>(std::floor((west + options.size + reach) / swath_step)) + 1;
  std::vector<Strip> strips;
  for (std::int64_t swath = first; swath <= last; ++swath) {
    const bool southward = (swath & 1) != 0;
    for (std::int64_t done = 0; done <= top - bottom; done += lines) {
      const std::int64_t count = std::min(lines, top - bottom + 1 - done);
      const std::int64_t lowest = southward ? top - done - count + 1 : bottom + done;
      strips.push_back({tile_x, tile_y, swath, lowest, lowest + count - 1, southward});
    }
  }
  return strips;
}

void Scanner::sample(const Strip& strip, std::vector<TownPoint>& points) const {
  const TownOptions& options = impl_->town.options;
  const double west = options.west + strip.tile_x * options.size - reach, east = west + options.size + 2 * reach;
  const double swath_west = (static_cast<double>(strip.swath) - 1) * swath_step;
  const auto rank_at = [&](double x) {
    return static_cast<std::int64_t>(std::floor((x - swath_west) / (2 * swath_step) * static_cast<double>(impl_->line_pulses)));
  };
  const std::int64_t first = std::clamp<std::int64_t>(rank_at(west), 0, impl_->line_pulses),
                     last = std::clamp<std::int64_t>(rank_at(east) + 1, 0, impl_->line_pulses);
  const std::int64_t lines = strip.last_line - strip.first_line + 1;
  for (std::int64_t i = 0; i < lines; ++i) {
    const std::int64_t line = strip.southward ? strip.last_line - i : strip.first_line + i;
    const bool rightward = (line & 1) != 0;
    for (std::int64_t k = first; k < last; ++k) impl_->pulse(strip, line, rightward ? k : last - 1 - (k - first), points);
  }
}

std::vector<TownPoint> sample_tile(const Town& town, int tile_x, int tile_y) {
  const Scanner scanner(town);
  std::vector<TownPoint> points;
  for (const Scanner::Strip& strip : scanner.strips(tile_x, tile_y)) scanner.sample(strip, points);
  return points;
}

}  // namespace tuile::synth
