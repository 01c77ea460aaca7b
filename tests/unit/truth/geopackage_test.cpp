#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "support/temporary_folder.hpp"
#include "truth/vector_files.hpp"
#include "vector_support.hpp"
#include "wkb_builder.hpp"

namespace tuile::truth {
namespace {

namespace fs = std::filesystem;
using test::bytes_of;
using test::TemporaryFolder;
using test::Wkb;

constexpr int lambert = 2154;
const Bounds everything{0, 0, 100, 100};

std::vector<VectorLayer> sample() {
  const Wkb::Points hole = {{3, 3, 7}, {3, 7, 7}, {7, 7, 7}, {7, 3, 7}, {3, 3, 7}};
  const Wkb::Points shell = {{0, 0, 1.5}, {10.1, 0, 2.5}, {10, 10.3, 3.5}, {0, 10, 4.5}, {0, 0, 1.5}};
  const Wkb::Points far = {{90, 90, 0}, {100, 90, 0}, {100, 100, 0}, {90, 90, 0}};
  const std::string multi = Wkb::collection(6, {Wkb::polygon({shell, hole}), Wkb::polygon({far})}, 3);
  VectorLayer buildings{"batiment", "MultiPolygon", {}};
  buildings.features = {
      {"B2",
       multi,
       {{"cleabs", std::string("B2")},
        {"hauteur", 7.25},
        {"etages", std::int64_t{3}},
        {"leger", true},
        {"mixed", std::int64_t{4}},
        {"nature", std::string("Église")},
        {"never", std::monostate{}}}},
      {"B1",
       Wkb::polygon({shell}),
       {{"cleabs", std::string("B1")},
        {"hauteur", std::monostate{}},
        {"etages", std::monostate{}},
        {"leger", false},
        {"mixed", 0.1},
        {"nature", std::string()},
        {"never", std::monostate{}}}},
      {"B3", "", {{"cleabs", std::string("B3")}, {"hauteur", std::int64_t{9}}}},
      {"B4",
       Wkb::polygon({shell, hole}),
       {{"cleabs", std::string("B4")}, {"LEGER", true}, {"mixed", std::int64_t{1}}, {"text", std::int64_t{1}}}},
      {"B5", Wkb::polygon({far}), {{"cleabs", std::string("B5")}, {"text", std::string("one")}}},
  };
  VectorLayer lines{
      "ligne", "", {{"ligne.7", Wkb::line({{0, 0}, {50.5, 50.25}}), {{"fid", std::int64_t{12}}, {"geometrie", std::string("droite")}}}}};
  return {buildings, lines, {"vide", "MultiPolygon", {}}};
}

std::size_t files_in(const TemporaryFolder& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

TEST(GeoPackage, ComesBackAsItWas) {
  const TemporaryFolder work;
  const std::string path = work / "truth.gpkg";
  write_geopackage(path, sample(), lambert);
  EXPECT_EQ(files_in(work), 1U);
  const auto source = open_vector_files(path);
  const FetchResult buildings = source->fetch("batiment", everything, lambert, {});
  ASSERT_EQ(buildings.reason, "");
  ASSERT_EQ(buildings.features.size(), 4U);  // B3 has no place
  const std::vector<VectorLayer> written = sample();
  const Feature &b1 = buildings.features[0], &b2 = buildings.features[1], &b4 = buildings.features[2], &b5 = buildings.features[3];
  EXPECT_EQ(b1.id, "B1");
  EXPECT_EQ(b2.id, "B2");
  EXPECT_EQ(b4.id, "B4");
  EXPECT_EQ(b5.id, "B5");
  EXPECT_EQ(b2.geometry, written[0].features[0].geometry);
  EXPECT_EQ(b1.geometry, Wkb::collection(6, {written[0].features[1].geometry}, 3));
  EXPECT_EQ(b4.geometry, Wkb::collection(6, {written[0].features[3].geometry}, 3));
  EXPECT_EQ(*b2.find("hauteur"), AttributeValue(7.25));
  EXPECT_EQ(*b2.find("etages"), AttributeValue(std::int64_t{3}));
  EXPECT_EQ(*b2.find("leger"), AttributeValue(true));
  EXPECT_EQ(*b1.find("leger"), AttributeValue(false));
  EXPECT_EQ(*b4.find("leger"), AttributeValue(true));  // SQLite's names have no case
  EXPECT_EQ(*b2.find("mixed"), AttributeValue(4.0));
  EXPECT_EQ(*b1.find("mixed"), AttributeValue(0.1));
  EXPECT_EQ(*b2.find("nature"), AttributeValue(std::string("Église")));
  EXPECT_EQ(*b1.find("nature"), AttributeValue(std::string()));
  EXPECT_EQ(*b1.find("hauteur"), AttributeValue(std::monostate{}));
  EXPECT_EQ(*b2.find("never"), AttributeValue(std::monostate{}));
  EXPECT_EQ(*b4.find("text"), AttributeValue(std::string("1")));
  EXPECT_EQ(*b5.find("text"), AttributeValue(std::string("one")));
  EXPECT_EQ(*b5.find("hauteur"), AttributeValue(std::monostate{}));
  const FetchResult lines = source->fetch("ligne", everything, lambert, {});
  ASSERT_EQ(lines.features.size(), 1U);
  EXPECT_EQ(lines.features[0].id, "ligne.7");
  EXPECT_EQ(lines.features[0].geometry, written[1].features[0].geometry);
  EXPECT_EQ(*lines.features[0].find("fid"), AttributeValue(std::int64_t{12}));
  EXPECT_EQ(*lines.features[0].find("geometrie"), AttributeValue(std::string("droite")));
  EXPECT_EQ(source->fetch("vide", everything, lambert, {}).outcome, Outcome::confirmed_empty);
}

TEST(GeoPackage, SameInputSameBytesWhateverTheTime) {
  const TemporaryFolder work;
  write_geopackage(work / "a.gpkg", sample(), lambert);
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  fs::create_directory(work.path() / "elsewhere");
  std::jthread([&] { write_geopackage(work / "elsewhere/other name.gpkg", sample(), lambert); }).join();
  const std::string first = bytes_of(work / "a.gpkg");
  EXPECT_GT(first.size(), 10000U);
  EXPECT_EQ(first, bytes_of(work / "elsewhere/other name.gpkg"));
}

TEST(GeoPackage, ReplacesWhatWasThereOrLeavesItAlone) {
  const TemporaryFolder work;
  const std::string path = work.write("truth.gpkg", "something else");
  VectorLayer damaged{"l", "", {{"x", "no geometry", {}}}};
  EXPECT_THROW(write_geopackage(path, std::span(&damaged, 1), lambert), CorruptData);
  EXPECT_THROW(write_geopackage(path, std::span(&damaged, 0), 999999), Unsupported);
  damaged = {"l", "Blob", {}};
  EXPECT_THROW(write_geopackage(path, std::span(&damaged, 1), lambert), InvalidArgument);
  EXPECT_EQ(bytes_of(path), "something else");
  EXPECT_EQ(files_in(work), 1U);
  write_geopackage(path, sample(), lambert);
  EXPECT_EQ(files_in(work), 1U);
  EXPECT_EQ(open_vector_files(path)->fetch("batiment", everything, lambert, {}).features.size(), 4U);
}

TEST(GeoPackage, SaysWhyItCannotBeWritten) {
  const TemporaryFolder work;
  EXPECT_THROW(write_geopackage(work / "no such folder/a.gpkg", sample(), lambert), NotFound);
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::permissions(work.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THROW(write_geopackage(work / "a.gpkg", sample(), lambert), PermissionDenied);
  fs::permissions(work.path(), fs::perms::owner_all);
}

}  // namespace
}  // namespace tuile::truth
