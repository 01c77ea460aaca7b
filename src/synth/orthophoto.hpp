#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "synth/materials.hpp"
#include "synth/scene.hpp"
#include "tuile/core/bounds.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::synth {

/// What a camera straight above a town sees: one material a pixel, from the north-west.
struct Orthophoto {
  double west, north, pixel;  ///< outer corner of the first pixel; its side, metres
  std::uint32_t columns, rows;
  std::vector<Material> seen;

  /// An empty one over a town and 2 m around it, with pixels of 0.2 m, or larger by a whole factor so that they are 400 M at most (or
  /// barely more).
  static Orthophoto frame(const Bounds& town);
  /// Throws Cancelled.
  static Orthophoto render(const Scene& scene, Executor& executor, std::stop_token stop);
  /// Writes three bands of 8 bits as a GeoTIFF. Throws IoError, PermissionDenied.
  void write(const std::string& path, double Appearance::*first, double Appearance::*second, double Appearance::*third) const;
};

}  // namespace tuile::synth
