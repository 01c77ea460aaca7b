#include "truth/geojson_geometry.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

namespace tuile::truth {

namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied into WKB as they lie in memory");

/// No CRS has coordinates beyond this, metres or degrees: such a number is damage.
constexpr double farthest = 1e9;

enum Type : std::uint32_t { point = 1, line_string, polygon, multi_point, multi_line_string, multi_polygon, collection };
constexpr std::uint32_t z_offset = 1000;

std::optional<Type> type_of(std::string_view name) {
  constexpr std::array<std::string_view, 7> names{"Point",           "LineString",   "Polygon",           "MultiPoint",
                                                  "MultiLineString", "MultiPolygon", "GeometryCollection"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Type>(found - names.begin() + 1);
}

struct Damaged {};  ///< thrown inside this file: the geometry cannot be one
struct LacksZ {};   ///< likewise: not every position has a Z; it is read again without

struct Place {
  double x, y, z;
  bool operator==(const Place&) const = default;
};

/// Writes one geometry. Every function returns whether it wrote something; what is empty leaves no trace.
class Writer {
 public:
  explicit Writer(bool with_z) : with_z_(with_z) {}
  std::string take() { return std::move(out_); }

  bool geometry(JsonReader& reader) {
    std::string type;
    std::string_view coordinates, geometries;
    reader.object([&](std::string_view key) {
      if (key == "type" && reader.kind() == JsonReader::Kind::string) {
        type = reader.string();
      } else if (key == "coordinates") {
        coordinates = reader.skip();
      } else if (key == "geometries") {
        geometries = reader.skip();
      } else {
        reader.skip();
      }
    });
    const std::optional<Type> known = type_of(type);
    if (!known) throw Damaged{};
    JsonReader part(*known == collection ? geometries : coordinates, reader.depth());
    if ((*known == collection ? geometries : coordinates).empty() || part.kind() == JsonReader::Kind::null) return false;
    return shape(*known, part);
  }

 private:
  bool shape(Type type, JsonReader& reader) {
    switch (type) {
      case point: return single(reader);
      case line_string: return line(reader);
      case polygon: return rings(reader);
      case multi_point: return many(type, reader, [&] { return single(reader); });
      case multi_line_string: return many(type, reader, [&] { return line(reader); });
      case multi_polygon: return many(type, reader, [&] { return rings(reader); });
      case collection:
        return many(type, reader, [&] {
          if (reader.kind() == JsonReader::Kind::null) return reader.null(), false;
          if (reader.kind() != JsonReader::Kind::object) throw Damaged{};
          return geometry(reader);
        });
    }
    return false;
  }

  template <class Part>
  bool many(Type type, JsonReader& reader, Part&& part) {
    must_be_array(reader);
    const std::size_t start = header(type);
    std::uint32_t count = 0;
    reader.array([&] { count += part() ? 1u : 0u; });
    return finish(start, count);
  }

  bool single(JsonReader& reader) {
    must_be_array(reader);
    const std::optional<Place> place = position(reader);
    if (!place) return false;
    begin(point);
    put(*place);
    return true;
  }

  bool line(JsonReader& reader) {
    const std::vector<Place>& places = positions(reader);
    if (places.size() < 2) return false;
    const std::size_t start = header(line_string);
    for (const Place& place : places) put(place);
    return finish(start, static_cast<std::uint32_t>(places.size()));
  }

  bool rings(JsonReader& reader) {
    must_be_array(reader);
    const std::size_t start = header(polygon);
    std::uint32_t count = 0;
    bool lost = false;  // the outline is no area: its holes are none either
    bool first = true;
    reader.array([&] {
      const bool written = ring(reader) && !lost;
      lost = lost || (first && !written);
      first = false;
      count += written && !lost ? 1u : 0u;
    });
    return finish(start, lost ? 0 : count);
  }

  bool ring(JsonReader& reader) {
    std::vector<Place>& places = positions(reader);
    if (!places.empty() && places.front() != places.back()) places.push_back(places.front());
    if (places.size() < 4) return false;
    put(static_cast<std::uint32_t>(places.size()));
    for (const Place& place : places) put(place);
    return true;
  }

  std::vector<Place>& positions(JsonReader& reader) {
    must_be_array(reader);
    places_.clear();
    reader.array([&] {
      must_be_array(reader);
      if (const std::optional<Place> place = position(reader)) places_.push_back(*place);
    });
    return places_;
  }

  /// Nothing for "[]".
  std::optional<Place> position(JsonReader& reader) {
    std::array<double, 3> values{};
    std::size_t count = 0;
    reader.array([&] {
      const double value = coordinate(reader);
      if (count < values.size()) values[count] = value;
      ++count;
    });
    if (count == 0) return std::nullopt;
    if (count < 2 || !(std::abs(values[0]) <= farthest) || !(std::abs(values[1]) <= farthest)) throw Damaged{};
    if (with_z_ && (count < 3 || !std::isfinite(values[2]))) throw LacksZ{};
    return Place{values[0], values[1], with_z_ ? values[2] : 0};
  }

  static double coordinate(JsonReader& reader) {
    switch (reader.kind()) {
      case JsonReader::Kind::number: return reader.number().value;
      case JsonReader::Kind::string: return number_of(reader.string());
      case JsonReader::Kind::null: reader.null(); return std::nan("");
      default: throw Damaged{};
    }
  }

  static void must_be_array(JsonReader& reader) {
    if (reader.kind() != JsonReader::Kind::array) throw Damaged{};
  }

  void begin(Type type) {
    out_.push_back(1);  // little-endian
    put(static_cast<std::uint32_t>(type) + (with_z_ ? z_offset : 0));
  }
  /// Returns where the geometry starts, for finish().
  std::size_t header(Type type) {
    const std::size_t start = out_.size();
    begin(type);
    put(std::uint32_t{0});
    return start;
  }
  bool finish(std::size_t start, std::uint32_t count) {
    if (count == 0) {
      out_.resize(start);
      return false;
    }
    std::memcpy(out_.data() + start + 5, &count, sizeof count);
    return true;
  }
  void put(std::uint32_t value) { append(&value, sizeof value); }
  void put(const Place& place) {
    append(&place.x, sizeof place.x);
    append(&place.y, sizeof place.y);
    if (with_z_) append(&place.z, sizeof place.z);
  }
  void append(const void* data, std::size_t size) { out_.append(static_cast<const char*>(data), size); }

  bool with_z_;
  std::string out_;
  std::vector<Place> places_;
};

std::string write(std::string_view text, int depth, bool with_z) {
  JsonReader reader(text, depth);
  Writer writer(with_z);
  writer.geometry(reader);
  return writer.take();
}

}  // namespace

std::string read_geometry(JsonReader& reader) {
  const bool is_object = reader.kind() == JsonReader::Kind::object;
  const std::string_view text = reader.skip();
  if (!is_object) return {};
  try {
    return write(text, reader.depth(), true);
  } catch (const LacksZ&) {
  } catch (const Damaged&) {
    return {};
  }
  try {
    return write(text, reader.depth(), false);
  } catch (const Damaged&) {
    return {};
  }
}

}  // namespace tuile::truth
