#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "path_text.hpp"
#include "tuile/core/error.hpp"

namespace tuile::write {

using Json = nlohmann::ordered_json;

template <class Container, class Convert>
Json array_of(const Container& values, Convert&& convert) {
  Json array = Json::array();
  for (const auto& value : values) array.push_back(convert(value));
  return array;
}

/// An object that has every key of `keys`, none but these and `optional`. Every message names the place, e.g. "outputs[0].size".
class JsonObject {
 public:
  JsonObject(const Json& json, std::string place, std::initializer_list<const char*> keys, std::initializer_list<const char*> optional = {})
      : json_(json), place_(std::move(place)) {
    if (!json_.is_object()) fail(place_, "an object is expected");
    for (const char* key : keys)
      if (!json_.contains(key)) fail(at(key), "it is missing");
    if (json_.size() == keys.size()) return;
    for (const auto& item : json_.items()) {
      bool known = false;
      for (const char* key : keys) known = known || item.key() == key;
      for (const char* key : optional) known = known || item.key() == key;
      if (!known) fail(at(item.key()), "it is not a key of sidecars");
    }
  }

  std::string at(const std::string& key) const { return place_.empty() ? key : place_ + "." + key; }
  bool has(const char* key) const { return json_.contains(key); }
  const Json& json(const char* key) const { return json_.at(key); }

  std::string string(const char* key) const { return as_string(json(key), at(key)); }
  std::string path(const char* key) const {
    std::optional<std::string> value = path_from_text(string(key));
    if (!value) fail(at(key), "two hexadecimal digits (0-9, A-F) are expected after U+FFFD");
    return *std::move(value);
  }
  std::uint64_t count(const char* key) const { return as_count(json(key), at(key)); }
  std::int64_t integer(const char* key) const {
    const Json& value = json(key);
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())))
      fail(at(key), "an integer of 64 bits is expected");
    return value.get<std::int64_t>();
  }
  double number(const char* key) const {
    if (!json(key).is_number() || !std::isfinite(json(key).get<double>())) fail(at(key), "a number is expected");
    return json(key).get<double>();
  }
  double number_or_nan(const char* key) const { return json(key).is_null() ? std::numeric_limits<double>::quiet_NaN() : number(key); }
  bool boolean(const char* key) const {
    if (!json(key).is_boolean()) fail(at(key), "true or false is expected");
    return json(key).get<bool>();
  }
  /// Calls convert(element, its place) for each element.
  template <class Convert>
  auto array(const char* key, Convert&& convert) const {
    if (!json(key).is_array()) fail(at(key), "an array is expected");
    std::vector<decltype(convert(json(key), std::string()))> values;
    for (const Json& element : json(key)) values.push_back(convert(element, at(key) + "[" + std::to_string(values.size()) + "]"));
    return values;
  }
  JsonObject object(const char* key, std::initializer_list<const char*> keys) const { return JsonObject(json(key), at(key), keys); }

  static std::string as_string(const Json& json, const std::string& place) {
    if (!json.is_string()) fail(place, "a string is expected");
    return json.get<std::string>();
  }
  static std::uint64_t as_count(const Json& json, const std::string& place) {
    if (!json.is_number_unsigned()) fail(place, "a number 0, 1, 2 … is expected");
    return json.get<std::uint64_t>();
  }
  [[noreturn]] static void fail(const std::string& place, const std::string& what) {
    throw CorruptData("damaged sidecar: '" + place + "': " + what + "; process the tile again");
  }

 private:
  const Json& json_;
  std::string place_;
};

}  // namespace tuile::write
