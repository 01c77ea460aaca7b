#include "truth/wfs_request.hpp"

#include <array>
#include <charconv>

#include "tuile/source/http.hpp"

namespace tuile::truth {

std::string decimal(double value) {
  std::array<char, 800> text{};  // the largest double has 309 digits, the smallest some 770 behind the point
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return error == std::errc{} ? std::string(text.data(), end) : std::string();
}

std::string query_of(const std::string& url) {
  const std::string service = url.substr(0, url.find('#'));
  if (service.find('?') == service.npos) return service + "?";
  return service.ends_with('?') || service.ends_with('&') ? service : service + "&";
}

std::string feature_url(const std::string& service, const PageRequest& request) {
  const std::string crs = "EPSG:" + std::to_string(request.epsg);
  const std::string box = decimal(request.box.min_x) + "," + decimal(request.box.min_y) + "," + decimal(request.box.max_x) + "," +
                          decimal(request.box.max_y) + "," + crs;
  std::string url = query_of(service) + "SERVICE=WFS&VERSION=2.0.0&REQUEST=GetFeature&TYPENAMES=" + source::url_encode(request.layer) +
                    "&OUTPUTFORMAT=application%2Fjson&SRSNAME=" + source::url_encode(crs) + "&BBOX=" + source::url_encode(box) +
                    "&COUNT=" + std::to_string(request.count);
  if (request.start >= 0) url += "&STARTINDEX=" + std::to_string(request.start);
  if (!request.sort_by.empty()) url += "&SORTBY=" + source::url_encode(request.sort_by);
  return url + "&exceptions=application%2Fjson";
}

std::string capabilities_url(const std::string& service) { return query_of(service) + "SERVICE=WFS&VERSION=2.0.0&REQUEST=GetCapabilities"; }

}  // namespace tuile::truth
