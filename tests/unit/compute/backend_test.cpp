// The backend's contract: registry, attributes, preprocessing, missing inputs, odd tiles.
#include <cmath>

#include "clouds.hpp"
#include "harness.hpp"
#include "tuile/core/error.hpp"

namespace tuile::test {
namespace {

using compute::TileInput;
using compute::TileOutput;

TEST(Registry, NamesAvailabilityAndErrors) {
  EXPECT_EQ(compute::backend_names(), (std::vector<std::string>{"cuda", "cpu"}));
  EXPECT_TRUE(compute::availability("cpu").available);
  EXPECT_THROW(compute::availability("opencl"), InvalidArgument);
  Executor executor(1);
  EXPECT_THROW(compute::make_backend("opencl", executor), InvalidArgument);
  EXPECT_EQ(compute::make_backend("cpu", executor)->name(), "cpu");
  const auto cuda = compute::availability("cuda");
  if (cuda.available) return;
  EXPECT_NE(cuda.reason.find("'cpu' or 'auto'"), std::string::npos);
  EXPECT_THROW(compute::make_backend("cuda", executor), BackendUnavailable);
  EXPECT_EQ(compute::make_backend("auto", executor)->name(), "cpu");
}

TEST(Registry, SimdOverrideIsChecked) {
  const SimdOverride set("sse9");
  EXPECT_THROW(compute::cpu::select_kernels(), InvalidArgument);
}

TEST(Backend, Attributes) {
  const PointBlock block = coloured(block_of(town(500, 500, 31)));
  const auto plan = features::make_plan(
      {"x", "y", "z", "intensity", "return_number", "number_of_returns", "red", "green", "blue", "nir", "ndvi", "is_ground"}, {{}}, 16);
  Executor executor(2);
  const TileOutput out = compute_one(*backend(executor), tile_of(block), plan);
  EXPECT_EQ(out.features.names, plan.names());
  EXPECT_TRUE(out.missing_columns.empty());
  EXPECT_TRUE(out.valid.empty());
  for (std::size_t i = 0; i < block.size(); ++i) {
    const auto row = out.features.row(i);
    EXPECT_EQ(row[0], static_cast<float>(block.units[i].x * 0.01));
    EXPECT_EQ(row[1], static_cast<float>(block.units[i].y * 0.01));
    EXPECT_EQ(row[2], static_cast<float>(block.units[i].z * 0.01));
    EXPECT_EQ(row[3], block.intensity[i]);
    EXPECT_EQ(row[4], block.return_number[i]);
    EXPECT_EQ(row[5], block.number_of_returns[i]);
    EXPECT_FLOAT_EQ(row[6], static_cast<float>(block.red[i] / 65535.0));
    EXPECT_FLOAT_EQ(row[7], static_cast<float>(block.green[i] / 65535.0));
    EXPECT_FLOAT_EQ(row[8], static_cast<float>(block.blue[i] / 65535.0));
    EXPECT_FLOAT_EQ(row[9], static_cast<float>(block.nir[i] / 65535.0));
    const double sum = double{1} * block.nir[i] + block.red[i];
    EXPECT_FLOAT_EQ(row[10], sum > 0 ? static_cast<float>((double{1} * block.nir[i] - block.red[i]) / sum) : 0.0F);
    EXPECT_EQ(row[11], block.classification[i] == 2 ? 1.0F : 0.0F);
  }
  const auto eight = features::make_plan({"red"}, {{}}, 8);
  EXPECT_FLOAT_EQ(compute_one(*backend(executor), tile_of(block), eight).features.at(1, 0), static_cast<float>(block.red[1] / 255.0));
}

TEST(Backend, UnknownColoursAreNaN) {
  const PointBlock known = coloured(block_of(town(500, 500, 31)));
  PointBlock block = coloured(block_of(town(500, 500, 31)));
  block.colour_known = Buffer<std::uint8_t>(block.size());
  for (std::size_t i = 0; i < block.size(); ++i) block.colour_known[i] = static_cast<std::uint8_t>(i % 4);
  const auto plan = features::make_plan({"red", "green", "blue", "nir", "ndvi", "intensity"}, {{}}, 16);
  Executor executor(2);
  const TileOutput all = compute_one(*backend(executor), tile_of(known), plan);
  const TileOutput some = compute_one(*backend(executor), tile_of(block), plan);
  EXPECT_TRUE(some.missing_columns.empty());
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool rgb = i % 4 == 1 || i % 4 == 3, nir = i % 4 >= 2;
    const bool expected[] = {rgb, rgb, rgb, nir, rgb && nir, true};
    for (std::size_t c = 0; c < 6; ++c) {
      if (expected[c]) {
        EXPECT_EQ(some.features.at(i, c), all.features.at(i, c)) << plan.names()[c] << " of point " << i;
      } else {
        EXPECT_TRUE(std::isnan(some.features.at(i, c))) << plan.names()[c] << " of point " << i;
      }
    }
  }
}

TEST(Backend, MissingInputsAreNamedAndNaN) {
  Cloud cloud = town(300, 500, 32);
  cloud.classes.assign(cloud.points.size(), 1);
  const PointBlock block = block_of(cloud);
  const auto plan =
      features::make_plan({"height_above_ground", "planarity", "red", "ndvi", "facade_score", "intensity"}, {{}, {30, 0, 200}});
  Executor executor(2);
  TileOutput out = compute_one(*backend(executor), tile_of(block), plan);
  std::sort(out.missing_columns.begin(), out.missing_columns.end());
  EXPECT_EQ(out.missing_columns,
            (std::vector<std::string>{"facade_score", "facade_score_k30", "height_above_ground", "intensity", "ndvi", "red"}));
  for (std::size_t c = 0; c < plan.columns.size(); ++c) {
    const bool computed = plan.columns[c].feature == features::Feature::planarity;
    for (std::size_t i = 0; i < block.size(); ++i) ASSERT_EQ(std::isnan(out.features.at(i, c)), !computed) << plan.columns[c].name;
  }
}

TEST(Backend, HeightsAreExactOnAPlane) {
  Cloud cloud;
  for (std::int32_t x = 0; x <= 2000; x += 50) {
    for (std::int32_t y = 0; y <= 2000; y += 50) {
      cloud.points.push_back({x, y, x / 10 + y / 5});
      cloud.classes.push_back(2);
    }
  }
  for (std::int32_t x = 100; x < 1900; x += 70) {
    cloud.points.push_back({x, 1000, x / 10 + 200 + 500});
    cloud.classes.push_back(6);
  }
  const PointBlock block = block_of(cloud);
  Executor executor(2);
  for (const auto& names :
       {std::vector<std::string>{"height_above_ground"}, std::vector<std::string>{"height_above_ground", "planarity"}}) {
    const TileOutput out = compute_one(*backend(executor), tile_of(block), features::make_plan(names, {{}}));
    for (std::size_t i = 0; i < block.size(); ++i) EXPECT_NEAR(out.features.at(i, 0), block.classification[i] == 2 ? 0.0 : 5.0, 1e-3);
  }
}

TEST(Backend, ExcludedPointsAreNobodysNeighbours) {
  Cloud cloud = town(3000, 1500, 33), kept;
  for (std::size_t i = 0; i < cloud.points.size(); i += 3) cloud.classes[i] = i % 2 == 0 ? 65 : 66;
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < cloud.points.size(); ++i) {
    if (cloud.classes[i] >= 65) continue;
    rows.push_back(i);
    kept.points.push_back(cloud.points[i]);
    kept.classes.push_back(cloud.classes[i]);
  }
  const PointBlock all = coloured(block_of(cloud)), without = block_of(kept);
  std::vector<std::string> names = features::set_columns("lod3");
  const auto plan = features::make_plan(names, {{}});
  Executor executor(2);
  const TileOutput out = compute_one(*backend(executor), tile_of(all), plan, {{65, 66}});
  const TileOutput expected = compute_one(*backend(executor), tile_of(without), plan);
  ASSERT_EQ(out.valid.size(), all.size());
  EXPECT_EQ(out.degenerate_neighbourhoods, expected.degenerate_neighbourhoods);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    EXPECT_EQ(out.valid[rows[r]], 1);
    for (std::size_t c = 0; c < plan.columns.size(); ++c) {
      if (!std::isnan(expected.features.at(r, c))) {
        ASSERT_EQ(out.features.at(rows[r], c), expected.features.at(r, c)) << plan.columns[c].name;
      }
    }
  }
  for (std::size_t i = 0; i < cloud.points.size(); ++i) {
    if (cloud.classes[i] < 65) continue;
    EXPECT_EQ(out.valid[i], 0);
    for (std::size_t c = 0; c < plan.columns.size(); ++c) {
      const auto& info = features::info(plan.columns[c].feature);
      EXPECT_EQ(std::isnan(out.features.at(i, c)), !info.las_dimension) << info.name;
    }
  }
}

TEST(Backend, EmptyOneAndEqualPoints) {
  Executor executor(2);
  const auto cpu = backend(executor);
  const auto plan = features::make_plan(features::set_columns("full"), {{}});
  const PointBlock none = block_of(Cloud{});
  EXPECT_EQ(compute_one(*cpu, tile_of(none), plan).features.values.size(), 0U);
  EXPECT_EQ(compute_one(*cpu, tile_of(none, &none), plan, {{65}}).features.points, 0U);
  Cloud equal;
  equal.points.assign(10000, {7, -5, 3});
  equal.classes.assign(10000, 2);
  for (const std::size_t count : {std::size_t{1}, std::size_t{10000}}) {
    Cloud some = equal;
    some.points.resize(count);
    const PointBlock block = coloured(block_of(some));
    const TileOutput out = compute_one(*cpu, tile_of(block), plan);
    EXPECT_EQ(out.degenerate_neighbourhoods, count);
    for (std::size_t c = 0; c < plan.columns.size(); ++c) {
      const float value = out.features.at(count / 2, c);
      EXPECT_FALSE(std::isnan(value)) << plan.columns[c].name;
      if (plan.columns[c].feature == features::Feature::normal_z) {
        EXPECT_EQ(value, 1.0F);
      }
      if (plan.columns[c].feature == features::Feature::planarity) {
        EXPECT_EQ(value, 0.0F);
      }
      if (plan.columns[c].feature == features::Feature::num_points_2m) {
        EXPECT_EQ(value, static_cast<float>(count));
      }
    }
  }
}

TEST(Backend, StopsAndRefusesBadInput) {
  Executor executor(2);
  const auto cpu = backend(executor);
  const auto plan = features::make_plan({"planarity"}, {{}});
  const PointBlock block = block_of(town(5000, 2000, 34)), coarse = block_of(town(50, 2000, 35), 0.02);
  const TileInput tile = tile_of(block);
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(cpu->compute({&tile, 1}, plan, {}, source.get_token()), Cancelled);
  const TileInput nothing{};
  EXPECT_THROW(cpu->compute({&nothing, 1}, plan, {}, {}), InvalidArgument);
  const TileInput mixed = tile_of(block, &coarse);
  EXPECT_THROW(cpu->compute({&mixed, 1}, plan, {}, {}), InvalidArgument);
}

}  // namespace
}  // namespace tuile::test
