#include <algorithm>
#include <array>
#include <tuple>

#include "truth/wfs.hpp"
#include "truth/wfs_layer.hpp"
#include "truth/wkb_bounds.hpp"
#include "tuile/core/utf8.hpp"
#include "tuile/source/http.hpp"

namespace tuile::truth {

namespace {

/// What a file may be called wherever it comes from: no folder, nothing hidden, no control characters; "" where nothing is left.
std::string file_name(std::string_view text) {
  text = text.substr(0, text.find_first_of("?#"));
  text = text.substr(text.find_last_of("/\\") + 1);
  while (!text.empty() && text.front() == '.') text.remove_prefix(1);
  return clean_utf8(text);
}

bool is_tile_name(const std::string& name) {
  std::string end = name.size() < 4 ? std::string() : name.substr(name.size() - 4);
  std::transform(end.begin(), end.end(), end.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return end == ".laz" || end == ".las";
}

std::string attribute_text(const Feature& feature, std::string_view name) {
  const AttributeValue* value = feature.find(name);
  return value == nullptr ? std::string() : to_text(*value);
}

/// Without a URL where no attribute has one.
IndexTile tile_of(const Feature& feature, const std::vector<std::string>& url_attributes) {
  IndexTile tile;
  for (const std::string& attribute : url_attributes) {
    tile.url = attribute_text(feature, attribute);
    if (source::is_url(tile.url)) break;
    tile.url.clear();
  }
  tile.name = file_name(tile.url);
  if (const std::string other = file_name(attribute_text(feature, "name")); !is_tile_name(tile.name) && !other.empty()) tile.name = other;
  tile.bounds = wkb_bounds(feature.geometry);
  return tile;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::vector<IndexTile> tiles_of(const FetchResult& answer, const std::string& layer, const std::vector<std::string>& url_attributes) {
  std::vector<IndexTile> tiles;
  for (const Feature& feature : answer.features) {
    IndexTile tile = tile_of(feature, url_attributes);
    if (!tile.name.empty()) tiles.push_back(std::move(tile));
  }
  if (!answer.features.empty() && std::all_of(tiles.begin(), tiles.end(), [](const IndexTile& tile) { return tile.url.empty(); })) {
    std::vector<std::string> names;
    for (const auto& [name, value] : answer.features.front().attributes) names.push_back(name);
    throw CorruptData("the index '" + layer + "' has " + std::to_string(answer.features.size()) + " tiles and none a URL in " +
                      joined(url_attributes) + "; its attributes are " + joined(names));
  }
  // A tile that was published again stands there with several URLs; dates are part of them, so the greatest is the latest.
  std::sort(tiles.begin(), tiles.end(),
            [](const IndexTile& a, const IndexTile& b) { return std::tie(a.name, b.url) < std::tie(b.name, a.url); });
  tiles.erase(std::unique(tiles.begin(), tiles.end(), [](const IndexTile& a, const IndexTile& b) { return a.name == b.name; }),
              tiles.end());
  return tiles;
}

}  // namespace

std::vector<IndexTile> fetch_index(source::HttpClient& client, const WfsOptions& options, const std::vector<std::string>& layers,
                                   const std::vector<std::string>& url_attributes, const Bounds& box, int epsg, std::stop_token stop) {
  std::string refusals;
  bool all_unknown = true;
  for (const std::string& layer : layers) {
    const std::string full_name = layer.find(':') == layer.npos ? options.prefix + layer : layer;
    const FetchResult answer = fetch_layer(client, options, full_name, box, epsg, stop);
    if (is_sound(answer.outcome)) return tiles_of(answer, full_name, url_attributes);
    // A refusal without a reason (HTTP 400) is how some services say that they do not know a layer.
    const bool may_be_unknown =
        answer.outcome == Outcome::failed && (answer.kind == ErrorKind::not_found || answer.kind == ErrorKind::unsupported);
    const std::string reason = "the index '" + full_name + "': " + answer.reason;
    if (!may_be_unknown) throw_error(answer.kind, reason);
    all_unknown = all_unknown && answer.kind == ErrorKind::not_found;
    refusals += (refusals.empty() ? "" : "; ") + reason;
  }
  if (layers.empty()) throw NotFound("no index layer was given; name at least one");
  throw_error(all_unknown ? ErrorKind::not_found : ErrorKind::unsupported, refusals);
}

}  // namespace tuile::truth
