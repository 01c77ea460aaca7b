#include "compute/cuda/attributes.hpp"

#include <cmath>

#include "compute/host/attributes.hpp"
#include "on_device.hpp"
#include "unit/compute/clouds.hpp"

namespace tuile::compute::cuda {
namespace {

/// What no column of ours holds: shows which ones are left alone.
constexpr float untouched = -12345.0F;

struct Filled {
  std::vector<float> device, host;
};

Filled fill_both(const PointBlock& core, const features::FeaturePlan& plan, const std::vector<std::uint8_t>& valid = {}) {
  Filled filled;
  filled.host.assign(core.size() * plan.columns.size(), untouched);
  Executor executor(1);
  compute::fill_attributes(core, plan, valid.empty() ? nullptr : valid.data(), filled.host.data(), executor);

  const OnDevice<GridPoint> units(core.units.data(), core.units.size());
  const OnDevice<std::uint8_t> classes(core.classification.data(), core.classification.size());
  const OnDevice<std::uint16_t> intensity(core.intensity.data(), core.intensity.size());
  const OnDevice<std::uint8_t> returns(core.return_number.data(), core.return_number.size());
  const OnDevice<std::uint8_t> of_returns(core.number_of_returns.data(), core.number_of_returns.size());
  const OnDevice<std::uint16_t> red(core.red.data(), core.red.size()), green(core.green.data(), core.green.size()),
      blue(core.blue.data(), core.blue.size()), nir(core.nir.data(), core.nir.size());
  const OnDevice<std::uint8_t> known(core.colour_known.data(), core.colour_known.size());
  const OnDevice<std::uint8_t> marks(valid);
  const OnDevice<float> values(std::vector<float>(filled.host.size(), untouched));
  Attributes from = attributes_of(core, plan.color_depth);
  from.units = units.get();
  from.classification = classes.get();
  from.intensity = intensity.get();
  from.return_number = returns.get();
  from.number_of_returns = of_returns.get();
  from.red = red.get();
  from.green = green.get();
  from.blue = blue.get();
  from.nir = nir.get();
  from.colour_known = known.get();
  fill_attributes(from, plan, marks.get(), static_cast<std::uint32_t>(core.size()), values.get(), nullptr);
  EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
  filled.device = values.fetch();
  return filled;
}

void compare(const PointBlock& core, const features::FeaturePlan& plan, const std::vector<std::uint8_t>& valid = {}) {
  const Filled filled = fill_both(core, plan, valid);
  expect_same_bits(filled.device, filled.host, plan.columns.size());
}

features::FeaturePlan full_plan(int color_depth = 16, std::vector<features::Neighbourhood> scales = {{.k = 20}}) {
  return features::make_plan(features::set_columns("full"), scales, color_depth);
}

std::vector<std::uint8_t> some_valid(std::size_t count) {
  std::vector<std::uint8_t> valid(count);
  for (std::size_t i = 0; i < count; ++i) valid[i] = i % 3 == 0 ? 0 : 1;
  return valid;
}

PointBlock with_known_colours(PointBlock block) {
  block.colour_known = Buffer<std::uint8_t>(block.size());
  for (std::size_t i = 0; i < block.size(); ++i) block.colour_known[i] = static_cast<std::uint8_t>(i % 4);
  return block;
}

TEST(CudaAttributes, OfColouredPoints) {
  const PointBlock core = test::coloured(test::block_of(test::town(5000, 3000, 1)));
  for (const int depth : {8, 16}) {
    compare(core, full_plan(depth));
    compare(core, full_plan(depth), some_valid(core.size()));
  }
}

TEST(CudaAttributes, MissingOnes) {
  PointBlock core = test::block_of(test::town(1000, 3000, 2), 0.001);
  compare(core, full_plan());
  compare(core, full_plan(), some_valid(core.size()));
  core = test::coloured(std::move(core));
  core.nir = {};
  compare(core, full_plan());
  core.red = {};
  core.intensity = {};
  compare(core, full_plan());
}

TEST(CudaAttributes, ColoursThatImagesDoNotKnow) {
  const PointBlock core = with_known_colours(test::coloured(test::block_of(test::town(1000, 3000, 3))));
  compare(core, full_plan());
  compare(core, full_plan(), some_valid(core.size()));
}

TEST(CudaAttributes, MoreColumnsThanALaunchTakes) {
  const PointBlock core = test::coloured(test::block_of(test::town(500, 3000, 4)));
  compare(core, full_plan(16, {{.k = 20}, {.k = 30}, {.k = 40}, {.radius = 2}}), some_valid(core.size()));
}

TEST(CudaAttributes, OfNoPoints) { compare(PointBlock{}, full_plan()); }

TEST(CudaAttributes, AreWhatTheRecordSays) {
  PointBlock core = test::coloured(test::block_of({{{100, -200, 305}}, {2}}));
  core.intensity[0] = 513;
  core.red[0] = 65535;
  core.nir[0] = 13107;
  const std::vector<float> row =
      fill_both(core, features::make_plan({"x", "y", "z", "planarity", "intensity", "red", "ndvi", "is_ground"}, {{.k = 20}})).device;
  const std::vector<float> expected{1.0F, -2.0F, 3.05F, untouched, 513.0F, 1.0F, static_cast<float>((13107.0 - 65535) / (13107.0 + 65535)),
                                    1.0F};
  expect_same_bits(row, expected, row.size());
}

}  // namespace
}  // namespace tuile::compute::cuda
