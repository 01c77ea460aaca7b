#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <span>

#include "synth/sampling.hpp"
#include "synth/scene.hpp"

namespace tuile::synth {
namespace {

constexpr double swath_step = 200;     ///< between flight lines; a swath reaches one step to both sides
constexpr double flying_height = 550;  ///< so that the outermost pulse leans 20°
static_assert(largest_tilt == swath_step / flying_height);
constexpr double flying_speed = 60;       ///< m/s
constexpr double least_separation = 0.5;  ///< of two returns of a pulse, metres
constexpr std::size_t most_returns = 5;
constexpr double first_time = 300000000;  ///< adjusted standard GPS time of the first swath

/// Angle in degrees from its tangent, |tangent| ≤ 0.4: the series, so as not to depend on a maths library.
double degrees(double tangent) noexcept {
  const double square = tangent * tangent;
  return tangent * (1 - square * (1.0 / 3 - square * (1.0 / 5 - square * (1.0 / 7 - square * (1.0 / 9 - square / 11))))) *
         57.29577951308232;
}

}  // namespace

struct Scanner::Impl {
  const Town& town;
  Scene scene;
  double spacing;                      ///< of scan lines, and about of the pulses of a line
  std::int64_t line_pulses;            ///< pulses of one line
  std::int64_t first_line, last_line;  ///< of the whole town
  std::int64_t first_swath;
  std::int64_t size_units, west_units, south_units;

  explicit Impl(const Town& of)
      : town(of),
        scene(of),
        spacing(std::sqrt(2 / of.options.density)),
        line_pulses(std::llround(2 * swath_step / spacing)),
        first_line(line_at(scene.area().min_y)),
        last_line(line_at(scene.area().max_y)),
        first_swath(static_cast<std::int64_t>(std::floor(scene.area().min_x / swath_step))),
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

  /// Where the pulse meets the ground or what covers it.
  Hit surface(const Ray& ray, Random& random) const noexcept {
    const Cover cover = scene.cover(ray.x, ray.y);
    if (cover.water) return {cover.water->level, 9, 9, Material::water, true};
    if (cover.raised > 0) return {ray.ground + cover.raised, 1, cover.object_class, cover.material, true};
    const bool grass = cover.material == Material::grass;
    // Grass sends a pulse back from its blades or from its soil, never both apart; weeds stand on bare ground.
    if ((grass && random.chance(0.25)) || (cover.object_class == 2 && random.chance(0.01)))
      return {ray.ground + random.uniform(0.06, 0.42), 3, 3, Material::grass, true};
    return {ray.ground, 2, cover.object_class, cover.material, true};
  }

  /// Whether the pulse gets through the crowns, whose returns it adds.
  bool add_crowns(const Ray& ray, double floor, Hits& hits, Random& random) const {
    double energy = 1;
    scene.for_each_crown(ray, floor, [&](double upper, double lower) {
      const double depth = upper - lower;
      const auto leaf = [&](double z) {
        const double above = z - ray.ground;
        const auto by_height = static_cast<std::uint8_t>(above < 0.5 ? 3 : above < 1.5 ? 4 : 5);
        hits.add({z, by_height, by_height, Material::leaves});
      };
      if (random.chance(0.9)) leaf(upper - random.uniform() * std::min(0.8, depth));
      if (random.chance(0.4)) leaf(lower + random.uniform() * depth * 0.7);
      energy *= random.uniform();
    });
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
    if (!scene.area().contains(ray.x, ray.y)) return;
    ray.tilt = (ray.x - centre) / flying_height;
    ray.ground = town.terrain(ray.x, ray.y);

    const Hit stopped = scene.stop(ray, surface(ray, random));
    Hits hits;
    if (random.chance(1.5e-5)) {
      // A bird, or a path longer than it seems.
      hits.add({ray.ground + (random.chance(0.7) ? random.uniform(35, 80) : -random.uniform(4, 15)), 65, 65, Material::noise, true});
      ray.tilt = 0;
    } else {
      scene.for_each_wire(ray, stopped.z, [&](double z) {
        if (random.chance(0.8)) hits.add({z, 64, 14, Material::metal});
      });
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
      point.object_class = hit.object_class;
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
