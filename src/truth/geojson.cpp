#include <algorithm>
#include <charconv>
#include <cmath>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "truth/geojson_geometry.hpp"
#include "truth/geojson_reader.hpp"
#include "truth/wfs.hpp"
#include "tuile/core/utf8.hpp"

namespace tuile::truth {

namespace {

using Kind = JsonReader::Kind;

/// What names a geometry without a name: the same geometry always gets the same.
std::string hash_of(const std::string& bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  std::string text(32, '0');
  for (std::size_t i = 0; i < 16; ++i) {
    text[15 - i] = "0123456789abcdef"[hash.high64 >> (4 * i) & 15];
    text[31 - i] = "0123456789abcdef"[hash.low64 >> (4 * i) & 15];
  }
  return "xxh3:" + text;
}

AttributeValue read_value(JsonReader& reader) {
  switch (reader.kind()) {
    case Kind::null: reader.null(); return std::monostate{};
    case Kind::boolean: return reader.boolean();
    case Kind::string: return reader.string();
    case Kind::number: {
      const JsonReader::Number number = reader.number();
      if (number.is_integer) return number.integer;
      if (!std::isfinite(number.value)) return std::monostate{};
      return number.value;
    }
    case Kind::object:
    case Kind::array: return clean_utf8(reader.skip());
  }
  return std::monostate{};
}

/// Text, or a number as text; "" for anything else.
std::string read_name(JsonReader& reader) {
  if (reader.kind() == Kind::string) return reader.string();
  if (reader.kind() == Kind::number) {
    const JsonReader::Number number = reader.number();
    return number.is_integer ? std::to_string(number.integer) : to_text(AttributeValue(number.value));
  }
  reader.skip();
  return {};
}

/// False where the entry is no feature with a geometry. The reader is behind it in either case.
bool read_feature(JsonReader& reader, const std::string& id_attribute, Feature& feature) {
  if (reader.kind() != Kind::object) return reader.skip(), false;
  std::string own_id;
  bool is_feature = true;
  reader.object([&](std::string_view key) {
    if (key == "type") {
      is_feature = read_name(reader) == "Feature";
    } else if (key == "id") {
      own_id = read_name(reader);
    } else if (key == "geometry") {
      feature.geometry = read_geometry(reader);
    } else if (key == "properties" && reader.kind() == Kind::object) {
      reader.object([&](std::string_view name) { feature.attributes.emplace_back(std::string(name), read_value(reader)); });
    } else {
      reader.skip();
    }
  });
  if (!is_feature || feature.geometry.empty()) return false;
  const AttributeValue* key = id_attribute.empty() ? nullptr : feature.find(id_attribute);
  if (key != nullptr) feature.id = to_text(*key);
  if (feature.id.empty()) feature.id = std::move(own_id);
  if (feature.id.empty()) feature.id = hash_of(feature.geometry);
  return true;
}

/// The EPSG code that a CRS name ends with; 0: none.
int epsg_of(std::string_view name) {
  if (name.find("CRS84") != name.npos) return 4326;
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  if (upper.find("EPSG") == upper.npos) return 0;
  const std::size_t digits = upper.find_last_not_of("0123456789") + 1;
  int code = 0;
  std::from_chars(upper.data() + digits, upper.data() + upper.size(), code);
  return code;
}

/// {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}, {"type": "EPSG", "properties": {"code": 2154}} or the bare name.
int read_crs(JsonReader& reader) {
  if (reader.kind() == Kind::string) return epsg_of(reader.string());
  if (reader.kind() != Kind::object) return reader.skip(), 0;
  int code = 0;
  reader.object([&](std::string_view key) {
    if (key != "properties" || reader.kind() != Kind::object) return static_cast<void>(reader.skip());
    reader.object([&](std::string_view name) {
      if (name == "name") {
        code = epsg_of(read_name(reader));
      } else if (name == "code") {
        code = epsg_of("EPSG:" + read_name(reader));
      } else {
        reader.skip();
      }
    });
  });
  return code;
}

/// A count, as a number or as text; -1 for anything else ("unknown").
long long read_count(JsonReader& reader) {
  double count = -1;
  switch (reader.kind()) {
    case Kind::number: count = reader.number().value; break;
    case Kind::string: count = number_of(reader.string()); break;
    default: reader.skip();
  }
  return count >= 0 && count < 1e15 ? static_cast<long long>(count) : -1;
}

}  // namespace

GeoJsonPage parse_geojson(std::string_view text, const std::string& id_attribute) {
  GeoJsonPage page;
  std::string type;
  bool has_features = false;
  JsonReader reader(text);
  reader.object([&](std::string_view key) {
    if (key == "type") {
      type = read_name(reader);
    } else if (key == "features" && !has_features && reader.kind() == Kind::array) {
      has_features = true;
      reader.array([&] {
        Feature feature;
        ++page.entries;
        if (read_feature(reader, id_attribute, feature)) {
          page.features.push_back(std::move(feature));
        } else {
          ++page.invalid;
        }
      });
    } else if (key == "numberMatched") {
      page.matched = read_count(reader);
    } else if (key == "crs") {
      page.epsg = read_crs(reader);
    } else {
      reader.skip();
    }
  });
  reader.end();
  if (type != "FeatureCollection" || !has_features) {
    throw CorruptData("the answer is JSON but no FeatureCollection" +
                      (type.empty() ? std::string() : " (its type is '" + clean_utf8(type.substr(0, 40)) + "')"));
  }
  return page;
}

}  // namespace tuile::truth
