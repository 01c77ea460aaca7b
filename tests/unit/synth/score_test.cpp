#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include "synth/map_layers.hpp"
#include "synth/sampling.hpp"
#include "truth/vector_files.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/label/label.hpp"
#include "tuile/truth/layer.hpp"

namespace tuile::synth {
namespace {

using Test = truth::AttributeTest;

/// The layers of the design's table (ground_truth.md), high priority first.
std::vector<truth::Layer> table_layers() {
  std::vector<truth::Layer> layers;
  for (const char* name : {"batiment", "construction_surfacique", "troncon_de_voie_ferree", "troncon_de_route", "surface_hydrographique",
                           "zone_de_vegetation", "terrain_de_sport", "cimetiere", "ligne_electrique"})
    layers.push_back({name, {}, {}, {}});
  layers[1].only = {{"nature", Test::Kind::in, {"Pont"}, 0, false}};
  layers[2].buffer = truth::LineBuffer{"nombre_de_voies", 1.75, "nature", {}, 1.75, 0, true};
  const std::map<std::string, double> half_widths{{"Type autoroutier", 4.5},
                                                  {"Route à 2 chaussées", 3.5},
                                                  {"Route à 1 chaussée", 2.5},
                                                  {"Bretelle", 2.0},
                                                  {"Rond-point", 3.5},
                                                  {"Route empierrée", 1.5},
                                                  {"Chemin", 1.25},
                                                  {"Sentier", 0.5}};
  layers[3].buffer = truth::LineBuffer{"largeur_de_chaussee", 0.5, "nature", half_widths, 2, 0.5, false};
  layers[4].only = {{"position_par_rapport_au_sol", Test::Kind::at_least, {}, 0, true},
                    {"persistance", Test::Kind::in, {"Permanent"}, 0, true}};
  layers[8].buffer = truth::LineBuffer{"", 1, "", {}, 3, 0, false};
  return layers;
}

label::LabelPlan table_rules() {
  const auto rule = [](std::uint8_t code, const char* where) { return label::Rule{code, label::Condition(where)}; };
  return {{{"batiment", {rule(6, "h >= 0.2 or verticality >= 0.45")}},
           {"construction_surfacique", {rule(17, "h >= -0.5 and normal_z >= 0.9")}},
           {"troncon_de_voie_ferree", {rule(10, "h >= -0.3 and h <= 1.0")}},
           {"troncon_de_route", {rule(11, "h >= -0.3 and h <= 1.2 and normal_z >= 0.9")}},
           {"surface_hydrographique", {rule(9, "h >= -0.5 and h <= 0.3")}},
           {"zone_de_vegetation", {rule(3, "h < 0.5"), rule(4, "h < 1.5"), rule(5, "h >= 1.5")}},
           {"terrain_de_sport", {rule(70, "h <= 2.5")}},
           {"cimetiere", {rule(71, "h <= 2.5")}},
           {"ligne_electrique", {rule(14, "h >= 5 and linearity >= 0.5")}}},
          true};
}

/// All points of a town as one block, and what each of them is.
struct Survey {
  PointBlock points;
  std::vector<std::uint8_t> truth;
};

Survey survey(const Town& town, Executor& executor) {
  const Scanner scanner(town);
  std::vector<Scanner::Strip> strips;
  for (int y = 0; y < town.options.tiles_y; ++y) {
    for (int x = 0; x < town.options.tiles_x; ++x) {
      for (const auto& strip : scanner.strips(x, y)) strips.push_back(strip);
    }
  }
  std::vector<std::vector<TownPoint>> parts(strips.size());
  executor.for_each(strips.size(), [&](std::size_t i) { scanner.sample(strips[i], parts[i]); });
  std::size_t count = 0;
  for (const auto& part : parts) count += part.size();
  Survey all;
  const std::array<std::int32_t, 3> origin{static_cast<std::int32_t>(town.options.west * 100),
                                           static_cast<std::int32_t>(town.options.south * 100), 0};
  all.points.grid = {point_scale, {origin[0], origin[1], origin[2]}};
  all.points.units = Buffer<GridPoint>(count);
  all.points.classification = Buffer<std::uint8_t>(count);
  std::size_t i = 0;
  for (const auto& part : parts) {
    for (const TownPoint& point : part) {
      all.points.units[i] = {point.x - origin[0], point.y - origin[1], point.z};
      all.points.classification[i++] = point.classification;
      all.truth.push_back(point.object_class);
    }
  }
  return all;
}

/// The layers as they come back from the GeoPackage.
GroundTruth ground_truth_of(const Town& town) {
  const std::string path = (std::filesystem::temp_directory_path() / ("tuile_score_" + std::to_string(::getpid()) + ".gpkg")).string();
  truth::write_geopackage(path, map_layers(town), 2154);
  GroundTruth all;
  const auto source = truth::open_vector_files(path);
  for (const truth::Layer& layer : table_layers()) {
    const truth::FetchResult found = source->fetch(layer.name, town.bounds().expanded(truth::reach(layer)), 2154, {});
    EXPECT_EQ(found.outcome, Outcome::data) << layer.name << ": " << found.reason;
    LayerTruth truth{layer.name, found.outcome};
    truth.areas = truth::make_areas(found.features, layer, truth.repaired);
    EXPECT_EQ(truth.repaired, 0U) << layer.name;
    EXPECT_GT(truth.areas.size(), 0U) << layer.name;
    all.layers.push_back(std::move(truth));
  }
  std::filesystem::remove(path);
  return all;
}

TEST(Score, LabelsOfTheMapAgreeWithWhatPulsesHit) {
  TownOptions options;
  options.density = 10;
  const Town town = make_town(options);
  Executor executor;
  const Survey all = survey(town, executor);
  const GroundTruth truth = ground_truth_of(town);

  const auto backend = compute::make_backend("cpu", executor);
  const compute::TileInput input{&all.points, nullptr, all.points.extent(), 0};
  const auto plan = features::make_plan({"height_above_ground", "verticality", "normal_z", "linearity", "planarity", "ndvi"}, {{}});
  const auto computed = backend->compute({&input, 1}, plan, {{65, 66}}, {});
  const LabelBlock labels = label::label_points(all.points, computed[0].features, computed[0].valid.span(), truth, table_rules(), executor);

  std::map<std::string, std::set<int>> groups{{"buildings", {6}},        {"roads", {11}},      {"water", {9}},
                                              {"vegetation", {3, 4, 5}}, {"rails", {10}},      {"bridges", {17}},
                                              {"sports", {70}},          {"cemeteries", {71}}, {"wires", {14}}};
  std::map<std::string, double> iou;
  for (const auto& [name, classes] : groups) {  // what the file's own classes say does not count
    std::size_t both = 0, either = 0;
    std::map<int, std::size_t> missed, wrong;  // by the class that it has instead
    for (std::size_t i = 0; i < all.points.size(); ++i) {
      const bool is = classes.contains(all.truth[i]),
                 said = labels.source[i] != LabelBlock::from_file && classes.contains(labels.labels[i]);
      both += is && said;
      either += is || said;
      if (is && !said) ++missed[labels.labels[i]];
      if (said && !is) ++wrong[all.truth[i]];
    }
    iou[name] = static_cast<double>(both) / static_cast<double>(either);
    std::printf("%-10s IoU %.4f of %zu points; missed, labelled as:", name.c_str(), iou[name], either);
    for (const auto& [code, count] : missed) std::printf(" %d:%zu", code, count);
    std::printf("; wrong, really:");
    for (const auto& [code, count] : wrong) std::printf(" %d:%zu", code, count);
    std::printf("\n");
  }
  EXPECT_GE(iou["buildings"], 0.95);
  EXPECT_GE(iou["roads"], 0.95);
  EXPECT_GE(iou["water"], 0.9);
  EXPECT_GE(iou["vegetation"], 0.9);
  EXPECT_GE(iou["bridges"], 0.9);
  EXPECT_GE(iou["rails"], 0.9);
  EXPECT_GE(iou["sports"], 0.9);
  EXPECT_GE(iou["cemeteries"], 0.9);
}

}  // namespace
}  // namespace tuile::synth
