#include "truth/vector_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <thread>

#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"
#include "vector_support.hpp"
#include "wkb_builder.hpp"

namespace tuile::truth {
namespace {

namespace fs = std::filesystem;
using test::bytes_of;
using test::places_of;
using test::TemporaryFolder;
using test::translate;
using test::Wkb;

constexpr int lambert = 2154;
const Bounds olemps{661799.2, 6357551.4, 666491.7, 6362662.7};  // the commune, which all of bdtopo_12174 fills

std::vector<std::string> ids_of(const FetchResult& result) {
  std::vector<std::string> ids;
  for (const Feature& feature : result.features) ids.push_back(feature.id);
  return ids;
}

std::vector<Bounds> some_boxes(std::size_t count) {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> x(olemps.min_x, olemps.max_x - 1000), y(olemps.min_y, olemps.max_y - 1000), side(20, 1000);
  std::vector<Bounds> boxes;
  while (boxes.size() < count) {
    const double x0 = x(random), y0 = y(random);
    boxes.push_back({x0, y0, x0 + side(random), y0 + side(random)});
  }
  return boxes;
}

/// A folder of the commune's layers, or a skipped test.
#define COMMUNE(name)                                                   \
  const auto name##_path = test::test_data("bdtopo_12174");             \
  if (!name##_path) GTEST_SKIP() << "no bdtopo_12174 in the test data"; \
  const std::string name = name##_path->string()

TEST(VectorFiles, ShapefilesGiveWhatTheirRecordsSay) {
  COMMUNE(folder);
  const auto source = open_vector_files(folder);
  EXPECT_EQ(source->name(), "bdtopo_12174");
  EXPECT_FALSE(source->is_remote());
  EXPECT_EQ(source->edition({}), "");
  for (const char* layer : {"BATIMENT", "TRONCON_DE_ROUTE", "ZONE_DE_VEGETATION", "SURFACE_HYDROGRAPHIQUE", "CIMETIERE"}) {
    const std::vector<Bounds> records = test::shapefile_boxes(folder + "/" + layer + ".shp");
    ASSERT_FALSE(records.empty());
    for (const Bounds& box : some_boxes(40)) {
      const FetchResult result = source->fetch(layer, box, lambert, {});
      const auto expected =
          static_cast<std::size_t>(std::count_if(records.begin(), records.end(), [&](const Bounds& b) { return b.intersects(box); }));
      ASSERT_EQ(result.features.size(), expected) << layer;
      ASSERT_EQ(result.outcome, expected > 0 ? Outcome::data : Outcome::confirmed_empty);
      ASSERT_TRUE(
          std::is_sorted(result.features.begin(), result.features.end(), [](const Feature& a, const Feature& b) { return a.id < b.id; }));
    }
  }
  // As many as `ogrinfo -spat 664000 6359000 665000 6360000` counts, which tests the geometries themselves, or a few more.
  const Bounds box{664000, 6359000, 665000, 6360000};
  const std::pair<const char*, std::size_t> counts[] = {
      {"batiment", 547}, {"troncon_de_route", 278}, {"zone_de_vegetation", 72}, {"surface_hydrographique", 5}};
  for (const auto& [layer, count] : counts) {
    const std::size_t found = source->fetch(layer, box, lambert, {}).features.size();
    EXPECT_GE(found, count);
    EXPECT_LE(found, count + count / 10 + 1);
  }
  EXPECT_EQ(source->fetch("cimetiere", box, lambert, {}).outcome, Outcome::confirmed_empty);
}

TEST(VectorFiles, AttributesAreTypedAndCoordinatesUntouched) {
  COMMUNE(folder);
  const auto source = open_vector_files(folder + "/BATIMENT.shp");
  EXPECT_EQ(source->name(), "BATIMENT.shp");
  const FetchResult result = source->fetch("BDTOPO_V3:batiment", {664275, 6360034, 664276, 6360036}, lambert, {});
  const auto found =
      std::find_if(result.features.begin(), result.features.end(), [](const Feature& f) { return f.id == "BATIMENT0000000257021501"; });
  ASSERT_NE(found, result.features.end());
  EXPECT_EQ(*found->find("nature"), AttributeValue(std::string("Indifférenciée")));
  EXPECT_EQ(*found->find("PREC_PLANI"), AttributeValue(3.0));
  EXPECT_EQ(*found->find("population"), AttributeValue(std::int64_t{3439}));
  EXPECT_EQ(*found->find("DATE_RCT"), AttributeValue(std::string("2019-01-01")));
  EXPECT_EQ(*found->find("USAGE2"), AttributeValue(std::monostate{}));
  EXPECT_EQ(found->find("nothing"), nullptr);
  EXPECT_EQ(places_of(found->geometry),
            (std::vector<double>{664275.2, 6360036.3, 664276.2, 6360036.5, 664276.4, 6360034.4, 664275.4, 6360034.3, 664275.2, 6360036.3}));
}

TEST(VectorFiles, ShapefileWithoutAttributesIsNamedByRow) {
  COMMUNE(folder);
  const FetchResult result = open_vector_files(folder)->fetch("troncon_de_route", olemps, lambert, {});
  ASSERT_EQ(result.features.size(), 1094U);
  EXPECT_TRUE(result.features[0].id.starts_with("TRONCON_DE_ROUTE."));
  EXPECT_TRUE(result.features[0].attributes.empty());
}

TEST(VectorFiles, LayersGoByManyNames) {
  COMMUNE(folder);
  const auto source = open_vector_files(folder);
  for (const char* name : {"cimetiere", "Cimetiere", "BDTOPO_V3:cimetiere", "BDTOPO_V3_cimetiere", "other:CIMETIERE"}) {
    EXPECT_EQ(source->fetch(name, olemps, lambert, {}).features.size(), 3U) << name;
  }
  const auto fetched = test::test_data("bdtopo_geojson");
  if (!fetched) GTEST_SKIP() << "no bdtopo_geojson in the test data";
  const auto boxes = open_vector_files(fetched->string());
  const Bounds box{326100, 6827900, 326900, 6828800};
  EXPECT_EQ(boxes->fetch("BDTOPO_V3:surface_hydrographique", box, lambert, {}).features.size(), 2U);
  const FetchResult twice = boxes->fetch("batiment", box, lambert, {});
  EXPECT_EQ(twice.outcome, Outcome::failed);
  EXPECT_NE(twice.reason.find("BDTOPO_V3_batiment_-3396667416691710227.geojson"), std::string::npos) << twice.reason;
  EXPECT_NE(twice.reason.find("BDTOPO_V3_batiment_-7565897595794176230.geojson"), std::string::npos) << twice.reason;
  const auto one = open_vector_files((*fetched / "BDTOPO_V3_batiment_-3396667416691710227.geojson").string());
  const FetchResult buildings = one->fetch("batiment", box, lambert, {});
  EXPECT_EQ(buildings.outcome, Outcome::data);
  const auto known = std::find_if(buildings.features.begin(), buildings.features.end(),
                                  [](const Feature& f) { return f.id == "BATIMENT0000002100275592"; });
  ASSERT_NE(known, buildings.features.end());
  EXPECT_EQ(*known->find("construction_legere"), AttributeValue(true));
  EXPECT_EQ(*known->find("date_creation"), AttributeValue(std::string("2018-09-25T13:17:57.081Z")));
  EXPECT_EQ(*known->find("hauteur"), AttributeValue(7.3));
}

TEST(VectorFiles, AbsentLayerAndBoxOutsideFail) {
  COMMUNE(folder);
  const auto source = open_vector_files(folder);
  const FetchResult absent = source->fetch("ligne_electrique", olemps, lambert, {});
  EXPECT_EQ(absent.outcome, Outcome::failed);
  EXPECT_EQ(absent.kind, ErrorKind::not_found);
  EXPECT_NE(absent.reason.find("ligne_electrique"), std::string::npos);
  EXPECT_NE(absent.reason.find("SURFACE_HYDROGRAPHIQUE"), std::string::npos) << absent.reason;
  for (const Bounds& box : {Bounds{661700, 6358000, 662700, 6359000}, Bounds{700000, 6600000, 701000, 6601000}}) {
    const FetchResult outside = source->fetch("batiment", box, lambert, {});
    EXPECT_EQ(outside.outcome, Outcome::failed);
    EXPECT_EQ(outside.kind, ErrorKind::not_found);
    EXPECT_TRUE(outside.features.empty());
    EXPECT_NE(outside.reason.find("661799.20"), std::string::npos) << outside.reason;
    EXPECT_NE(outside.reason.find(box.min_x == 700000 ? "700000.00" : "661700.00"), std::string::npos) << outside.reason;
  }
  // An empty layer (AERODROME) is known to be empty where the others have data.
  EXPECT_EQ(source->fetch("aerodrome", {663000, 6359000, 664000, 6360000}, lambert, {}).outcome, Outcome::confirmed_empty);
}

TEST(VectorFiles, EveryFormatGivesTheSame) {
  COMMUNE(folder);
  const TemporaryFolder work;
  const std::string original = folder + "/BATIMENT.shp";
  const std::pair<const char*, std::vector<std::string>> formats[] = {
      {"batiment.gpkg", {"-f", "GPKG", "-nln", "batiment"}},
      {"slow.gpkg", {"-f", "GPKG", "-nln", "batiment", "-lco", "SPATIAL_INDEX=NO"}},
      {"batiment.fgb", {"-f", "FlatGeobuf", "-nlt", "PROMOTE_TO_MULTI"}},
      {"batiment.geojson", {"-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=15"}},
  };
  const auto shapes = open_vector_files(original);
  for (const auto& [name, options] : formats) {
    translate(original, work / name, options);
    const auto source = open_vector_files(work / name);
    for (const Bounds& box : some_boxes(10)) {
      if (!(box.min_x > 661962.4 && box.max_x < 666015.2 && box.min_y > 6357933.0 && box.max_y < 6362520.1)) continue;
      const FetchResult expected = shapes->fetch("batiment", box, lambert, {});
      const FetchResult got = source->fetch("batiment", box, lambert, {});
      ASSERT_EQ(got.reason, "");
      ASSERT_EQ(ids_of(got), ids_of(expected)) << name;
      for (std::size_t i = 0; i < got.features.size(); ++i)
        ASSERT_EQ(places_of(got.features[i].geometry), places_of(expected.features[i].geometry));
    }
  }
}

TEST(VectorFiles, ReprojectedToWithinAMillimetre) {
  COMMUNE(folder);
  const TemporaryFolder work;
  const auto shapes = open_vector_files(folder + "/BATIMENT.shp");
  for (const auto& [name, options] :
       {std::pair<const char*, std::vector<std::string>>{"batiment.gpkg", {"-f", "GPKG", "-nln", "batiment", "-t_srs", "EPSG:4326"}},
        {"batiment.geojson", {"-f", "GeoJSON", "-t_srs", "EPSG:4326", "-lco", "COORDINATE_PRECISION=15"}}}) {
    translate(folder + "/BATIMENT.shp", work / name, options);
    const auto source = open_vector_files(work / name);
    std::size_t compared = 0;
    for (const Bounds& box : {Bounds{664000, 6359000, 665000, 6360000}, Bounds{662500, 6358500, 662600, 6361000}}) {
      const FetchResult expected = shapes->fetch("batiment", box, lambert, {}), got = source->fetch("batiment", box, lambert, {});
      ASSERT_EQ(got.reason, "");
      ASSERT_EQ(ids_of(got), ids_of(expected));
      for (std::size_t i = 0; i < got.features.size(); ++i) {
        const std::vector<double> a = places_of(got.features[i].geometry), b = places_of(expected.features[i].geometry);
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t k = 0; k < a.size(); ++k) ASSERT_NEAR(a[k], b[k], 1e-3);
        compared += a.size();
      }
    }
    EXPECT_GT(compared, 5000U);
  }
  const FetchResult unknown = shapes->fetch("batiment", {664000, 6359000, 665000, 6360000}, 999999, {});
  EXPECT_EQ(unknown.outcome, Outcome::failed);
  EXPECT_EQ(unknown.kind, ErrorKind::unsupported);
  EXPECT_NE(unknown.reason.find("999999"), std::string::npos) << unknown.reason;
}

TEST(VectorFiles, WithoutCrsItIsTheOneAskedFor) {
  COMMUNE(folder);
  const TemporaryFolder work;
  for (const char* part : {"shp", "shx", "dbf"}) fs::copy_file(folder + "/CIMETIERE." + part, work / ("cimetiere." + std::string(part)));
  const Bounds box{663041.7, 6360318.6, 665133.8, 6361054.2};
  EXPECT_EQ(open_vector_files(work / "cimetiere.shp")->fetch("cimetiere", box, 25831, {}).features.size(), 3U);
}

/// A layer `things` whose features' boxes touch where the features themselves do not, and some that are damaged.
std::string write_things(const TemporaryFolder& work) {
  const Wkb::Points corner = {{0, 0}, {100, 0}, {100, 1}, {1, 1}, {1, 100}, {0, 100}, {0, 0}};
  VectorLayer layer{"things", "MultiPolygon", {}};
  layer.features = {{"corner", Wkb::polygon({corner}), {{"n", std::int64_t{1}}}},
                    {"bow", Wkb::polygon({{{50, 50}, {60, 60}, {60, 50}, {50, 60}, {50, 50}}}), {{"n", std::int64_t{2}}}},
                    {"flat", Wkb::polygon({{{50, 55}, {60, 55}, {50, 55}}}), {}},
                    {"elsewhere", Wkb::polygon({Wkb::square(-900, -900, 1)}), {}}};
  write_geopackage(work / "things.gpkg", std::span(&layer, 1), lambert);
  return work / "things.gpkg";
}

TEST(VectorFiles, BoundingBoxesDecideWhateverTheFormat) {
  const TemporaryFolder work;
  const std::string original = write_things(work);
  translate(original, work / "things.fgb", {"-f", "FlatGeobuf", "-nlt", "PROMOTE_TO_MULTI"});
  translate(original, work / "things.geojson", {"-f", "GeoJSON"});
  translate(original, work / "plain.gpkg", {"-f", "GPKG", "-lco", "SPATIAL_INDEX=NO"});
  for (const char* name : {"things.gpkg", "things.fgb", "things.geojson", "plain.gpkg"}) {
    const FetchResult result = open_vector_files(work / name)->fetch("things", {52, 54, 58, 56}, lambert, {});
    EXPECT_EQ(ids_of(result), (std::vector<std::string>{"bow", "corner", "flat"})) << name << ": " << result.reason;
    // Boxes are closed: a touch counts.
    EXPECT_EQ(ids_of(open_vector_files(work / name)->fetch("things", {60, 60, 61, 61}, lambert, {})),
              (std::vector<std::string>{"bow", "corner"}))
        << name;
  }
}

TEST(VectorFiles, OneNameForDifferentPlacesIsNotLost) {
  const TemporaryFolder work;
  const std::string square = Wkb::polygon({Wkb::square(0, 0, 10)}), other = Wkb::polygon({Wkb::square(50, 0, 10)});
  VectorLayer layer{"batiment",
                    "Polygon",
                    {{"b", square, {{"cleabs", std::string("b")}}},
                     {"b", other, {{"cleabs", std::string("b")}}},
                     {"b", square, {{"cleabs", std::string("b")}}}}};
  write_geopackage(work / "b.gpkg", std::span(&layer, 1), lambert);
  const FetchResult result = open_vector_files(work / "b.gpkg")->fetch("batiment", {0, 0, 60, 10}, lambert, {});
  EXPECT_EQ(ids_of(result), (std::vector<std::string>{"b", "b#2"}));
}

TEST(VectorFiles, WhatIsNoVectorDataIsToldApart) {
  const TemporaryFolder work;
  EXPECT_THROW(open_vector_files(work / "absent.gpkg"), NotFound);
  EXPECT_THROW(open_vector_files(work.path().string()), ConfigError);  // an empty folder
  std::mt19937 random(5);
  std::string noise(100000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  testing::internal::CaptureStderr();
  for (const char* name : {"noise.gpkg", "noise.geojson", "noise.shp", "noise.fgb"}) {
    try {
      open_vector_files(work.write(name, noise));
      ADD_FAILURE() << name << " was taken for vector data";
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(VectorFiles, CutFilesAreNeverTakenForEmptyOnes) {
  COMMUNE(folder);
  const TemporaryFolder work;
  translate(folder + "/BATIMENT.shp", work / "whole.gpkg", {"-f", "GPKG", "-nln", "batiment"});
  translate(folder + "/BATIMENT.shp", work / "whole.fgb", {"-f", "FlatGeobuf", "-nlt", "PROMOTE_TO_MULTI", "-nln", "batiment"});
  translate(folder + "/BATIMENT.shp", work / "whole.geojson", {"-f", "GeoJSON", "-nln", "batiment"});
  fs::create_directory(work.path() / "cut");
  fs::copy_file(folder + "/BATIMENT.dbf", work / "cut/batiment.dbf");
  fs::copy_file(folder + "/BATIMENT.shx", work / "cut/batiment.shx");
  const Bounds all{661962.4, 6357933.0, 666015.2, 6362520.1};
  testing::internal::CaptureStderr();
  for (const char* name : {"whole.gpkg", "whole.fgb", "whole.geojson", "BATIMENT.shp"}) {
    const std::string extension = fs::path(name).extension().string();
    const std::string bytes = bytes_of(extension == ".shp" ? folder + "/" + name : work / name);
    for (const double part : {0.9, 0.5, 0.1, 0.001}) {
      const std::string cut =
          work.write("cut/batiment" + extension, bytes.substr(0, static_cast<std::size_t>(part * static_cast<double>(bytes.size()))));
      try {
        const FetchResult result = open_vector_files(cut)->fetch("batiment", all, lambert, {});
        EXPECT_EQ(result.outcome, Outcome::failed) << name << " " << part << ": " << result.features.size() << " features";
        EXPECT_NE(result.reason, "");
      } catch (const ConfigError& error) {
        EXPECT_NE(std::string(error.what()).find(cut), std::string::npos) << error.what();
      }
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(VectorFiles, AFolderMayHoldOtherFiles) {
  COMMUNE(folder);
  const TemporaryFolder work;
  work.write("metadata.json", "{\"made\": \"by hand\"}");
  work.write("readme.txt", "text");
  work.write("batiment.gpkg", "cut off");
  for (const char* part : {"shp", "shx", "dbf", "prj"})
    fs::copy_file(folder + "/CIMETIERE." + part, work / ("CIMETIERE." + std::string(part)));
  const auto source = open_vector_files(work.path().string());
  const Bounds box{663041.7, 6360318.6, 665133.8, 6361054.2};
  EXPECT_EQ(source->fetch("cimetiere", box, lambert, {}).features.size(), 3U);
  const FetchResult damaged = source->fetch("batiment", box, lambert, {});
  EXPECT_EQ(damaged.kind, ErrorKind::corrupt);
  EXPECT_NE(damaged.reason.find("batiment.gpkg"), std::string::npos) << damaged.reason;
}

TEST(VectorFiles, IdentityFollowsTheContents) {
  const TemporaryFolder work;
  const std::string path = write_things(work);
  const std::string before = open_vector_files(path)->identity();
  EXPECT_EQ(before, open_vector_files(path)->identity());
  EXPECT_NE(before.find(path), std::string::npos);
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(1));
  EXPECT_NE(before, open_vector_files(path)->identity());
}

TEST(VectorFiles, ManyThreadsGetWhatOneGets) {
  COMMUNE(folder);
  const TemporaryFolder work;
  translate(folder + "/BATIMENT.shp", work / "batiment.gpkg", {"-f", "GPKG", "-nln", "batiment", "-t_srs", "EPSG:4326"});
  translate(folder + "/ZONE_DE_VEGETATION.shp", work / "zone_de_vegetation.fgb", {"-f", "FlatGeobuf", "-nlt", "PROMOTE_TO_MULTI"});
  const std::vector<Bounds> boxes = some_boxes(24);
  const auto fetch_all = [&](FeatureSource& source, std::size_t begin) {
    std::vector<std::vector<Feature>> results(boxes.size() * 2);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const std::size_t k = (i + begin) % results.size();
      results[k] = source.fetch(k % 2 == 0 ? "batiment" : "zone_de_vegetation", boxes[k / 2], lambert, {}).features;
    }
    return results;
  };
  const auto alone = fetch_all(*open_vector_files(work.path().string()), 0);
  const auto shared = open_vector_files(work.path().string());
  std::vector<std::vector<std::vector<Feature>>> results(6);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < results.size(); ++t) threads.emplace_back([&, t] { results[t] = fetch_all(*shared, t * 7); });
  }
  std::size_t features = 0;
  for (const auto& result : results) {
    for (std::size_t i = 0; i < alone.size(); ++i) {
      ASSERT_EQ(result[i].size(), alone[i].size());
      for (std::size_t k = 0; k < alone[i].size(); ++k) {
        ASSERT_EQ(result[i][k].id, alone[i][k].id);
        ASSERT_EQ(result[i][k].geometry, alone[i][k].geometry);
        ASSERT_EQ(result[i][k].attributes, alone[i][k].attributes);
        ++features;
      }
    }
  }
  EXPECT_GT(features, 1000U);
}

TEST(VectorFiles, StopsWhenAsked) {
  COMMUNE(folder);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(open_vector_files(folder)->fetch("batiment", {664000, 6359000, 665000, 6360000}, lambert, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace tuile::truth
