#include "las/crs.hpp"

#include <gtest/gtest.h>

#include "las_files.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las::test {
namespace {

constexpr const char* lambert93_wkt1 =
    R"w(PROJCS["RGF93 v1 / Lambert-93",GEOGCS["RGF93 v1",DATUM["Reseau_Geodesique_Francais_1993_v1",SPHEROID["GRS 1980",6378137,298.257222101]],)w"
    R"w(PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4171"]],)w"
    R"w(PROJECTION["Lambert_Conformal_Conic_2SP"],PARAMETER["false_easting",700000],UNIT["metre",1,AUTHORITY["EPSG","9001"]],)w"
    R"w(AXIS["Easting",EAST],AXIS["Northing",NORTH],AUTHORITY["EPSG","2154"]])w";

/// Of a text that is complete.
Crs wkt_crs(std::string_view text) {
  std::vector<std::string> warnings;
  Crs crs = parse_wkt_crs(text, warnings);
  EXPECT_TRUE(warnings.empty());
  return crs;
}

TEST(WktCrs, ProjectedOfWkt1) {
  const Crs crs = wkt_crs(lambert93_wkt1);
  EXPECT_EQ(crs.epsg, 2154);
  EXPECT_EQ(crs.name, "RGF93 v1 / Lambert-93");
  EXPECT_FALSE(crs.geographic);
  EXPECT_EQ(crs.horizontal_unit, 1);
  EXPECT_EQ(crs.vertical_unit, 1);
  EXPECT_EQ(crs.wkt, lambert93_wkt1);
}

TEST(WktCrs, CompoundTakesTheHorizontalCodeAndTheVerticalUnit) {
  const Crs crs = wkt_crs(std::string(R"w(COMPD_CS["Lambert-93 + NAVD88 height (ftUS)",)w") + lambert93_wkt1 +
                          R"w(,VERT_CS["NAVD88 height (ftUS)",VERT_DATUM["NAVD88",2005],UNIT["US survey foot",0.304800609601219],)w"
                          R"w(AXIS["Up",UP],AUTHORITY["EPSG","6360"]],AUTHORITY["EPSG","9999"]])w");
  EXPECT_EQ(crs.epsg, 2154);
  EXPECT_EQ(crs.name, "Lambert-93 + NAVD88 height (ftUS)");
  EXPECT_EQ(crs.horizontal_unit, 1);
  EXPECT_DOUBLE_EQ(crs.vertical_unit, 0.304800609601219);
}

TEST(WktCrs, FeetGoForZWhereNothingIsSaidOfIt) {
  const Crs crs = wkt_crs(R"w(PROJCS["NAD83 / Oregon (ft)",GEOGCS["NAD83",DATUM["d",SPHEROID["s",6378137,298]],PRIMEM["Greenwich",0],)w"
                          R"w(UNIT["degree",0.0174532925199433]],UNIT["foot",0.3048],AUTHORITY["EPSG",2994]])w");
  EXPECT_EQ(crs.epsg, 2994);
  EXPECT_DOUBLE_EQ(crs.horizontal_unit, 0.3048);
  EXPECT_DOUBLE_EQ(crs.vertical_unit, 0.3048);
}

TEST(WktCrs, ProjectedAndVerticalOfWkt2) {
  const Crs crs = wkt_crs(
      R"w(COMPOUNDCRS["x + y", PROJCRS["x",BASEGEOGCRS["b",DATUM["d",ELLIPSOID["e",6378137,298,LENGTHUNIT["metre",1]]],ID["EPSG",4171]],)w"
      R"w(CONVERSION["c",METHOD["m",ID["EPSG",9802]],PARAMETER["p",3,LENGTHUNIT["metre",1]]],CS[Cartesian,2],)w"
      R"w(AXIS["(E)",east,ORDER[1],LENGTHUNIT["US survey foot",0.304800609601219]],AXIS["(N)",north,ORDER[2],LENGTHUNIT["US survey foot",0.304800609601219]],)w"
      R"w(ID["EPSG",2263]],VERTCRS["y",VDATUM["v"],CS[vertical,1],AXIS["h",up,LENGTHUNIT["metre",1]],ID["EPSG",5703]]])w");
  EXPECT_EQ(crs.epsg, 2263);
  EXPECT_DOUBLE_EQ(crs.horizontal_unit, 0.304800609601219);
  EXPECT_EQ(crs.vertical_unit, 1);
}

TEST(WktCrs, BoundAndGeographic) {
  const Crs crs = wkt_crs(
      R"w(BOUNDCRS[SOURCECRS[GEOGCRS["WGS 84",DATUM["w",ELLIPSOID["e",6378137,298]],CS[ellipsoidal,2],AXIS["lat",north],AXIS["lon",east],)w"
      R"w(ANGLEUNIT["degree",0.017],ID["EPSG",4326]]],TARGETCRS[GEOGCRS["other",ID["EPSG",1]]]])w");
  EXPECT_TRUE(crs.geographic);
  EXPECT_EQ(crs.epsg, 4326);
  EXPECT_EQ(crs.horizontal_unit, 1);
}

TEST(WktCrs, OddSpellingsOfRealFiles) {
  // Round brackets, a doubled quote, a value left out, lower case.
  const Crs crs = wkt_crs(R"w( local_cs("a ""quoted"" name",UNIT[,1],AUTHORITY["epsg","2154"]) )w");
  EXPECT_EQ(crs.name, "a \"quoted\" name");
  EXPECT_EQ(crs.epsg, 2154);
}

TEST(WktCrs, WhatIsNoCrsIsAnError) {
  for (const char* text : {"", "PROJCS", "PROJCS[", "PROJCS[\"a", "PROJCS[\"a\"", "PROJCS[\"a\")", "DATUM[\"a\"]",
                           "PROJCS[\"a\",UNIT[\"m\",0]]", "PROJCS[\"a\",UNIT[\"m\",nan]]", "COMPD_CS[\"only a name\"]"}) {
    EXPECT_THROW(wkt_crs(text), CorruptData) << text;
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "A[";
  EXPECT_THROW(wkt_crs(deep), CorruptData);
}

/// A key directory: {id, location, count, value}…
Bytes directory(const std::vector<std::array<std::uint16_t, 4>>& keys) {
  Bytes bytes(8 + 8 * keys.size());
  set<std::uint16_t>(bytes, 0, 1);
  set<std::uint16_t>(bytes, 2, 1);
  set<std::uint16_t>(bytes, 6, static_cast<std::uint16_t>(keys.size()));
  for (std::size_t i = 0; i < keys.size(); ++i) std::memcpy(bytes.data() + 8 + 8 * i, keys[i].data(), 8);
  return bytes;
}

Bytes text(const std::string& from) {
  Bytes bytes(from.size());
  std::memcpy(bytes.data(), from.data(), from.size());
  return bytes;
}

TEST(GeotiffCrs, ProjectedWithUnitsAndName) {
  std::vector<std::string> warnings;
  const Crs crs =
      parse_geotiff_crs(directory({{1024, 0, 1, 1}, {1026, 34737, 12, 0}, {3072, 0, 1, 2994}, {3076, 0, 1, 9002}, {4099, 0, 1, 9003}}), {},
                        text("Oregon (ft)|"), warnings);
  EXPECT_EQ(crs.epsg, 2994);
  EXPECT_EQ(crs.name, "Oregon (ft)");
  EXPECT_FALSE(crs.geographic);
  EXPECT_DOUBLE_EQ(crs.horizontal_unit, 0.3048);
  EXPECT_DOUBLE_EQ(crs.vertical_unit, 1200.0 / 3937.0);
  EXPECT_TRUE(warnings.empty());
}

TEST(GeotiffCrs, GeographicAndUserDefined) {
  std::vector<std::string> warnings;
  EXPECT_TRUE(parse_geotiff_crs(directory({{1024, 0, 1, 2}, {2048, 0, 1, 4326}}), {}, {}, warnings).geographic);
  Bytes size(8);
  set<double>(size, 0, 0.5);
  const Crs crs =
      parse_geotiff_crs(directory({{1024, 0, 1, 1}, {3072, 0, 1, 32767}, {3076, 0, 1, 32767}, {3077, 34736, 1, 0}}), size, {}, warnings);
  EXPECT_EQ(crs.epsg, 0);
  EXPECT_DOUBLE_EQ(crs.horizontal_unit, 0.5);
  EXPECT_TRUE(warnings.empty());
  parse_geotiff_crs(directory({{3072, 0, 1, 2154}, {3076, 0, 1, 1234}}), {}, {}, warnings);
  EXPECT_EQ(warnings.size(), 1U);
}

TEST(GeotiffCrs, AUnitLeftOutFollowsFromTheCode) {
  constexpr double us_foot = 1200.0 / 3937.0;
  const struct {
    std::uint16_t epsg;
    double unit;
  } cases[] = {{2230, us_foot}, {2222, 0.3048},  {2253, 0.3048},  {2263, us_foot}, {2273, 0.3048},   {2281, 0.3048},
               {2285, us_foot}, {2994, 0.3048},  {2903, us_foot}, {3435, us_foot}, {3605, 0.3048},   {3628, us_foot},
               {3676, 0.3048},  {3680, us_foot}, {6539, us_foot}, {6557, 0.3048},  {26745, us_foot}, {2154, 1.0},
               {32631, 1.0},    {26915, 1.0},    {26945, 1.0},    {28992, 1.0},    {2975, 1.0}};
  for (const auto& expected : cases) {
    std::vector<std::string> warnings;
    const Crs crs = parse_geotiff_crs(directory({{1024, 0, 1, 1}, {3072, 0, 1, expected.epsg}}), {}, {}, warnings);
    EXPECT_DOUBLE_EQ(crs.horizontal_unit, expected.unit) << expected.epsg;
    EXPECT_DOUBLE_EQ(crs.vertical_unit, expected.unit) << expected.epsg;
    EXPECT_TRUE(warnings.empty()) << expected.epsg;
  }
  for (const std::uint16_t epsg : {std::uint16_t{2290}, std::uint16_t{32767}}) {
    std::vector<std::string> warnings;
    EXPECT_EQ(parse_geotiff_crs(directory({{1024, 0, 1, 1}, {3072, 0, 1, epsg}}), {}, {}, warnings).horizontal_unit, 1) << epsg;
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_NE(warnings[0].find("metres are assumed"), std::string::npos);
  }
}

TEST(GeotiffCrs, TheSizeOfAUserDefinedUnitIsTheHorizontalOnes) {
  Bytes size(8);
  set<double>(size, 0, 0.5);
  std::vector<std::string> warnings;
  const Crs crs = parse_geotiff_crs(
      directory({{1024, 0, 1, 1}, {3072, 0, 1, 2994}, {3076, 0, 1, 9002}, {3077, 34736, 1, 0}, {4099, 0, 1, 32767}}), size, {}, warnings);
  EXPECT_DOUBLE_EQ(crs.horizontal_unit, 0.3048);
  EXPECT_DOUBLE_EQ(crs.vertical_unit, 0.3048);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("vertical unit 32767"), std::string::npos);
}

TEST(WktCrs, AUnitLeftOutFollowsFromTheCode) {
  std::vector<std::string> warnings;
  EXPECT_DOUBLE_EQ(parse_wkt_crs(R"w(PROJCS["zone 6",AUTHORITY["EPSG","2230"]])w", warnings).horizontal_unit, 1200.0 / 3937.0);
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(parse_wkt_crs(R"w(PROJCS["a grid"])w", warnings).horizontal_unit, 1);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("metres are assumed"), std::string::npos);
}

TEST(GeotiffCrs, KeysOutsideTheirArraysAreAnError) {
  std::vector<std::string> warnings;
  EXPECT_THROW(parse_geotiff_crs(directory({{1026, 34737, 12, 5}}), {}, text("short"), warnings), CorruptData);
  EXPECT_THROW(parse_geotiff_crs(directory({{3076, 0, 1, 32767}, {3077, 34736, 1, 3}}), Bytes(16), {}, warnings), CorruptData);
  Bytes cut = directory({{1024, 0, 1, 1}});
  cut.resize(12);
  EXPECT_THROW(parse_geotiff_crs(cut, {}, {}, warnings), CorruptData);
}

TEST(CrsChoice, WktForNewFormatsAndTheOtherKindWhereItCannotBeRead) {
  Header header;
  const Vlr wkt{.user_id = "LASF_Projection", .record_id = 2112, .description = "", .data = text(lambert93_wkt1)};
  const Vlr bad{.user_id = "LASF_Projection", .record_id = 2112, .description = "", .data = text("(null)")};
  const Vlr keys{
      .user_id = "LASF_Projection", .record_id = 34735, .description = "", .data = directory({{1024, 0, 1, 1}, {3072, 0, 1, 28992}})};
  std::vector<std::string> warnings;
  EXPECT_EQ(find_crs(header, {keys, wkt}, {}, warnings).epsg, 2154);
  EXPECT_EQ(find_crs(header, {keys}, {wkt}, warnings).epsg, 2154);
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(find_crs(header, {bad, keys}, {}, warnings).epsg, 28992);
  EXPECT_EQ(warnings.size(), 1U);
  header.point_format = 3;
  EXPECT_EQ(find_crs(header, {keys, wkt}, {}, warnings).epsg, 28992);
  EXPECT_FALSE(find_crs(header, {}, {}, warnings).known());
}

TEST(CrsOfRealFiles, KnownCodesAndUnits) {
  const struct {
    const char* file;
    int epsg;
    double horizontal, vertical;
    bool geographic;
  } cases[] = {
      {"lidarhd/test_data_77050_627755_LA93_IGN69.laz", 2154, 1, 1, false},
      {"lidarhd/sample_lareunion_epsg2975.laz", 2975, 1, 1, false},
      {"copc/laspy__simple.copc.laz", 2991, 1, 0.304800609601219, false},
      {"formats/laspy__test1_4.las", 2903, 0.304800609601219, 0.304800609601219, false},
      {"formats/PDAL__autzen-dd.las", 4326, 1, 1, true},
      {"formats/PDAL__thin-1.las", 0, 0.3048, 0.3048, false},
      {"lidarhd_more/ctview__multiclass_1to5.las", 2154, 1, 1, false},
  };
  for (const auto& expected : cases) {
    const auto path = test_data(expected.file);
    if (!path) GTEST_SKIP() << "no test data";
    const Crs crs = read_info(*source::open_file(path->string())).crs;
    EXPECT_EQ(crs.epsg, expected.epsg) << expected.file;
    EXPECT_NEAR(crs.horizontal_unit, expected.horizontal, 1e-12) << expected.file;
    EXPECT_NEAR(crs.vertical_unit, expected.vertical, 1e-12) << expected.file;
    EXPECT_EQ(crs.geographic, expected.geographic) << expected.file;
  }
}

}  // namespace
}  // namespace tuile::las::test
