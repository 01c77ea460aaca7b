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
  bool ground_truth = false;              ///< write_town: layers, orthophotos and classes too; takes about half as long again
};

struct Vertex {
  double x, y;
};

enum class RoofShape : std::uint8_t { flat, gabled, hipped };

/// A prism over a rectangle, its roof included; also the shape of cars, pylons, gravestones and bridges.
struct Solid {
  Vertex centre;
  Vertex axis;  ///< unit vector along the longer side
  double half_length, half_width;
  double bottom, eave, rise;  ///< absolute heights of foot and eaves; from the eaves to the ridge
  RoofShape roof = RoofShape::flat;
  /// Corners, counter-clockwise.
  std::array<Vertex, 4> footprint() const noexcept;
};

/// A prism with walls; flats may be several.
struct Building {
  Solid body;
  Solid roof;     ///< the slab over the body: in its planes, but jutting out over the walls
  double ground;  ///< lowest terrain along the walls
};

/// A building as a map shows it: the edge of its roofs.
struct Outline {
  using Ring = std::vector<Vertex>;
  std::string cleabs;
  std::vector<std::vector<Ring>> parts;  ///< each its outer ring, then its courtyards; not closed
  std::string nature, usage, origin;
  double ground, eave, ridge;  ///< absolute heights: lowest ground, gutter, top
};

/// A road between two crossings. Its asphalt reaches 0.5 m beyond the carriageway on both sides.
struct Road {
  std::string cleabs;
  std::vector<Vertex> line;
  double width;  ///< of the carriageway
  std::string nature;
  bool width_known;  ///< where not, the width is usual for the nature, and the map has none
  double half_asphalt() const noexcept { return width / 2 + 0.5; }
};

/// Double track on a bed of ballast, 1.75 m to each side per track.
struct Railway {
  std::string cleabs;
  std::vector<Vertex> line;
  int tracks;
  double half_bed() const noexcept { return 1.75 * tracks; }
};

struct Water {
  std::string cleabs;
  std::vector<Vertex> ring;  ///< convex, counter-clockwise, not closed
  double level;
};

/// Water on the map that no laser sees.
struct HiddenWater {
  std::string cleabs;
  std::vector<Vertex> ring;
  bool underground;  ///< else intermittent, and dry
};

/// A deck over water.
struct Bridge {
  std::string cleabs;
  Solid deck;
};

/// An area of the map under vegetation.
struct VegetationArea {
  std::string cleabs, nature;
  std::vector<Vertex> ring;  ///< convex, counter-clockwise, not closed
  std::vector<Vertex> hole;  ///< of a pond; may be empty
  bool grass = true;         ///< what the ground is covered with; else only crowns make the area
};

/// A sports ground or a cemetery.
struct Ground {
  std::string cleabs;
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
  std::string cleabs;
  std::vector<Vertex> pylons;
  std::vector<double> attachments;   ///< absolute height of the wires at each pylon
  std::vector<double> wire_offsets;  ///< metres to the left of the line
  double sag;                        ///< of a wire in the middle of a span
};

/// The objects of a synthetic town: what its tiles are sampled from, and what its ground-truth layers hold. It reaches a little beyond the
/// tiles, so that roofs, trees and wires at the border are whole. Every object but the power line depends on the seed and its place only,
/// its identifier (`cleabs`) too, so that larger and neighbouring towns have the same ones (at other heights where their corner is
/// another). Places on the map are whole millimetres.
struct Town {
  TownOptions options;
  std::vector<Building> buildings;
  std::vector<Outline> outlines;
  std::vector<Road> roads;
  std::vector<Railway> railways;
  std::vector<Water> waters;
  std::vector<HiddenWater> hidden_waters;
  std::vector<Bridge> bridges;
  std::vector<VegetationArea> vegetation;
  std::vector<Ground> sports_grounds, cemeteries;
  std::vector<Tree> trees;
  std::vector<PowerLine> power_lines;
  std::vector<Solid> pylons, cars, gravestones;

  /// Outline of the tiles.
  Bounds bounds() const noexcept;
  /// Height of the bare terrain, anywhere: a pure function of the seed and the place, continuous.
  double terrain(double x, double y) const noexcept;
};

/// Plans the town. Throws InvalidArgument naming the option that is out of range.
Town make_town(const TownOptions& options);

/// Where write_town writes, below its directory.
struct TownPaths {
  std::vector<std::string>
      tiles;  ///< tiles/town_<x>_<y>.laz, x from the west and y from the south, from 0; west to east, then south to north
  std::vector<std::string> classes;  ///< classes/town_<x>_<y>.npy
  std::string ground_truth;          ///< bdtopo.gpkg
  std::string ortho_rgb, ortho_irc;  ///< ortho_rgb.tif, ortho_irc.tif
};
TownPaths town_paths(const TownOptions& options, const std::string& directory);

/// Writes the tiles: LAS 1.4, EPSG:2154 with IGN69 heights, points in the order of time. Tiles are streamed in strips, whatever their size.
/// With options.ground_truth also what labels can be scored with: classes       uint8 (N,), row i = what the pulse of point i hit
/// (TownPoint::object_class): never derived from the map ground_truth  the layers of the BD TOPO with its attributes, EPSG:2154 ortho_* the
/// town from straight above and 2 m around it, 8 bits, without noise: red green blue; near infrared, red, green. Pixels of 0.2 m,
///               or larger by whole factors where the image would pass 400 Mpx; in memory one image at a time
/// Same options, same bytes, whatever the threads. Returns the tiles' paths. Every file appears complete or not at all; temporaries that
/// killed runs left beside the tiles and classes are removed. stop   asked before each strip, and each band of an image; the files that
/// were complete by then stay Throws InvalidArgument (options), IoError, PermissionDenied, Cancelled.
std::vector<std::string> write_town(const TownOptions& options, const std::string& directory, Executor& executor,
                                    std::stop_token stop = {});

}  // namespace tuile::synth
