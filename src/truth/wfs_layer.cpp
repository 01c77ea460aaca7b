#include "truth/wfs_layer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "truth/reproject.hpp"
#include "truth/wfs_page.hpp"
#include "truth/wkb_bounds.hpp"

namespace tuile::truth {

namespace {

constexpr int deepest_split = 10;                             ///< a cell of 2 km is then cut into pieces of 2 m
constexpr int most_requests = 2000;                           ///< for one layer and box
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;  ///< of the features of one layer and box
constexpr double near_distance = 1000;  ///< metres: services widen boxes when they reproject them, but not more than that

/// Longitudes and latitudes, by their size.
bool is_in_degrees(const Bounds& box) { return box.min_x >= -180 && box.max_x <= 180 && box.min_y >= -90 && box.max_y <= 90; }

/// How the fetch of an area ended. `changed`: the service gave out another number of features in between.
struct End {
  enum class Status { complete, truncated, failed, changed };
  Status status = Status::complete;
  std::string reason;
  ErrorKind kind = ErrorKind::io;
};

class LayerFetch {
 public:
  LayerFetch(source::HttpClient& client, const WfsOptions& options, const std::string& layer, const Bounds& box, int epsg,
             std::stop_token stop)
      : client_(client), options_(options), layer_(layer), box_(box), epsg_(epsg), stop_(std::move(stop)) {}

  FetchResult run() {
    const bool sorted = !options_.sort_by.empty();
    End end = area(box_, 0, sorted);
    if (end.status == End::Status::changed) {
      forget();
      end = area(box_, 0, sorted);
      if (end.status == End::Status::changed) end.status = End::Status::truncated;
    }
    return result(end);
  }

 private:
  End area(const Bounds& box, int depth, bool sorted) { return sorted && sortable_ ? pages(box, depth) : pieces(box, depth); }

  /// Page after page, sorted.
  End pages(const Bounds& box, int depth) {
    std::unordered_set<std::string> seen;
    long long matched = -1, entries = 0;
    while (true) {
      PageAnswer answer = ask({layer_, box, epsg_, options_.page_size, entries, options_.sort_by});
      switch (answer.status) {
        case PageAnswer::Status::page: break;
        case PageAnswer::Status::too_large: return split(box, depth, true, answer.reason);
        case PageAnswer::Status::refused:
        case PageAnswer::Status::unsortable:
          if (entries > 0) return {End::Status::failed, answer.reason, answer.kind};
          sortable_ = false;
          return pieces(box, depth);
        case PageAnswer::Status::failed: return {End::Status::failed, answer.reason, answer.kind};
      }
      GeoJsonPage& page = answer.page;
      const long long came = static_cast<long long>(page.entries);
      if (page.matched >= 0 && came > 0) {
        if (matched >= 0 && matched != page.matched) return changed(matched, page.matched);
        matched = page.matched;
      }
      if (came == 0) {
        if (entries == 0) matched = page.matched;
        if (matched > entries) return cut(matched, entries);
        return {};
      }
      bool again = false;
      std::vector<std::string> ids;
      for (const Feature& feature : page.features) {
        again = again || seen.contains(feature.id);
        ids.push_back(feature.id);
      }
      seen.insert(std::make_move_iterator(ids.begin()), std::make_move_iterator(ids.end()));
      if (const End end = keep(std::move(page)); end.status != End::Status::complete) return end;
      if (again) return pieces(box, depth);
      entries += came;
      if (matched >= 0 && entries >= matched && came < options_.page_size) return {};
    }
  }

  /// One answer, where it can be seen to be whole; else four areas.
  End pieces(const Bounds& box, int depth) {
    PageAnswer answer = ask({layer_, box, epsg_, options_.page_size, -1, {}});
    if (answer.status == PageAnswer::Status::too_large) return split(box, depth, false, answer.reason);
    if (answer.status != PageAnswer::Status::page) return {End::Status::failed, answer.reason, answer.kind};
    const long long matched = answer.page.matched, entries = static_cast<long long>(answer.page.entries);
    std::unordered_set<std::string> known;
    bool brings_new = false;
    for (const Feature& feature : answer.page.features) {
      brings_new = brings_new || !features_.contains(feature.id);
      known.insert(feature.id);
    }
    if (const End end = keep(std::move(answer.page)); end.status != End::Status::complete) return end;
    if (matched > entries && entries == 0) return cut(matched, entries);
    if (entries >= options_.page_size || matched > entries) return split(box, depth, false, cut(matched, entries).reason);
    if (matched >= 0 || entries == 0) return {};
    // Nothing says that this was all: the service may cut answers below COUNT. It is asked for what comes after.
    PageAnswer probe = ask({layer_, box, epsg_, options_.page_size, entries, {}});
    const std::string more = "the service gave " + std::to_string(entries) + " features and has more";
    // It cannot page: parts of the box are asked for until they bring nothing new.
    const std::string unsure = "the service gave " + std::to_string(entries) + " features and cannot tell whether it has more";
    switch (probe.status) {
      case PageAnswer::Status::page: break;
      case PageAnswer::Status::too_large: return split(box, depth, false, more);
      case PageAnswer::Status::unsortable:
      case PageAnswer::Status::refused: return brings_new ? split(box, depth, false, unsure) : End{};
      case PageAnswer::Status::failed:
        if (probe.kind == ErrorKind::unsupported && requests_ <= most_requests)
          return brings_new ? split(box, depth, false, unsure) : End{};
        return {End::Status::failed, probe.reason, probe.kind};
    }
    const bool is_more =
        std::any_of(probe.page.features.begin(), probe.page.features.end(), [&](const Feature& f) { return !known.contains(f.id); });
    if (!is_more) return {};  // the end, or a service that begins at the beginning whatever is asked
    return split(box, depth, false, more);
  }

  End split(const Bounds& box, int depth, bool sorted, const std::string& why) {
    if (depth >= deepest_split) {
      return {End::Status::truncated, "the box cannot be split further at " + decimal(box.min_x) + "," + decimal(box.min_y) + ": " + why,
              ErrorKind::unsupported};
    }
    const double x = std::midpoint(box.min_x, box.max_x), y = std::midpoint(box.min_y, box.max_y);
    const std::array<Bounds, 4> quarters{Bounds{box.min_x, box.min_y, x, y}, Bounds{x, box.min_y, box.max_x, y},
                                         Bounds{box.min_x, y, x, box.max_y}, Bounds{x, y, box.max_x, box.max_y}};
    for (const Bounds& quarter : quarters) {
      if (End end = area(quarter, depth + 1, sorted); end.status != End::Status::complete) return end;
    }
    return {};
  }

  PageAnswer ask(const PageRequest& request) {
    if (++requests_ > most_requests) {
      PageAnswer answer;
      answer.reason = "more than " + std::to_string(most_requests) + " requests for one box; raise ground_truth.wfs.page_size";
      answer.kind = ErrorKind::unsupported;
      return answer;
    }
    return get_page(client_, options_.url, request, options_.sort_by.empty() ? "cleabs" : options_.sort_by, stop_);
  }

  /// Takes the features of a page, in the CRS asked for, those that touch the box.
  End keep(GeoJsonPage page) {
    entries_ += page.entries;
    invalid_ += page.invalid;
    if (page.epsg == 0 && !page.features.empty() && !is_in_degrees(box_) &&
        std::all_of(page.features.begin(), page.features.end(), [](const Feature& f) { return is_in_degrees(wkb_bounds(f.geometry)); })) {
      page.epsg = 4326;  // RFC 7946: services that follow it name no CRS and answer in degrees whatever was asked for
    }
    if (page.epsg != 0 && page.epsg != epsg_) {
      const std::size_t before = page.features.size();
      try {
        reproject(page.features, page.epsg, epsg_);
      } catch (const Unsupported& error) {
        return {End::Status::failed, error.what(), error.kind()};
      }
      invalid_ += before - page.features.size();
    }
    const Bounds around = box_.expanded(near_distance);
    for (Feature& feature : page.features) {
      const Bounds bounds = wkb_bounds(feature.geometry);
      has_near_ = has_near_ || bounds.intersects(around);
      has_far_ = has_far_ || !bounds.intersects(around);
      if (!bounds.intersects(box_)) continue;
      const std::size_t weight = sizeof(Feature) + feature.geometry.size() + feature.attributes.size() * sizeof(feature.attributes[0]);
      if (features_.try_emplace(feature.id, std::move(feature)).second) bytes_ += weight;
    }
    if (bytes_ > most_bytes) {
      return {End::Status::truncated,
              "the features of one cell take more than " + std::to_string(most_bytes >> 20) + " MiB; lower ground_truth.cache.cell",
              ErrorKind::unsupported};
    }
    return {};
  }

  static End changed(long long before, long long after) {
    return {End::Status::changed,
            "the service had " + std::to_string(before) + " features, then " + std::to_string(after) + ": its data change", ErrorKind::io};
  }
  static End cut(long long matched, long long entries) {
    return {End::Status::truncated,
            "the service gave " + std::to_string(entries) + " of " + (matched > entries ? std::to_string(matched) : std::string("more")) +
                " features",
            ErrorKind::io};
  }

  void forget() {
    features_.clear();
    entries_ = invalid_ = bytes_ = 0;
    has_near_ = has_far_ = false;
  }

  FetchResult result(const End& end) {
    FetchResult result;
    result.invalid = invalid_;
    result.reason = end.reason;
    result.kind = end.kind;
    if (end.status == End::Status::failed && requests_ <= most_requests) return result;
    result.features.reserve(features_.size());
    for (auto& [id, feature] : features_) result.features.push_back(std::move(feature));
    std::sort(result.features.begin(), result.features.end(), [](const Feature& a, const Feature& b) { return a.id < b.id; });
    if (end.status != End::Status::complete) {
      result.outcome = Outcome::truncated;
    } else if (!result.features.empty()) {
      result.outcome = Outcome::data;
    } else if (entries_ == 0 || has_near_) {
      result.outcome = Outcome::confirmed_empty;  // has_near_: the service took the box for a little bigger
    } else {
      result.kind = ErrorKind::corrupt;
      result.reason = std::to_string(entries_) + " features came for '" + layer_ + "' and " +
                      (has_far_ ? "all lie far from the box asked for: another CRS or order of axes than EPSG:" + std::to_string(epsg_)
                                : std::string("none has a geometry"));
    }
    return result;
  }

  source::HttpClient& client_;
  const WfsOptions& options_;
  const std::string& layer_;
  const Bounds box_;
  const int epsg_;
  const std::stop_token stop_;

  bool sortable_ = true;  ///< as far as is known
  int requests_ = 0;
  std::uint64_t entries_ = 0, invalid_ = 0, bytes_ = 0;
  bool has_near_ = false, has_far_ = false;
  std::unordered_map<std::string, Feature> features_;
};

}  // namespace

FetchResult fetch_layer(source::HttpClient& client, const WfsOptions& options, const std::string& layer, const Bounds& box, int epsg,
                        std::stop_token stop) {
  if (box.empty() || !std::isfinite(box.width()) || !std::isfinite(box.height()) || epsg <= 0) {
    FetchResult result;
    result.kind = ErrorKind::invalid_argument;
    result.reason = "a box with an area and the EPSG code of its CRS are needed (EPSG " + std::to_string(epsg) + " was given)";
    return result;
  }
  return LayerFetch(client, options, layer, box, epsg, std::move(stop)).run();
}

}  // namespace tuile::truth
