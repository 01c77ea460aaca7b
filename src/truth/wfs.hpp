#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/source/http.hpp"
#include "tuile/truth/features.hpp"

namespace tuile::truth {

struct WfsOptions {
  std::string url = "https://data.geopf.fr/wfs/ows";
  std::string prefix = "BDTOPO_V3:";  ///< before layer names without a colon
  int page_size = 5000;               ///< COUNT of a request
  std::string sort_by = "cleabs";     ///< key of paging and de-duplication; empty: the box is split instead
  std::string edition_folder;         ///< where the capabilities' answer is kept (a day); empty: nowhere
};

/// A WFS 2.0 (GeoJSON). Pages with STARTINDEX and SORTBY and de-duplicates on the key, splits the box where answers are too large or cannot
/// be sorted, takes nothing for an empty answer that is not one: exception reports, HTML, empty and truncated bodies are failures. The
/// client must outlive it.
std::unique_ptr<FeatureSource> make_wfs(WfsOptions options, std::shared_ptr<source::HttpClient> client);

/// One page of a GeoJSON answer.
struct GeoJsonPage {
  std::vector<Feature> features;
  std::size_t entries = 0;  ///< entries of `features` in the answer, those left out counted too
  std::size_t invalid = 0;  ///< entries that were no features
  long long matched = -1;   ///< numberMatched; -1: absent or "unknown"
  int epsg = 0;             ///< of its "crs" member; 0: says nothing
};

/// Parses a FeatureCollection. id_attribute: whose value becomes Feature::id where it is there, else the entry's own "id", else a hash of
/// the geometry. Bytes that are not UTF-8 become U+FFFD; numbers may be strings. Throws CorruptData: not JSON, not a FeatureCollection,
/// damaged.
GeoJsonPage parse_geojson(std::string_view text, const std::string& id_attribute);

/// The message of an ExceptionReport or ServiceExceptionReport, in XML or JSON; "" where `text` is none.
std::string exception_text(std::string_view text);

/// A tile of a published index.
struct IndexTile {
  std::string name;  ///< file name
  std::string url;   ///< empty where the index names none for this tile
  Bounds bounds;
};
/// Asks a WFS for the tiles of a box: the layers in turn until one exists; the URL from the first of `url_attributes` that is there, the
/// name from its last path element (or the attribute `name`). Throws NotFound where no layer exists, as HttpClient::fetch, CorruptData.
/// Sorted by name, each once.
std::vector<IndexTile> fetch_index(source::HttpClient& client, const WfsOptions& options, const std::vector<std::string>& layers,
                                   const std::vector<std::string>& url_attributes, const Bounds& box, int epsg, std::stop_token stop);

}  // namespace tuile::truth
