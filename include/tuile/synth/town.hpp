#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::synth {

/// What town to make. Lambert-93 (EPSG:2154), metres.
struct TownOptions {
  int tiles_x = 3, tiles_y = 3;           ///< tiles from west to east and from south to north; at most 400 km² together
  double size = 200;                      ///< side of a tile, metres, whole centimetres, 1 to 10 000
  double density = 20;                    ///< laser pulses per m², 0.1 to 1000
  std::uint64_t seed = 1;                 ///< same seed and options, same bytes
  int point_format = 6;                   ///< 6, or 8 with colours and near infrared
  double west = 870000, south = 6617000;  ///< south-west corner, whole metres
};

struct Vertex {
  double x, y;
};

enum class RoofShape : std::uint8_t { flat, gabled, hipped };

/// A prism over a rectangle, its roof included; also the shape of cars and pylons.
struct Solid {
  Vertex centre;
  Vertex axis;  ///< unit vector along the longer side
  double half_length, half_width;
  double bottom, eave, rise;  ///< absolute heights of foot and eaves; from the eaves to the ridge
  RoofShape roof = RoofShape::flat;
  /// Corners, counter-clockwise.
  std::array<Vertex, 4> footprint() const noexcept;
};

struct Building {
  Solid body;
  double ground;  ///< lowest terrain along the walls
};

struct Road {
  std::vector<Vertex> line;
  double width;  ///< of the carriageway
};

struct Water {
  std::vector<Vertex> ring;  ///< convex, counter-clockwise, not closed
  double level;
};

struct VegetationArea {
  std::vector<Vertex> ring;  ///< convex, counter-clockwise, not closed
};

/// A crown (an ellipsoid) on the ground; shrubs reach the ground.
struct Tree {
  Vertex position;
  double ground, height, crown_radius;
  double crown_centre, crown_half_height;  ///< absolute height of the crown's centre; vertical semi-axis
};

/// Wires hang between neighbouring pylons as parabolas.
struct PowerLine {
  std::vector<Vertex> pylons;
  std::vector<double> attachments;   ///< absolute height of the wires at each pylon
  std::vector<double> wire_offsets;  ///< metres to the left of the line
  double sag;                        ///< of a wire in the middle of a span
};

/// The objects of a synthetic town: what its tiles are sampled from, and what its ground-truth layers hold.
/// It reaches a little beyond the tiles, so that roofs, trees and wires at the border are whole.
struct Town {
  TownOptions options;
  std::vector<Building> buildings;
  std::vector<Road> roads;
  std::vector<Water> waters;
  std::vector<VegetationArea> vegetation;
  std::vector<Tree> trees;
  std::vector<PowerLine> power_lines;
  std::vector<Solid> pylons, cars;

  /// Outline of the tiles.
  Bounds bounds() const noexcept;
  /// Height of the bare terrain, anywhere: a pure function of the seed and the place, continuous.
  double terrain(double x, double y) const noexcept;
};

/// Plans the town. Throws InvalidArgument naming the option that is out of range.
Town make_town(const TownOptions& options);

/// Writes `directory`/tiles/town_<x>_<y>.laz (from the west and south, from 0): LAS 1.4, EPSG:2154 with IGN69 heights, points in the order
/// of time. Tiles are streamed in strips, whatever their size. Same options, same bytes, whatever the threads. Returns the paths, west to
/// east, then south to north. Every tile appears complete or not at all; temporaries that killed runs left in the folder are removed.
/// stop   asked before each strip; the tiles that were complete by then stay
/// Throws InvalidArgument (options), IoError, PermissionDenied, Cancelled.
std::vector<std::string> write_town(const TownOptions& options, const std::string& directory, Executor& executor,
                                    std::stop_token stop = {});

}  // namespace tuile::synth
