#pragma once

#include <stop_token>
#include <string>

#include "truth/wfs.hpp"
#include "tuile/source/http.hpp"

namespace tuile::truth {

/// All features of one layer (named with its prefix) that touch a box, in as many requests as it takes. See FeatureSource::fetch for what
/// is returned and thrown. With a key to sort by: pages, until as many entries have come as the service says there are, or, where it does
/// not say or the last page was full, until an empty one comes (a service may cut pages below COUNT). Entries that come again on a later
/// page mean that the order is not kept, so others may be missing: then, and without a key, the box is split in four wherever an answer may
/// have been cut.
FetchResult fetch_layer(source::HttpClient& client, const WfsOptions& options, const std::string& layer, const Bounds& box, int epsg,
                        std::stop_token stop);

}  // namespace tuile::truth
