#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "support/fault_server.hpp"
#include "truth/wfs.hpp"
#include "tuile/source/http.hpp"

namespace tuile::test {

/// Rectangles strewn over a square kilometre, and a WFS that serves them, well or in one of the ways that real services have.
class SyntheticLayer {
 public:
  struct Object {
    std::string id;
    Bounds box;
  };

  enum class Matched { number, text, unknown, absent };
  enum class Crs { name, none, null };
  struct Behaviour {
    Matched matched = Matched::number;
    Crs crs = Crs::name;
    int cap = 0;                    ///< most features of an answer, whatever COUNT says; 0: none
    bool sorts = true;              ///< else SORTBY is answered with an exception
    int sort_status = 200;          ///< HTTP status of that exception
    bool pages = true;              ///< honours STARTINDEX
    bool unstable = false;          ///< begins every page three features early
    bool ids_in_properties = true;  ///< cleabs among the properties; else only the entry's own id
    int outside = 0;                ///< further features, outside the box, at the end of every page
    int without_geometry = 0;       ///< the first so many objects have none
    std::string layer = "TEST:batiment";
  };

  explicit SyntheticLayer(int objects, std::uint32_t seed = 7) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> place(0, 9900), size(5, 300);
    for (int i = 0; i < objects; ++i) {
      const double x = west + place(random) * 0.1, y = south + place(random) * 0.1;
      std::string number = std::to_string((i * 7919) % 100000);  // ids do not follow the places
      objects_.push_back(
          {"BATIMENT" + std::string(8 - number.size(), '0') + number, {x, y, x + size(random) * 0.1, y + size(random) * 0.1}});
    }
  }

  static constexpr double west = 326000, south = 6828000;
  static Bounds all() { return {west, south, west + 1000, south + 1000}; }

  /// What must come out, in order of id: computed here, by going through all objects.
  std::vector<Object> expected(const Bounds& box) const {
    std::vector<Object> found;
    for (const Object& object : objects_) {
      if (object.box.intersects(box)) found.push_back(object);
    }
    std::sort(found.begin(), found.end(), [](const Object& a, const Object& b) { return a.id < b.id; });
    return found;
  }

  /// Number of the first object that differs in id or geometry; -1: none.
  static long difference(const std::vector<truth::Feature>& features, const std::vector<Object>& objects) {
    for (std::size_t i = 0; i < std::max(features.size(), objects.size()); ++i) {
      if (i >= features.size() || i >= objects.size()) return static_cast<long>(i);
      if (features[i].id != objects[i].id || features[i].geometry != rectangle_wkb(objects[i].box)) return static_cast<long>(i);
    }
    return -1;
  }

  ServerAnswer answer(const ServerRequest& request, const Behaviour& behaviour) const {
    const auto value = [&](const std::string& key, const std::string& otherwise) {
      const auto found = request.query.find(key);
      return found == request.query.end() ? otherwise : found->second;
    };
    if (value("typenames", "") != behaviour.layer) {
      return exception(400, "InvalidParameterValue", "typeName", "Feature type " + value("typenames", "") + " unknown");
    }
    const std::string sort_by = value("sortby", "");
    if (!sort_by.empty() && !behaviour.sorts) {
      return exception(behaviour.sort_status, "InvalidParameterValue", "",
                       "Illegal property name: " + sort_by + " for feature type " + behaviour.layer);
    }
    std::vector<Object> found = in_box(value("bbox", ""));
    if (sort_by.empty()) {
      std::sort(found.begin(), found.end(), [](const Object& a, const Object& b) { return a.box.min_x < b.box.min_x; });
    } else {
      std::sort(found.begin(), found.end(), [](const Object& a, const Object& b) { return a.id < b.id; });
    }
    const std::size_t matched = found.size();
    std::size_t start = behaviour.pages ? std::stoull(value("startindex", "0")) : 0;
    std::size_t count = std::stoull(value("count", "1000000"));
    if (behaviour.cap > 0) count = std::min(count, static_cast<std::size_t>(behaviour.cap));
    if (behaviour.unstable && start > 3) start -= 3;
    std::vector<Object> page;
    for (std::size_t i = start; i < std::min(found.size(), start + count); ++i) page.push_back(found[i]);
    return {200, "application/json", collection(page, matched, behaviour), {}};
  }

  static ServerAnswer exception(int status, const std::string& code, const std::string& locator, const std::string& text) {
    const nlohmann::json report = {{"version", "2.0.0"}, {"exceptions", {{{"code", code}, {"locator", locator}, {"text", text}}}}};
    return {status, "application/json", report.dump(), {}};
  }

  static std::string rectangle_wkb(const Bounds& b) {
    std::string wkb;
    const auto put = [&wkb](auto number) { wkb.append(reinterpret_cast<const char*>(&number), sizeof number); };
    wkb.push_back(1);
    put(std::uint32_t{1003});
    put(std::uint32_t{1});
    put(std::uint32_t{5});
    for (const auto& [x, y] : corners(b)) {
      put(x);
      put(y);
      put(67.5);
    }
    return wkb;
  }

 private:
  static std::array<std::pair<double, double>, 5> corners(const Bounds& b) {
    return {{{b.min_x, b.min_y}, {b.max_x, b.min_y}, {b.max_x, b.max_y}, {b.min_x, b.max_y}, {b.min_x, b.min_y}}};
  }

  /// "xmin,ymin,xmax,ymax,EPSG:n"; anything else is a mistake of the client and finds everything.
  std::vector<Object> in_box(const std::string& text) const {
    std::istringstream stream(text);
    Bounds box;
    char comma = 0;
    std::string crs;
    stream >> box.min_x >> comma >> box.min_y >> comma >> box.max_x >> comma >> box.max_y >> comma >> crs;
    return crs == "EPSG:2154" ? expected(box) : objects_;
  }

  static std::string collection(const std::vector<Object>& page, std::size_t matched, const Behaviour& behaviour) {
    nlohmann::ordered_json root;
    root["type"] = "FeatureCollection";
    if (behaviour.matched == Matched::number) root["numberMatched"] = matched;
    if (behaviour.matched == Matched::text) root["numberMatched"] = std::to_string(matched);
    if (behaviour.matched == Matched::unknown) root["numberMatched"] = "unknown";
    if (behaviour.crs == Crs::null) root["crs"] = nullptr;
    if (behaviour.crs == Crs::name) root["crs"] = {{"type", "name"}, {"properties", {{"name", "urn:ogc:def:crs:EPSG::2154"}}}};
    root["features"] = nlohmann::ordered_json::array();
    const auto add = [&](const Object& object, bool with_geometry) {
      nlohmann::ordered_json feature;
      feature["type"] = "Feature";
      feature["id"] = behaviour.ids_in_properties ? "batiment." + object.id : object.id;
      nlohmann::ordered_json ring = nlohmann::ordered_json::array();
      for (const auto& [x, y] : corners(object.box)) ring.push_back({x, y, 67.5});
      if (with_geometry) {
        feature["geometry"] = {{"type", "Polygon"}, {"coordinates", nlohmann::ordered_json::array({ring})}};
      } else {
        feature["geometry"] = nullptr;
      }
      if (behaviour.ids_in_properties) feature["properties"]["cleabs"] = object.id;
      feature["properties"]["hauteur"] = object.box.max_x - object.box.min_x;
      feature["properties"]["nature"] = "Indifférenciée";
      root["features"].push_back(feature);
    };
    for (std::size_t i = 0; i < page.size(); ++i) add(page[i], i >= static_cast<std::size_t>(behaviour.without_geometry));
    for (int i = 0; i < behaviour.outside; ++i) {
      const double x = west - 2000 - i;
      add({"OUTSIDE" + std::to_string(i), {x, south, x + 0.5, south + 10}}, true);
    }
    return root.dump();
  }

  std::vector<Object> objects_;
};

/// A client without delays.
inline std::shared_ptr<source::HttpClient> quick_client(int retries = 4, std::size_t largest_body = 2'000'000, double timeout = 2) {
  source::HttpOptions options;
  options.requests_per_second = 0;
  options.timeout = timeout;
  options.connect_timeout = timeout;
  options.retries = retries;
  options.retry_delay = 0.001;
  options.longest_delay = 0.5;
  options.breaker_failures = 1000;
  options.largest_body = largest_body;
  return std::make_shared<source::HttpClient>(options);
}

inline truth::WfsOptions options_for(const FaultServer& server, int page_size) {
  truth::WfsOptions options;
  options.url = server.url("/wfs");
  options.prefix = "TEST:";
  options.page_size = page_size;
  return options;
}

/// Fetches `box` of the layer from a service of that behaviour.
inline truth::FetchResult fetch_from(const SyntheticLayer& layer, const SyntheticLayer::Behaviour& behaviour, const Bounds& box,
                                     int page_size = 100, std::vector<ServerRequest>* requests = nullptr,
                                     const std::string& sort_by = "cleabs") {
  FaultServer server([&](const ServerRequest& request) { return layer.answer(request, behaviour); });
  truth::WfsOptions options = options_for(server, page_size);
  options.sort_by = sort_by;
  const auto source = truth::make_wfs(options, quick_client());
  truth::FetchResult result = source->fetch("batiment", box, 2154, {});
  if (requests != nullptr) *requests = server.requests();
  return result;
}

}  // namespace tuile::test
