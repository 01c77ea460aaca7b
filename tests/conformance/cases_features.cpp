// Feature sets, the attributes of points, and what is missing.

#include "conformance/compare.hpp"
#include "conformance/shapes.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::conformance {

namespace {

constexpr std::size_t usual = 1500;
constexpr std::int32_t usual_side = 1000;

/// What a tile may have or lack.
enum class Inputs { everything, nothing, no_ground, some_colours, no_nir, no_rgb };

PointBlock block_with(Inputs inputs, std::size_t points) {
  Cloud cloud = town(points, usual_side, 31);
  if (inputs == Inputs::no_ground) cloud.classes.assign(cloud.points.size(), 1);
  PointBlock block = block_of(cloud);
  if (inputs == Inputs::nothing) return block;
  block = coloured(std::move(block));
  if (inputs == Inputs::some_colours) {
    block.colour_known = Buffer<std::uint8_t>(block.size());
    for (std::size_t i = 0; i < block.size(); ++i) block.colour_known[i] = static_cast<std::uint8_t>(i % 4);
  }
  if (inputs == Inputs::no_nir) block.nir = {};
  if (inputs == Inputs::no_rgb) {
    block.red = {};
    block.green = {};
    block.blue = {};
  }
  return block;
}

Case of(const std::string& name, Inputs inputs, std::vector<std::string> columns, int color_depth = 16) {
  return {name, [inputs, columns = std::move(columns), color_depth](compute::Backend& reference, compute::Backend& tested, Scale scale) {
            const PointBlock block = block_with(inputs, many(scale, usual));
            return compare(reference, tested, tile_of(block), features::make_plan(columns, {{20}}, color_depth));
          }};
}

}  // namespace

std::vector<Case> feature_cases() {
  const std::vector<std::string> attributes{"x",   "y",     "z",    "intensity", "return_number", "number_of_returns",
                                            "red", "green", "blue", "nir",       "ndvi",          "is_ground"};
  std::vector<Case> cases;
  for (const char* set : {"minimal", "lod2", "asprs", "lod3", "full"}) {
    std::string name(set);
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
    cases.push_back(of("Set" + name, Inputs::everything, features::set_columns(set)));
  }
  cases.push_back(of("AttributesOnly", Inputs::everything, attributes));
  cases.push_back(of("AttributesOf8BitColours", Inputs::everything, attributes, 8));
  cases.push_back(of("ColoursUnknownHereAndThere", Inputs::some_colours, attributes));
  cases.push_back(of("NoAttributes", Inputs::nothing, features::set_columns("full")));
  cases.push_back(of("NoGround", Inputs::no_ground, features::set_columns("full")));
  cases.push_back(of("NoNearInfrared", Inputs::no_nir, features::set_columns("full")));
  cases.push_back(of("NoColours", Inputs::no_rgb, features::set_columns("full")));
  cases.push_back(of("HeightOnly", Inputs::everything, {"height_above_ground"}));
  cases.push_back(of("CountOnly", Inputs::everything, {"num_points_2m"}));
  cases.push_back(of("DensityOnly", Inputs::everything, {"density"}));
  cases.push_back(of("NormalOnly", Inputs::everything, {"normal_z"}));
  cases.push_back(of("FacadeScoreOnly", Inputs::everything, {"facade_score"}));
  cases.push_back(of("RangesOnly", Inputs::everything, {"vertical_range", "neighborhood_extent"}));
  // Each feature alone, and what it needs with it.
  cases.push_back({"EachFeatureAlone", [](compute::Backend& reference, compute::Backend& tested, Scale scale) {
                     const PointBlock block = block_with(Inputs::everything, many(scale, 200));
                     for (const std::string& name : features::set_columns("full")) {
                       const std::string text = compare(reference, tested, tile_of(block), features::make_plan({name}, {{20}}));
                       if (!text.empty()) return text;
                     }
                     return std::string();
                   }});
  return cases;
}

}  // namespace tuile::conformance
