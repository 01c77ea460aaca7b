#include <algorithm>
#include <string>
#include <vector>

#include "config/keys.hpp"
#include "config/truth_layers.hpp"
#include "tuile/config/load.hpp"

namespace tuile::config {

namespace {

/// Sections of a path: "write.npz.compression" → {"write", "npz"}.
std::vector<std::string> sections_of(const std::string& path) {
  std::vector<std::string> sections;
  std::size_t start = 0;
  for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', start)) {
    sections.push_back(path.substr(start, dot - start));
    start = dot + 1;
  }
  return sections;
}

/// Calls section(depth, name) where one begins and leaf(depth, key) for each key.
template <class Section, class Leaf>
void walk_keys(Section section, Leaf leaf) {
  std::vector<std::string> open;
  for (const Key& key : keys()) {
    const std::vector<std::string> wanted = sections_of(key.path);
    std::size_t common = 0;
    while (common < open.size() && common < wanted.size() && open[common] == wanted[common]) ++common;
    for (std::size_t depth = common; depth < wanted.size(); ++depth) section(depth, wanted[depth]);
    open = wanted;
    leaf(wanted.size(), key);
  }
}

std::string name_of(const Key& key) { return key.path.substr(key.path.rfind('.') + 1); }

/// A comment ends with its line: a file name with a newline must not begin a new one.
std::string in_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return text;
}

/// A cell of a Markdown table.
std::string table_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

constexpr std::string_view documentation_head = R"(# Configuration

<!-- Made from the table of keys in src/config/keys.cpp by `make docs`; a test compares. Do not edit by hand. -->

`tuile process -c FILE.yaml` reads a YAML file; `--set key=value` (dotted key, repeatable) and the options of the command line go over it, in this order.
`tuile config show` prints the value of every key and where it comes from, `tuile config check FILE.yaml` only checks.

- An unknown key is an error, and so is a key given twice; the message names the line, what is allowed there and the nearest valid key.
- Types are exact: `k: 20.5` and `k: "20"` are not integers, booleans are `true` and `false` only. Sizes are `500MiB`, `4GiB`, `2GB` or plain bytes.
- `auto` is resolved at start and printed.
- An empty file, or an empty section, is all defaults. Anchors, aliases and tags are not taken; at most 1 MiB, at most 64 levels.
- What this version does not have yet (the three filters, patches, HDF5, the HTML report) is refused, never ignored; the keys say so by
  taking nothing but `false` or `null`.
- Relative paths are relative to the working directory.
- *Bytes*: the value can change the bytes of an output file; a tile whose output was made with another value is done anew.

## The defaults

```yaml
)";

constexpr std::string_view documentation_layers = R"(
## The layers of ground truth

A point takes the class of the first layer one of whose areas holds it and one of whose conditions it meets; where several objects of that layer hold it, that with the smallest id.
Points of which no layer knows keep the class of the file. A layer is:

- `layer`: its name in the service (after `ground_truth.wfs.prefix`) and in files.
- `only`: which of its features count: for each attribute a value, a list of values, or a test: `{in: […]}`, `{not_in: […]}`, `{at_least: …}`, `{at_most: …}`. Text that is a number
  compares as one. `missing: keep` or `drop` says what becomes of features without the attribute (default: `in` drops them, the others keep them).
- `buffer`: makes areas of lines: all places within (`attribute` × `factor`, at most 50, else the metres that `values` gives for the attribute `by`, else `otherwise`) + `plus` metres.
  `caps: flat` ends the area where the line ends. Without it lines have no area.
- `class` (0 to 255) and the condition `where`, or `classes`, a list of these of which the first that holds counts. Conditions compare features and numbers
  (`<`, `<=`, `>`, `>=`, `=`, `!=`, also `-0.3 <= h <= 1.2`), joined by `and`, `or`, `not` and parentheses; `h` is `height_above_ground`. A comparison with NaN is false. What conditions
  need is computed, also where it is no output column.
- `attributes`: written with each object (`object_<attribute>` in NPZ), to filter by: labels of buildings whose `origine_du_batiment` is "Lidar HD" come from the same LiDAR.

Besides, a point labelled building (6) with `ndvi` ≥ 0.3 and `planarity` < 0.5 becomes vegetation by its height (3 below 0.5 m, 4 below 1.5 m, else 5), where NDVI is known.
`label_source` is 0 for the file's class, the row of the layer from 1, 254 where NDVI changed it.

The default layers, of BD TOPO:

)";

}  // namespace

std::string effective_yaml(const Config& config) {
  constexpr std::size_t comment_column = 48;
  std::string out;
  walk_keys([&](std::size_t depth, const std::string& name) { out += std::string(2 * depth, ' ') + name + ":\n"; },
            [&](std::size_t depth, const Key& key) {
              std::string line = std::string(2 * depth, ' ') + name_of(key) + ": " + key.show(config);
              line.resize(std::max(line.size() + 2, comment_column), ' ');
              const auto origin = config.origins.find(key.path);
              out += line + "# " + (origin == config.origins.end() ? "default" : in_one_line(origin->second)) + "\n";
            });
  return out;
}

std::string byte_relevant_text(const Config& config) {
  std::string out;
  for (const Key& key : keys()) {
    if (key.changes_bytes) out += key.path + ": " + key.show(config) + "\n";
  }
  return out;
}

std::vector<KeyWords> key_words() {
  std::vector<KeyWords> all;
  for (const Key& key : keys()) all.push_back({key.path, key.words});
  return all;
}

std::string reference_markdown() {
  const Config defaults;
  std::string out(documentation_head);
  walk_keys(
      [&](std::size_t depth, const std::string& name) { out += std::string(2 * depth, ' ') + name + ":\n"; },
      [&](std::size_t depth, const Key& key) { out += std::string(2 * depth, ' ') + name_of(key) + ": " + key.show(defaults) + "\n"; });
  out += "```\n\n## The keys\n\n| key | default | unit | takes | meaning | cost | bytes |\n| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Key& key : keys()) {
    out += "| `" + key.path + "` | `" + key.show(defaults) + "` | " + key.unit + " | " + table_cell(key.expected) + " | " +
           table_cell(key.meaning) + " | " + table_cell(key.cost) + " | " + (key.changes_bytes ? "yes" : "") + " |\n";
  }
  out += std::string(documentation_layers) + "```yaml\nlayers:" + std::string(default_layers_yaml()) + "```\n";
  out += "\n## Presets\n\n`tuile config presets` prints them.\n";
  for (const Preset& preset : presets()) {
    out +=
        "\n### " + std::string(preset.name) + "\n\n" + std::string(preset.summary) + "\n\n```yaml\n" + std::string(preset.yaml) + "```\n";
  }
  return out;
}

}  // namespace tuile::config
