#include "areas_attributes.hpp"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace tuile::truth {

namespace {

struct ShortName {
  std::string_view name, short_name;
};
// Source: attribute names of BD TOPO 3 as Shapefiles (IGN, descriptif de livraison).
constexpr ShortName short_names[] = {
    {"cleabs", "ID"},
    {"construction_legere", "LEGER"},
    {"etat_de_l_objet", "ETAT"},
    {"largeur_de_chaussee", "LARGEUR"},
    {"nature_detaillee", "NAT_DETAIL"},
    {"nombre_d_etages", "NB_ETAGES"},
    {"nombre_de_logements", "NB_LOGTS"},
    {"nombre_de_voies", "NB_VOIES"},
    {"origine_du_batiment", "ORIGIN_BAT"},
    {"persistance", "PERSISTANC"},
    {"position_par_rapport_au_sol", "POS_SOL"},
    {"usage_1", "USAGE1"},
    {"usage_2", "USAGE2"},
};
constexpr std::size_t shapefile_name = 10;

bool same_name(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::optional<double> parsed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t+");
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(" \t") + 1 - first);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> number_of(const AttributeValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&value)) return std::isfinite(*real) ? std::optional(*real) : std::nullopt;
  if (const auto* text = std::get_if<std::string>(&value)) return parsed(*text);
  return std::nullopt;
}

bool is_missing(const AttributeValue* value) {
  if (value == nullptr || std::holds_alternative<std::monostate>(*value)) return true;
  const auto* text = std::get_if<std::string>(value);
  return text != nullptr && text->empty();
}

bool is_one_of(const AttributeValue& value, const std::vector<std::string>& values) {
  const std::string text = to_text(value);
  const std::optional<double> number = number_of(value);
  return std::any_of(values.begin(), values.end(), [&](const std::string& other) {
    if (text == other) return true;
    const std::optional<double> other_number = number ? parsed(other) : std::nullopt;
    return other_number && *other_number == *number;
  });
}

bool passes(const Feature& feature, const AttributeTest& test) {
  const AttributeValue* value = find_attribute(feature, test.attribute);
  if (is_missing(value)) return test.when_missing;
  if (test.kind == AttributeTest::Kind::in) return is_one_of(*value, test.values);
  if (test.kind == AttributeTest::Kind::not_in) return !is_one_of(*value, test.values);
  const std::optional<double> number = number_of(*value);
  if (!number) return test.when_missing;
  return test.kind == AttributeTest::Kind::at_least ? *number >= test.bound : *number <= test.bound;
}

}  // namespace

const AttributeValue* find_attribute(const Feature& feature, std::string_view name) noexcept {
  if (const AttributeValue* value = feature.find(name)) return value;
  for (const ShortName& entry : short_names) {
    if (!same_name(entry.name, name)) continue;
    if (const AttributeValue* value = feature.find(entry.short_name)) return value;
  }
  return name.size() > shapefile_name ? feature.find(name.substr(0, shapefile_name)) : nullptr;
}

bool passes(const Feature& feature, const std::vector<AttributeTest>& tests) {
  return std::all_of(tests.begin(), tests.end(), [&](const AttributeTest& test) { return passes(feature, test); });
}

double buffer_distance(const Feature& feature, const LineBuffer& buffer) {
  if (!buffer.attribute.empty()) {
    const AttributeValue* value = find_attribute(feature, buffer.attribute);
    const std::optional<double> number = value != nullptr ? number_of(*value) : std::nullopt;
    if (number && *number * buffer.factor > 0) return std::min(*number * buffer.factor, largest_attribute_distance) + buffer.plus;
  }
  const AttributeValue* kind = find_attribute(feature, buffer.default_attribute);
  const auto known = kind != nullptr ? buffer.by_value.find(to_text(*kind)) : buffer.by_value.end();
  return (known != buffer.by_value.end() ? known->second : buffer.otherwise) + buffer.plus;
}

}  // namespace tuile::truth
