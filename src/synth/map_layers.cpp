#include "synth/map_layers.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace tuile::synth {

namespace {

using Ring = Outline::Ring;
using Polygon = std::vector<Ring>;
using Attributes = std::vector<std::pair<std::string, truth::AttributeValue>>;

/// ISO WKB, little-endian. Source: OGC 06-103r4, 8.2; codes of Z types are those of plain ones plus 1000.
class Wkb {
 public:
  explicit Wkb(std::optional<double> z) : z_(z) {}

  std::string multi_polygon(const std::vector<Polygon>& polygons) {
    begin(6, polygons.size());
    for (const Polygon& polygon : polygons) {
      begin(3, polygon.size());
      for (const Ring& ring : polygon) {
        put(static_cast<std::uint32_t>(ring.size() + 1));
        for (const Vertex& vertex : ring) put(vertex);
        put(ring.front());
      }
    }
    return std::move(bytes_);
  }

  std::string line_string(const std::vector<Vertex>& line) {
    begin(2, line.size());
    for (const Vertex& vertex : line) put(vertex);
    return std::move(bytes_);
  }

 private:
  void begin(std::uint32_t type, std::size_t count) {
    bytes_.push_back(1);
    put(type + (z_ ? 1000 : 0));
    put(static_cast<std::uint32_t>(count));
  }
  void put(const Vertex& vertex) {
    put(vertex.x);
    put(vertex.y);
    if (z_) put(*z_);
  }
  template <class T>
  void put(T value) {
    static_assert(std::endian::native == std::endian::little, "tuile runs on little-endian machines");
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }

  std::string bytes_;
  std::optional<double> z_;
};

/// Heights on the map are in decimetres.
double decimetres(double value) noexcept { return std::round(value * 10) / 10; }

/// Adds a feature, `cleabs` its first attribute.
void add(truth::VectorLayer& layer, const std::string& cleabs, std::string geometry, Attributes attributes) {
  attributes.insert(attributes.begin(), {"cleabs", cleabs});
  layer.features.push_back({cleabs, std::move(geometry), std::move(attributes)});
}

void add_area(truth::VectorLayer& layer, const std::string& cleabs, const std::vector<Polygon>& polygons, Attributes attributes) {
  add(layer, cleabs, Wkb(std::nullopt).multi_polygon(polygons), std::move(attributes));
}

void add_line(truth::VectorLayer& layer, const std::string& cleabs, const std::vector<Vertex>& line, Attributes attributes) {
  add(layer, cleabs, Wkb(std::nullopt).line_string(line), std::move(attributes));
}

const std::pair<std::string, truth::AttributeValue> in_service{"etat_de_l_objet", "En service"},
    on_the_ground{"position_par_rapport_au_sol", "0"};

truth::VectorLayer buildings(const Town& town) {
  truth::VectorLayer layer{"batiment", "MultiPolygon", {}};
  for (const Outline& outline : town.outlines) {
    // Heights are the gutter's, as the real ones; storeys of 3 m.
    const double gutter = decimetres(outline.eave), height = decimetres(outline.eave - outline.ground);
    add(layer, outline.cleabs, Wkb(gutter).multi_polygon(outline.parts),
        {{"nature", outline.nature},
         {"usage_1", outline.usage},
         {"construction_legere", false},
         in_service,
         {"hauteur", height},
         {"nombre_d_etages", std::max<std::int64_t>(1, std::llround(height / 3))},
         {"altitude_minimale_sol", decimetres(outline.ground)},
         {"altitude_minimale_toit", gutter},
         {"altitude_maximale_toit", decimetres(outline.ridge)},
         {"origine_du_batiment", outline.origin}});
  }
  return layer;
}

truth::VectorLayer bridges(const Town& town) {
  truth::VectorLayer layer{"construction_surfacique", "MultiPolygon", {}};
  for (const Bridge& bridge : town.bridges) {
    Ring ring;
    for (const Vertex& corner : bridge.deck.footprint())
      ring.push_back({std::round(corner.x * 1000) / 1000, std::round(corner.y * 1000) / 1000});
    add_area(layer, bridge.cleabs, {{ring}}, {{"nature", "Pont"}, in_service});
  }
  return layer;
}

truth::VectorLayer railways(const Town& town) {
  truth::VectorLayer layer{"troncon_de_voie_ferree", "LineString", {}};
  for (const Railway& railway : town.railways) {
    add_line(layer, railway.cleabs, railway.line,
             {{"nature", "Voie ferrée principale"},
              on_the_ground,
              in_service,
              {"electrifie", false},
              {"largeur", "Normale"},
              {"nombre_de_voies", std::int64_t{railway.tracks}}});
  }
  return layer;
}

truth::VectorLayer roads(const Town& town) {
  truth::VectorLayer layer{"troncon_de_route", "LineString", {}};
  for (const Road& road : town.roads) {
    add_line(layer, road.cleabs, road.line,
             {{"nature", road.nature},
              {"importance", road.nature == "Route à 2 chaussées" ? "4" : "5"},
              {"fictif", false},
              on_the_ground,
              in_service,
              {"nombre_de_voies", std::int64_t{2}},
              {"largeur_de_chaussee", road.width_known ? truth::AttributeValue(road.width) : truth::AttributeValue()},
              {"sens_de_circulation", "Double sens"}});
  }
  return layer;
}

truth::VectorLayer waters(const Town& town) {
  truth::VectorLayer layer{"surface_hydrographique", "MultiPolygon", {}};
  const auto attributes = [](const char* nature, const char* position, const char* persistence) {
    return Attributes{{"nature", nature}, {"position_par_rapport_au_sol", position}, in_service, {"persistance", persistence}};
  };
  for (const Water& water : town.waters) add_area(layer, water.cleabs, {{water.ring}}, attributes("Mare", "0", "Permanent"));
  for (const HiddenWater& water : town.hidden_waters) {
    add_area(layer, water.cleabs, {{water.ring}},
             water.underground ? attributes("Réservoir-bassin", "-1", "Permanent") : attributes("Mare", "0", "Intermittent"));
  }
  return layer;
}

truth::VectorLayer vegetation(const Town& town) {
  truth::VectorLayer layer{"zone_de_vegetation", "MultiPolygon", {}};
  for (const VegetationArea& area : town.vegetation) {
    Polygon polygon{area.ring};
    if (!area.hole.empty()) polygon.push_back(area.hole);
    add_area(layer, area.cleabs, {polygon}, {{"nature", area.nature}});
  }
  return layer;
}

truth::VectorLayer grounds(const std::vector<Ground>& grounds, const char* name, const char* nature) {
  truth::VectorLayer layer{name, "MultiPolygon", {}};
  for (const Ground& ground : grounds) add_area(layer, ground.cleabs, {{ground.ring}}, {{"nature", nature}, in_service});
  return layer;
}

truth::VectorLayer power_lines(const Town& town) {
  truth::VectorLayer layer{"ligne_electrique", "LineString", {}};
  for (const PowerLine& line : town.power_lines) add_line(layer, line.cleabs, line.pylons, {{"voltage", "63 kV"}, in_service});
  return layer;
}

}  // namespace

std::vector<truth::VectorLayer> map_layers(const Town& town) {
  std::vector<truth::VectorLayer> layers{buildings(town),
                                         bridges(town),
                                         railways(town),
                                         roads(town),
                                         waters(town),
                                         vegetation(town),
                                         grounds(town.sports_grounds, "terrain_de_sport", "Petit terrain multi-sports"),
                                         grounds(town.cemeteries, "cimetiere", "Civil"),
                                         power_lines(town)};
  for (truth::VectorLayer& layer : layers) {
    std::sort(layer.features.begin(), layer.features.end(), [](const truth::Feature& a, const truth::Feature& b) { return a.id < b.id; });
  }
  return layers;
}

}  // namespace tuile::synth
