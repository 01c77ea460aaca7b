#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tuile/synth/town.hpp"

namespace tuile::synth {

/// Metres per unit of a TownPoint's coordinates, which are absolute.
inline constexpr double point_scale = 0.01;

/// One return, with what a LAS record holds.
struct TownPoint {
  std::int32_t x, y, z;  ///< units of 1 cm, absolute
  std::uint16_t intensity;
  std::uint8_t return_number, number_of_returns;
  std::uint8_t classification;  ///< as LiDAR HD: 1 cars, gravestones and rails, 2, 3, 4, 5, 6, 9, 17, 64 pylons and wires, 65 noise
  /// What the pulse hit: 1 cars, 2 bare ground, 3 4 5 vegetation (grass is 3, and crowns by their height), 6 roofs and walls, 9, 10 tracks
  /// and their ballast, 11 asphalt, 14 wires, 15 pylons, 17 bridges, 65 noise, 70 sports grounds, 71 cemeteries with their stones.
  std::uint8_t object_class;
  bool scan_direction, edge_of_flight_line;
  std::int16_t scan_angle;        ///< units of 0.006°
  std::uint16_t point_source_id;  ///< the swath
  double gps_time;                ///< adjusted standard GPS time
  std::uint16_t red, green, blue, nir;
  bool operator==(const TownPoint&) const = default;
};

/// Flies over a town: two swaths cover every place, from opposite sides, so that both façades of a house are seen.
/// Each pulse is a ray through the town's objects, a pure function of the seed, its swath, line and rank; so tiles can be sampled
/// apart and in any number of strips, and adjoin without gap or overlap. Keeps a reference to the town. Thread-safe.
class Scanner {
 public:
  explicit Scanner(const Town& town);
  ~Scanner();

  /// A run of scan lines of one swath over one tile.
  struct Strip {
    int tile_x, tile_y;
    std::int64_t swath;
    std::int64_t first_line, last_line;  ///< inclusive, by line number; flown from the last to the first where `southward`
    bool southward;
  };
  /// The strips of a tile in the order of time, about `pulses_per_strip` pulses each.
  std::vector<Strip> strips(int tile_x, int tile_y, std::size_t pulses_per_strip = 65536) const;
  /// Appends the tile's points on the strip, in the order of time.
  void sample(const Strip& strip, std::vector<TownPoint>& points) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// All points of a tile, in the order of time. A point belongs to tile floor((x − west) / size), in exact units.
std::vector<TownPoint> sample_tile(const Town& town, int tile_x, int tile_y);

}  // namespace tuile::synth
