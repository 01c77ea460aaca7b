#pragma once

#include <string>

#include "tuile/core/bounds.hpp"

namespace tuile::truth {

/// A GetFeature of one page of one layer in one box.
struct PageRequest {
  std::string layer;  ///< with its prefix
  Bounds box;
  int epsg = 0;          ///< of the box and of the answer
  int count = 0;         ///< at most so many features
  long long start = -1;  ///< features to leave out; -1: not said
  std::string sort_by;   ///< empty: not said
};

/// `url` with a query begun or gone on with: ends with '?' or '&'.
std::string query_of(const std::string& url);

std::string feature_url(const std::string& service, const PageRequest& request);
std::string capabilities_url(const std::string& service);

/// The number in as few decimal digits as read back to it, without exponent, whatever the locale.
std::string decimal(double value);

}  // namespace tuile::truth
