#include "tuile/config/load.hpp"

namespace tuile::config {

const std::vector<Preset>& presets() {
  static const std::vector<Preset> table{
      {"lidarhd", "LiDAR HD tiles of IGN as they are published: the default columns, artefacts and virtual points left out.",
       R"(features: {set: lod2, k: 20}
halo: 10
preprocess: {exclude_classes: [65, 66]}
)"},
      {"ml", "Training data for point classification: the asprs columns at two scales, compressed NPZ.",
       R"(features:
  set: asprs
  scales: [{k: 50}]
write:
  formats: [npz]
  npz: {compression: deflate}
)"},
      {"full", "Every feature at two scales, as NPZ and as extra bytes of LAZ: for a look at everything, and slow.",
       R"(features:
  set: full
  scales: [{radius: 2}]
write: {formats: [npz, laz]}
)"},
      {"fast", "The four columns of the minimal set from few neighbours: for a first pass over a large area.",
       R"(features: {set: minimal, k: 12}
halo: 5
)"},
  };
  return table;
}

}  // namespace tuile::config
