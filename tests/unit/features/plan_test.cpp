#include "tuile/features/plan.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "tuile/core/error.hpp"

namespace tuile::features {
namespace {

std::string message_of(const std::vector<std::string>& names, const std::vector<Neighbourhood>& scales = {{}}, int depth = 16) {
  try {
    make_plan(names, scales, depth);
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "";
}

TEST(Plan, TableAndSets) {
  for (std::size_t i = 0; i < feature_count; ++i) {
    const FeatureInfo& entry = info(static_cast<Feature>(i));
    EXPECT_EQ(find(entry.name), entry.feature);
    EXPECT_LE(entry.description.size(), 31U);
    EXPECT_FALSE(entry.unit.empty());
  }
  EXPECT_EQ(set_columns("minimal").size(), 4U);
  EXPECT_EQ(set_columns("lod2"), (std::vector<std::string>{"x", "y", "z", "normal_z", "planarity", "linearity", "height_above_ground",
                                                           "verticality", "red", "green", "blue", "ndvi"}));
  EXPECT_EQ(set_columns("asprs").size(), 17U);
  EXPECT_EQ(set_columns("lod3").size(), 36U);
  EXPECT_EQ(set_columns("full").size(), feature_count);
  for (const char* set : {"minimal", "lod2", "asprs", "lod3", "full"}) {
    const auto columns = set_columns(set);
    EXPECT_EQ(std::set<std::string>(columns.begin(), columns.end()).size(), columns.size());
    EXPECT_EQ(make_plan(columns, {{}}).names(), columns);
  }
  EXPECT_THROW(set_columns("lod4"), InvalidArgument);
}

TEST(Plan, ScalesRepeatNeighbourhoodFeaturesOnly) {
  const FeaturePlan plan =
      make_plan({"z", "planarity", "num_points_2m", "height_above_ground", "density"}, {{}, {50}, {20, 2.0}, {20, 0.5}});
  EXPECT_EQ(plan.names(), (std::vector<std::string>{"z", "planarity", "num_points_2m", "height_above_ground", "density", "planarity_k50",
                                                    "density_k50", "planarity_r2", "density_r2", "planarity_r0.5", "density_r0.5"}));
  EXPECT_EQ(plan.columns.back().scale, 3U);
}

TEST(Plan, Needs) {
  EXPECT_EQ(make_plan({"ndvi"}, {{}}).fields(), FieldSet{}.with(Field::rgb).with(Field::nir));
  EXPECT_EQ(make_plan({"intensity", "return_number"}, {{}}).fields(), FieldSet{}.with(Field::intensity).with(Field::returns));
  EXPECT_EQ(make_plan({"x", "is_ground", "planarity"}, {{}}).fields(), FieldSet{});
  EXPECT_TRUE(make_plan({"facade_score"}, {{}}).needs_ground());
  EXPECT_FALSE(make_plan({"wall_score"}, {{}}).needs_ground());
  EXPECT_TRUE(make_plan({"num_points_2m"}, {{}}).needs_neighbours());
  EXPECT_FALSE(make_plan({"x", "height_above_ground"}, {{}}).needs_neighbours());
}

TEST(Plan, ErrorsNameValueAndRemedy) {
  EXPECT_NE(message_of({"planarty"}).find("'planarity'"), std::string::npos);
  EXPECT_NE(message_of({"normalz"}).find("'normal_z'"), std::string::npos);
  EXPECT_NE(message_of({"x", "x"}).find("twice"), std::string::npos);
  EXPECT_NE(message_of({"x"}, {{2}}).find("k is 2"), std::string::npos);
  EXPECT_NE(message_of({"x"}, {{4097}}).find("4097"), std::string::npos);
  EXPECT_NE(message_of({"x"}, {{20, -1.0}}).find("radius is -1"), std::string::npos);
  EXPECT_FALSE(message_of({"x"}, {{20, std::numeric_limits<double>::infinity()}}).empty());
  EXPECT_NE(message_of({"x"}, {{20, 1.0, 2}}).find("max_neighbors is 2"), std::string::npos);
  EXPECT_NE(message_of({"x"}, {{20, 1.0, 65537}}).find("max_neighbors is 65537; 3 to 65536"), std::string::npos);
  EXPECT_EQ(message_of({"x"}, {{20, 1.0, 65536}}), "");
  EXPECT_NE(message_of({"x"}, {{}}, 12).find("color_depth is 12"), std::string::npos);
  EXPECT_NE(message_of({"x"}, {{20}, {20, 0, 300}}).find("'k20'"), std::string::npos);
  EXPECT_EQ(message_of({"x"}, {{4096}, {3}}), "");
}

}  // namespace
}  // namespace tuile::features
