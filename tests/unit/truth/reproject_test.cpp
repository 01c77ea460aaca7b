#include "truth/reproject.hpp"

#include <gtest/gtest.h>

#include "vector_support.hpp"
#include "wkb_builder.hpp"

namespace tuile::truth {
namespace {

using test::places_of;
using test::Wkb;

TEST(Reproject, LambertToDegreesAndBack) {
  // The false origin of Lambert-93 lies at 3° E, 46.5° N by definition of the projection (EPSG:2154), and 1° N is about 111 km.
  std::vector<Feature> features = {{"a", Wkb::line({{700000, 6600000, 5}, {700000, 6710000, 6}}), {{"k", 1.5}}}};
  const std::string before = features[0].geometry;
  reproject(features, 2154, 4326);
  const std::vector<double> degrees = places_of(features.at(0).geometry);
  EXPECT_NEAR(degrees[0], 3, 1e-9);
  EXPECT_NEAR(degrees[1], 46.5, 1e-9);
  EXPECT_NEAR(degrees[2], 3, 1e-9);
  EXPECT_NEAR(degrees[3], 47.49, 0.01);
  reproject(features, 4326, 2154);
  EXPECT_EQ(features[0].attributes.size(), 1U);
  const std::vector<double> back = places_of(features[0].geometry), original = places_of(before);
  for (std::size_t i = 0; i < original.size(); ++i) EXPECT_NEAR(back[i], original[i], 1e-4);
}

TEST(Reproject, SameCodeIsLeftAloneBitForBit) {
  std::vector<Feature> features = {{"a", "not even a geometry", {}}};
  reproject(features, 2154, 2154);
  EXPECT_EQ(features.at(0).geometry, "not even a geometry");
}

TEST(Reproject, WhatCannotBeMovedGoesTheRestStays) {
  std::vector<Feature> features = {{"good", Wkb::line({{3, 46}, {4, 47}}), {}},
                                   {"damaged", "xyz", {}},
                                   {"far", Wkb::line({{3, 46}, {1e30, 1e30}}), {}},
                                   {"nowhere", "", {}}};
  testing::internal::CaptureStderr();
  reproject(features, 4326, 2154);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ASSERT_EQ(features.size(), 2U);
  EXPECT_EQ(features[0].id, "good");
  EXPECT_EQ(features[1].id, "nowhere");
}

TEST(Reproject, UnknownCodesAreNamed) {
  std::vector<Feature> features = {{"a", Wkb::point({3, 46}), {}}};
  for (const auto& [from, to] : {std::pair(999999, 2154), std::pair(4326, 999999)}) {
    try {
      reproject(features, from, to);
      ADD_FAILURE();
    } catch (const Unsupported& error) {
      EXPECT_NE(std::string(error.what()).find("999999"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace tuile::truth
