#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/ground_truth.hpp"

namespace tuile::truth {

/// The value of an attribute; monostate: null.
using AttributeValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;
/// As text ("" for null; numbers in their shortest form that reads back).
std::string to_text(const AttributeValue& value);

/// One object as its source has it.
struct Feature {
  std::string id;        ///< cleabs; where the layer has none, the source's own identifier
  std::string geometry;  ///< ISO WKB, little-endian, in the CRS asked for; empty where the object has none
  std::vector<std::pair<std::string, AttributeValue>> attributes;  ///< in the source's order, the geometry left out
  /// Null where the feature has no such attribute. Names are compared without regard to case (Shapefiles shout).
  const AttributeValue* find(std::string_view name) const noexcept;
};

/// What a source gave for one layer and one box.
struct FetchResult {
  Outcome outcome = Outcome::failed;
  std::vector<Feature> features;   ///< those whose box touches the box asked for, each once, by increasing id
  std::string reason;              ///< where the outcome is truncated or failed
  ErrorKind kind = ErrorKind::io;  ///< likewise
  std::uint64_t invalid = 0;       ///< entries of the answer that were no features (no geometry, damaged): left out
};

/// Where ground truth comes from: a WFS, or vector files. Thread-safe.
class FeatureSource {
 public:
  virtual ~FeatureSource() = default;
  /// "wfs", or the file's name without its folder: for sidecars, so it must not vary from machine to machine.
  virtual std::string name() const = 0;
  /// What the data are besides layer and edition, for cache keys: the service's URL and type prefix; path, size and modification time of
  /// files.
  virtual std::string identity() const = 0;
  /// The edition of the data, "" where the source does not tell. May ask the source, once. Never throws but Cancelled.
  virtual std::string edition(std::stop_token stop) = 0;
  /// Whether a service is asked: its answers are worth keeping on disk, and what it does not give today it may give tomorrow.
  virtual bool is_remote() const = 0;
  /// Features of a layer that touch `box` (metres, closed), in the CRS `epsg`. What goes wrong is an outcome, never an exception, but
  /// Cancelled, OutOfMemory, and ConfigError where no answer could ever come (a file that is no vector data).
  virtual FetchResult fetch(const std::string& layer, const Bounds& box, int epsg, std::stop_token stop) = 0;
};

}  // namespace tuile::truth
