#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/core/buffer.hpp"
#include "tuile/core/error.hpp"

namespace tuile {

/// What became of the fetch of one layer for one tile. Labels are written from the first two only.
enum class Outcome : std::uint8_t {
  data,             ///< every feature of the box is there, at least one
  confirmed_empty,  ///< the source answered that there is nothing in the box
  truncated,        ///< the source holds more than it would give
  failed,           ///< no answer, or the source does not cover the box
  not_requested,
};
/// "data", "confirmed empty", "truncated", "failed", "not requested": as in sidecars and reports.
const char* to_string(Outcome outcome) noexcept;
/// True for the outcomes that labels may be made from.
constexpr bool is_sound(Outcome outcome) noexcept { return outcome == Outcome::data || outcome == Outcome::confirmed_empty; }

/// A place in the plane, metres in the tile's CRS.
struct Position {
  double x, y;
  bool operator==(const Position&) const = default;
};

/// The areas of one layer, flat: one area per object, all its rings together. A place is inside an area where a ray from it crosses the
/// rings an odd number of times, so holes and several parts need no marks. Rings do not repeat their first vertex.
struct LayerAreas {
  std::vector<Position> vertices;
  std::vector<std::uint32_t> ring_begin{0};          ///< rings + 1: ring r holds vertices [ring_begin[r], ring_begin[r + 1])
  std::vector<std::uint32_t> area_begin{0};          ///< areas + 1: area a holds rings [area_begin[a], area_begin[a + 1])
  std::vector<std::string> ids;                      ///< per area: the object's cleabs; increasing, no id twice
  std::vector<Bounds> bounds;                        ///< per area
  std::vector<std::vector<std::string>> attributes;  ///< per area: values in the order of the layer's exported attributes, "" where null
  std::size_t size() const noexcept { return ids.size(); }
  /// Memory held.
  std::size_t bytes() const noexcept;
  /// Appends area `a` of `other`.
  void append(const LayerAreas& other, std::size_t a);
};

/// One layer of one tile's ground truth.
struct LayerTruth {
  std::string layer;  ///< as configured
  Outcome outcome = Outcome::not_requested;
  std::string reason;              ///< where the outcome is truncated or failed
  ErrorKind kind = ErrorKind::io;  ///< likewise: whether another try can help
  std::uint64_t repaired = 0;      ///< objects whose geometry was invalid and was mended
  std::vector<std::string> attribute_names;
  LayerAreas areas;  ///< of the objects whose box touches the tile's
};

/// The ground truth of one tile, layers in the configured order (high priority first).
struct GroundTruth {
  std::string source;   ///< "wfs", or the file's name
  std::string edition;  ///< of the data, where the source tells it
  std::vector<LayerTruth> layers;
  /// Whether every layer's outcome is sound.
  bool complete() const noexcept;
  std::size_t bytes() const noexcept;
};

/// Labels of the points of one tile; row i belongs to point i.
struct LabelBlock {
  static constexpr std::uint8_t from_file = 0;    ///< label_source: the file's own class
  static constexpr std::uint8_t from_ndvi = 254;  ///< label_source: changed by NDVI
  Buffer<std::uint8_t> labels;                    ///< ASPRS classes, 64 and up the user's
  Buffer<std::uint8_t> source;                    ///< 0, the row of the layer from 1, or 254
  Buffer<std::int32_t> object;                    ///< row of the object table; -1: none
  std::size_t size() const noexcept { return labels.size(); }
  std::size_t bytes() const noexcept { return labels.bytes() + source.bytes() + object.bytes(); }
};

/// The objects that LabelBlock::object counts: those of every layer in turn, in the order of their areas.
struct ObjectTable {
  std::vector<std::string> ids;              ///< cleabs
  std::vector<std::uint8_t> layer;           ///< row of the layer, from 1: the label_source of its points
  std::vector<std::string> attribute_names;  ///< those of all layers, each once, in order of appearance
  std::vector<std::string> attributes;       ///< ids.size() × attribute_names.size(), row-major; "" where null or not of that layer
  std::size_t size() const noexcept { return ids.size(); }
};
ObjectTable object_table(const GroundTruth& truth);

}  // namespace tuile
