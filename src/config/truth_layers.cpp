#include "config/truth_layers.hpp"

#include <algorithm>

#include "config/key_types.hpp"
#include "tuile/core/nearest.hpp"

namespace tuile::config {

namespace {

// Half-widths of roads without one are what BD TOPO's kinds of road usually have.
constexpr std::string_view default_yaml = R"(
- layer: batiment
  class: 6
  where: h >= 0.2 or verticality >= 0.45
  attributes: [nature, usage_1, origine_du_batiment]
- layer: construction_surfacique
  only: {nature: Pont}
  class: 17
  where: h >= -0.5 and normal_z >= 0.9
- layer: troncon_de_voie_ferree
  only: {position_par_rapport_au_sol: {at_least: 0}}
  buffer: {attribute: nombre_de_voies, factor: 1.75, otherwise: 1.75, caps: flat}
  class: 10
  where: -0.3 <= h <= 1.0
  attributes: [nature]
- layer: troncon_de_route
  only: {position_par_rapport_au_sol: {at_least: 0}}
  buffer:
    attribute: largeur_de_chaussee
    factor: 0.5
    by: nature
    values: {Type autoroutier: 4.5, Route à 2 chaussées: 3.5, Route à 1 chaussée: 2.5, Rond-point: 3.5, Bretelle: 2,
             Route empierrée: 1.5, Chemin: 1.25, Sentier: 0.5}
    otherwise: 2
    plus: 0.5
  class: 11
  where: -0.3 <= h <= 1.2 and normal_z >= 0.9
  attributes: [nature]
- layer: surface_hydrographique
  only: {position_par_rapport_au_sol: {at_least: 0}, persistance: {in: [Permanent], missing: keep}}
  class: 9
  where: -0.5 <= h <= 0.3
  attributes: [nature]
- layer: zone_de_vegetation
  classes: [{class: 3, where: h < 0.5}, {class: 4, where: h < 1.5}, {class: 5, where: h >= 1.5}]
  attributes: [nature]
- layer: terrain_de_sport
  class: 70
  where: h <= 2.5
  attributes: [nature]
- layer: cimetiere
  class: 71
  where: h <= 2.5
- layer: ligne_electrique
  buffer: {plus: 3}
  class: 14
  where: h >= 5 and linearity >= 0.5
)";

constexpr std::size_t most_layers = 253;  // label_source is a byte: 0 is the file, 254 NDVI, 255 kept free

[[noreturn]] void unknown_name(const Cell& cell, const Entry& entry, const std::vector<std::string>& names) {
  const std::string close = nearest(entry.key, names);
  refuse(cell, "the key " + quoted_for_message(entry.key) + " is not allowed here" +
                   (close.empty() ? "" : "; did you mean " + close + "?") +
                   " (allowed: " + one_of(names, [](const std::string& name) { return name; }) + ")");
}

const std::vector<Entry>& read_map(const Cell& cell) {
  if (cell.value.kind != Value::Kind::map) refuse(cell);
  return cell.value.entries;
}

std::string read_any_text(const Cell& cell) {
  if (cell.value.kind != Value::Kind::scalar) refuse(cell);
  return cell.value.text;
}

std::vector<std::string> read_texts(const Cell& cell) {
  if (cell.value.kind == Value::Kind::scalar) return {cell.value.text};
  std::vector<std::string> texts;
  for (const Value& item : read_list(cell)) texts.push_back(read_any_text(cell.part(item, index_suffix(texts.size()), "a text")));
  if (texts.empty()) refuse(cell, "the list is empty");
  return texts;
}

double read_bound(const Cell& cell) { return read_real(cell, -1e9, false, 1e9); }

AttributeTest read_test(const std::string& attribute, const Cell& cell) {
  AttributeTest test{.attribute = attribute};
  if (cell.value.kind != Value::Kind::map) {
    test.values = read_texts(cell);
    test.when_missing = false;
    return test;
  }
  static const std::vector<std::string> names{"in", "not_in", "at_least", "at_most", "missing"};
  bool has_kind = false, has_missing = false;
  for (const Entry& entry : read_map(cell)) {
    const Cell part = cell.part(entry.value, "." + entry.key, entry.key == "missing" ? "keep or drop" : "a value");
    if (entry.key == "missing") {
      if (!is_word(entry.value, "keep") && !is_word(entry.value, "drop")) refuse(part);
      test.when_missing = entry.value.text == "keep";
      has_missing = true;
      continue;
    }
    if (std::find(names.begin(), names.end(), entry.key) == names.end()) unknown_name(cell, entry, names);
    if (has_kind) refuse(cell, "one of in, not_in, at_least, at_most is enough");
    has_kind = true;
    if (entry.key == "in" || entry.key == "not_in") {
      test.kind = entry.key == "in" ? AttributeTest::Kind::in : AttributeTest::Kind::not_in;
      test.values = read_texts(part);
    } else {
      test.kind = entry.key == "at_least" ? AttributeTest::Kind::at_least : AttributeTest::Kind::at_most;
      test.bound = read_bound(cell.part(entry.value, "." + entry.key, "a number"));
    }
  }
  if (!has_kind) refuse(cell, "one of in, not_in, at_least, at_most is missing");
  if (!has_missing) test.when_missing = test.kind != AttributeTest::Kind::in;
  return test;
}

LineBuffer read_buffer(const Cell& cell) {
  static const std::vector<std::string> names{"attribute", "factor", "by", "values", "otherwise", "plus", "caps"};
  LineBuffer buffer;
  const auto metres = [](const Cell& part) { return read_real(part, 0, false, 100); };
  for (const Entry& entry : read_map(cell)) {
    const auto part = [&](const std::string& expected) { return cell.part(entry.value, "." + entry.key, expected); };
    const std::string distance = "metres from 0 to 100";
    if (entry.key == "attribute") {
      buffer.attribute = read_text(part("the name of an attribute"));
    } else if (entry.key == "factor") {
      buffer.factor = read_real(part("a number above 0, at most 100"), 0, true, 100);
    } else if (entry.key == "by") {
      buffer.default_attribute = read_text(part("the name of an attribute"));
    } else if (entry.key == "values") {
      for (const Entry& value : read_map(part("a map from values of the attribute `by` to metres")))
        buffer.by_value[value.key] = metres(cell.part(value.value, ".values." + value.key, distance));
    } else if (entry.key == "otherwise") {
      buffer.otherwise = metres(part(distance));
    } else if (entry.key == "plus") {
      buffer.plus = metres(part(distance));
    } else if (entry.key == "caps") {
      if (!is_word(entry.value, "round") && !is_word(entry.value, "flat")) refuse(part("round or flat"));
      buffer.flat_caps = entry.value.text == "flat";
    } else {
      unknown_name(cell, entry, names);
    }
  }
  if (buffer.otherwise + buffer.plus <= 0) refuse(cell, "`otherwise` and `plus` give no width to a line whose attribute is missing");
  return buffer;
}

int read_class(const Cell& cell, const Value& value, const std::string& suffix) {
  return static_cast<int>(read_integer(cell.part(value, suffix, "a class, an integer from 0 to 255"), 0, 255));
}

std::vector<LabelRule> read_rules(const Cell& cell) {
  std::vector<LabelRule> rules;
  static const std::vector<std::string> names{"class", "where"};
  for (const Value& item : read_list(cell)) {
    const Cell part = cell.part(item, index_suffix(rules.size()), "{class: …, where: …}");
    LabelRule rule{.asprs_class = -1};
    for (const Entry& entry : read_map(part)) {
      if (entry.key == "class") {
        rule.asprs_class = read_class(part, entry.value, ".class");
      } else if (entry.key == "where") {
        rule.where = read_any_text(part.part(entry.value, ".where", "a condition, e.g. h >= 0.2"));
      } else {
        unknown_name(part, entry, names);
      }
    }
    if (rule.asprs_class < 0) refuse(part, "`class` is missing");
    rules.push_back(std::move(rule));
  }
  if (rules.empty()) refuse(cell, "the list is empty");
  return rules;
}

TruthLayer read_layer(const Cell& cell) {
  static const std::vector<std::string> names{"layer", "only", "buffer", "class", "where", "classes", "attributes"};
  TruthLayer layer;
  LabelRule single{.asprs_class = -1};
  for (const Entry& entry : read_map(cell)) {
    const auto part = [&](const std::string& expected) { return cell.part(entry.value, "." + entry.key, expected); };
    if (entry.key == "layer") {
      layer.layer = read_text(part("the layer's name"));
    } else if (entry.key == "only") {
      for (const Entry& test : read_map(part("a map from attributes to values or tests"))) {
        const Cell place =
            cell.part(test.value, ".only." + test.key, "a value, a list of values, or {in|not_in|at_least|at_most: …, missing: keep|drop}");
        layer.only.push_back(read_test(test.key, place));
      }
    } else if (entry.key == "buffer") {
      layer.buffer = read_buffer(part("a map (attribute, factor, by, values, otherwise, plus, caps)"));
    } else if (entry.key == "class") {
      single.asprs_class = read_class(cell, entry.value, ".class");
    } else if (entry.key == "where") {
      single.where = read_any_text(part("a condition, e.g. h >= 0.2"));
    } else if (entry.key == "classes") {
      layer.rules = read_rules(part("a list of {class: …, where: …}"));
    } else if (entry.key == "attributes") {
      for (const std::string& name : read_texts(part("a list of attributes"))) layer.attributes.push_back(name);
    } else {
      unknown_name(cell, entry, names);
    }
  }
  if (layer.layer.empty()) refuse(cell, "`layer` is missing");
  const bool has_single = single.asprs_class >= 0 || !single.where.empty();
  if (has_single == !layer.rules.empty()) refuse(cell, "either `class` (with `where`) or `classes` is expected");
  if (has_single) {
    if (single.asprs_class < 0) refuse(cell, "`class` is missing");
    layer.rules = {single};
  }
  return layer;
}

std::string show_texts(const std::vector<std::string>& texts) { return show_list(texts, format_text); }

std::string show_test(const AttributeTest& test) {
  std::string out = format_text(test.attribute) + ": {";
  switch (test.kind) {
    case AttributeTest::Kind::in: out += "in: " + show_texts(test.values); break;
    case AttributeTest::Kind::not_in: out += "not_in: " + show_texts(test.values); break;
    case AttributeTest::Kind::at_least: out += "at_least: " + format_real(test.bound); break;
    case AttributeTest::Kind::at_most: out += "at_most: " + format_real(test.bound); break;
  }
  return out + ", missing: " + (test.when_missing ? "keep" : "drop") + "}";
}

std::string show_buffer(const LineBuffer& buffer) {
  std::string out = "{";
  if (!buffer.attribute.empty()) out += "attribute: " + format_text(buffer.attribute) + ", factor: " + format_real(buffer.factor) + ", ";
  if (!buffer.by_value.empty()) {
    out += "by: " + format_text(buffer.default_attribute) + ", values: {";
    bool first = true;
    for (const auto& [value, metres] : buffer.by_value) {
      out += (first ? "" : ", ") + format_text(value) + ": " + format_real(metres);
      first = false;
    }
    out += "}, ";
  }
  return out + "otherwise: " + format_real(buffer.otherwise) + ", plus: " + format_real(buffer.plus) +
         ", caps: " + (buffer.flat_caps ? "flat" : "round") + "}";
}

std::string show_layer(const TruthLayer& layer) {
  std::string out = "{layer: " + format_text(layer.layer);
  if (!layer.only.empty()) {
    out += ", only: {";
    for (std::size_t i = 0; i < layer.only.size(); ++i) out += (i == 0 ? "" : ", ") + show_test(layer.only[i]);
    out += "}";
  }
  if (layer.buffer) out += ", buffer: " + show_buffer(*layer.buffer);
  out += ", classes: " + show_list(layer.rules, [](const LabelRule& rule) {
           return "{class: " + std::to_string(rule.asprs_class) + (rule.where.empty() ? "" : ", where: " + format_text(rule.where)) + "}";
         });
  if (!layer.attributes.empty()) out += ", attributes: " + show_texts(layer.attributes);
  return out + "}";
}

}  // namespace

const std::vector<TruthLayer>& default_layers() {
  static const std::vector<TruthLayer> layers = [] {
    const Source source{"the default layers", "default"};
    const Value list = parse_yaml(default_yaml, source);
    return read_layers({list, source, "ground_truth.layers", "a list of layers", ""});
  }();
  return layers;
}

std::string_view default_layers_yaml() { return default_yaml; }

std::vector<TruthLayer> read_layers(const Cell& cell) {
  if (is_word(cell.value, "default")) return default_layers();
  if (cell.value.kind != Value::Kind::sequence) refuse(cell);
  std::vector<TruthLayer> layers;
  for (const Value& item : cell.value.items) {
    const Cell part = cell.part(item, index_suffix(layers.size()), "a layer: {layer: …, class: …, where: …}");
    layers.push_back(read_layer(part));
  }
  if (layers.empty()) refuse(cell, "the list is empty");
  if (layers.size() > most_layers) refuse(cell, "at most 253 layers are possible");
  return layers;
}

std::string show_layers(const std::vector<TruthLayer>& layers) {
  return layers == default_layers() ? "default" : show_list(layers, show_layer);
}

}  // namespace tuile::config
