#include "synth/orthophoto.hpp"

#include <gtest/gtest.h>

#include <map>
#include <stop_token>

#include "tuile/core/error.hpp"

namespace tuile::synth {
namespace {

TEST(Orthophoto, FrameGoesAroundTheTownWithinItsLimit) {
  const Orthophoto usual = Orthophoto::frame({870000, 6617000, 870600, 6617400});
  EXPECT_EQ(usual.pixel, 0.2);
  EXPECT_EQ(usual.columns, 3020U);
  EXPECT_EQ(usual.rows, 2020U);
  EXPECT_EQ(usual.west, 869998);
  EXPECT_EQ(usual.north, 6617402);
  const Orthophoto large = Orthophoto::frame({870000, 6617000, 890000, 6637000});
  EXPECT_DOUBLE_EQ(large.pixel, 1.2);
  EXPECT_EQ(large.columns, 16670U);
  EXPECT_LE(double{1} * large.columns * large.rows, 400e6);
  const Orthophoto narrow = Orthophoto::frame({0, 0, 0.5, 1000});
  EXPECT_EQ(narrow.columns, 23U);  // the last one reaches beyond
}

TEST(Orthophoto, ShowsWhatIsOnTop) {
  TownOptions options;
  options.tiles_x = options.tiles_y = 2;
  const Town town = make_town(options);
  const Scene scene(town);
  Executor executor(2);
  const Orthophoto photo = Orthophoto::render(scene, executor, {});
  const auto at = [&](double x, double y) {
    const auto column = static_cast<std::size_t>((x - photo.west) / photo.pixel),
               row = static_cast<std::size_t>((photo.north - y) / photo.pixel);
    return photo.seen.at(row * photo.columns + column);
  };
  std::map<Material, std::size_t> found;
  const auto expect_at = [&](const Vertex& place, Material material, const char* what) {
    if (!town.bounds().contains(place.x, place.y)) return;
    const Material seen = at(place.x, place.y);
    if (seen == Material::metal) return;  // a wire, a car
    EXPECT_EQ(static_cast<int>(seen), static_cast<int>(material)) << what << " at " << place.x << " " << place.y;
    ++found[material];
  };
  for (const Building& building : town.buildings)
    expect_at(building.body.centre, building.body.roof == RoofShape::flat ? Material::gravel : Material::tiles, "roof");
  for (const Tree& tree : town.trees) expect_at(tree.position, Material::leaves, "crown");
  for (const Road& road : town.roads)
    expect_at({(road.line[1].x + road.line[2].x) / 2, (road.line[1].y + road.line[2].y) / 2}, Material::asphalt, "road");
  for (const Bridge& bridge : town.bridges) {
    expect_at(bridge.deck.centre, Material::asphalt, "bridge");
    expect_at({bridge.deck.centre.x + 4, bridge.deck.centre.y + 4}, Material::water, "pond");
  }
  for (const HiddenWater& water : town.hidden_waters) {
    for (const Vertex& vertex : water.ring) {
      if (!town.bounds().contains(vertex.x, vertex.y)) continue;
      EXPECT_NE(static_cast<int>(at(vertex.x, vertex.y)), static_cast<int>(Material::water));
    }
  }
  for (const Material material : {Material::gravel, Material::tiles, Material::leaves, Material::asphalt, Material::water})
    EXPECT_GT(found[material], 4U) << static_cast<int>(material);
}

TEST(Orthophoto, StopsWhenAsked) {
  TownOptions options;
  options.tiles_x = options.tiles_y = 1;
  const Town town = make_town(options);
  const Scene scene(town);
  Executor executor(2);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(Orthophoto::render(scene, executor, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace tuile::synth
