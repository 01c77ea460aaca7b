#include "config/keys.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "config/key_types.hpp"
#include "tuile/core/nearest.hpp"
#include "tuile/core/output_format.hpp"

namespace tuile::config {

namespace {

constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();
const std::vector<std::string> feature_sets{"minimal", "lod2", "asprs", "lod3", "full"};
const std::string leave_out = "leave it out (null)";

Key input_key() {
  Key key = make_key({"input", "", false, "What to process: files, directories, globs, or text files of these (`@list.txt`).", ""},
                     "a path or a list of paths", "[tiles/]");
  key.read = [](Config& config, const Cell& cell) {
    config.input.clear();
    // One path is taken as it stands: a comma may be part of its name.
    const std::vector<Value> items = cell.value.kind == Value::Kind::scalar ? std::vector<Value>{cell.value} : read_list(cell);
    for (const Value& item : items) config.input.push_back(read_text(cell.part(item, "", "a path")));
  };
  key.show = [](const Config& config) { return show_list(config.input, format_text); };
  return key;
}

Key output_key() {
  Key key =
      make_key({"output", "", false, "Directory that the outputs are written to; made where it does not exist.", ""}, "a path", "out");
  key.read = [](Config& config, const Cell& cell) { config.output = read_text(cell); };
  key.show = [](const Config& config) { return format_text(config.output); };
  return key;
}

Key devices_key() {
  Key key = make_key({"devices", "", false, "Ids of the CUDA devices to use; `auto`: all of them. The cpu backend has none.",
                      "Memory on every device named."},
                     "auto or a list of device ids (integers from 0 to 1023)", "[0]");
  key.read = [](Config& config, const Cell& cell) {
    config.devices.reset();
    if (is_word(cell.value, "auto")) return;
    std::vector<int> ids;
    for (const Value& item : read_list(cell)) {
      const Cell part = cell.part(item, index_suffix(ids.size()), "an integer from 0 to 1023");
      ids.push_back(static_cast<int>(read_integer(part, 0, 1023)));
      if (std::count(ids.begin(), ids.end(), ids.back()) > 1) refuse(part, "this device is named twice");
    }
    if (ids.empty()) refuse(cell, "the list is empty");
    config.devices = std::move(ids);
  };
  key.show = [](const Config& config) {
    return config.devices ? show_list(*config.devices, [](int id) { return std::to_string(id); }) : std::string("auto");
  };
  return key;
}

Key feature_set_key() {
  const std::string sets = one_of(feature_sets, [](const std::string& name) { return name; });
  Key key = make_key({"features.set", "", true, "The columns to compute: a named set, or a list of feature names, whose order is kept.",
                      "`height_above_ground` builds a ground surface, `num_points_2m` counts every point within 2 m: columns without them "
                      "take less time."},
                     sets + ", or a list of feature names", "lod2");
  key.words = feature_sets;
  key.read = [](Config& config, const Cell& cell) {
    config.features.names.clear();
    const bool is_scalar = cell.value.kind == Value::Kind::scalar;
    if (is_scalar && std::find(feature_sets.begin(), feature_sets.end(), cell.value.text) != feature_sets.end()) {
      config.features.set = cell.value.text;
      return;
    }
    if (is_scalar) {
      const std::string close = nearest(cell.value.text, feature_sets);
      if (!close.empty()) refuse(cell, "nearest: " + close);
      if (!cell.source.command_line) refuse(cell, "a single feature is a list too: [" + cell.value.text.substr(0, 60) + "]");
    }
    std::vector<std::string> names;
    for (const Value& item : read_list(cell)) {
      const Cell part = cell.part(item, index_suffix(names.size()), "a feature name (lower-case letters, digits, _)");
      names.push_back(read_text(part));
      if (names.back().find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos) refuse(part);
      if (std::count(names.begin(), names.end(), names.back()) > 1) refuse(part, "this name is given twice");
    }
    if (names.empty()) refuse(cell, "the list is empty");
    config.features.names = std::move(names);
  };
  key.show = [](const Config& config) {
    return config.features.names.empty() ? config.features.set : show_list(config.features.names, format_text);
  };
  return key;
}

Key scales_key() {
  Key key = make_key(
      {"features.scales", "", true,
       "Further neighbourhoods: the neighbourhood features are computed again with each, in columns with the suffix `_k50`, `_r2`.",
       "Each scale costs about as much as the first."},
      "a list of {k: integer from 3 to 4096} or {radius: number above 0, at most 1000}", "[{k: 50}, {radius: 2}]");
  key.read = [](Config& config, const Cell& cell) {
    config.features.scales.clear();
    if (cell.value.kind != Value::Kind::sequence) refuse(cell);
    for (const Value& item : cell.value.items) {
      const std::string at = index_suffix(config.features.scales.size());
      const Cell part = cell.part(item, at, "{k: …} or {radius: …}");
      if (item.kind != Value::Kind::map || item.entries.size() != 1) refuse(part);
      const Entry& entry = item.entries.front();
      Scale scale;
      if (entry.key == "k") {
        scale.k = static_cast<int>(read_integer(cell.part(entry.value, at + ".k", "an integer from 3 to 4096"), 3, 4096));
      } else if (entry.key == "radius") {
        scale.radius = read_real(cell.part(entry.value, at + ".radius", "a number above 0, at most 1000"), 0, true, 1000);
      } else {
        refuse(part, "the key " + quoted_for_message(entry.key) + " is not allowed here; allowed: k, radius");
      }
      const auto& scales = config.features.scales;
      if (std::find(scales.begin(), scales.end(), scale) != scales.end()) refuse(part, "this scale is given twice");
      config.features.scales.push_back(scale);
    }
  };
  key.show = [](const Config& config) {
    return show_list(config.features.scales, [](const Scale& scale) {
      return scale.k ? "{k: " + std::to_string(*scale.k) + "}" : "{radius: " + format_real(scale.radius.value_or(0)) + "}";
    });
  };
  return key;
}

Key exclude_classes_key() {
  Key key = make_key({"preprocess.exclude_classes", "", true,
                      "Points of these classes are marked as not valid: they are never neighbours, and their computed columns are NaN. "
                      "The default leaves out LiDAR HD's artefacts and virtual points; `[]` switches it off. The filters below mark "
                      "points likewise, each looking only at those that the steps before it have left.",
                      "None."},
                     "a list of classes (integers from 0 to 255)", "[65, 66]");
  key.read = [](Config& config, const Cell& cell) {
    std::set<std::uint8_t> classes;
    std::size_t at = 0;
    for (const Value& item : read_list(cell)) {
      const Cell part = cell.part(item, index_suffix(at++), "an integer from 0 to 255");
      classes.insert(static_cast<std::uint8_t>(read_integer(part, 0, 255)));
    }
    config.preprocess.exclude_classes.assign(classes.begin(), classes.end());
  };
  key.show = [](const Config& config) {
    return show_list(config.preprocess.exclude_classes, [](std::uint8_t value) { return std::to_string(value); });
  };
  return key;
}

Key budget_key() {
  Key key = make_key(
      {"memory.budget", "bytes", false,
       "Memory that tiles may take, cached ones and those in work together; `auto`: half of what the process may use, its cgroup counted.",
       "Less memory: fewer tiles ahead; a tile that does not fit goes in blocks, its rows in a temporary file beside the outputs. One that "
       "needs more even "
       "so is done all the same, and said."},
      "auto or a size of 64MiB or more (500MiB, 4GiB, 2GB, plain bytes)", "4GiB");
  key.read = [](Config& config, const Cell& cell) {
    config.memory.budget.reset();
    if (!is_word(cell.value, "auto")) config.memory.budget = read_size(cell, std::uint64_t{64} << 20);
  };
  key.show = [](const Config& config) { return config.memory.budget ? format_size(*config.memory.budget) : std::string("auto"); };
  return key;
}

/// In the table's order, whatever the order they are given in.
std::vector<std::string> in_table_order(const std::vector<std::string>& given) {
  std::vector<std::string> names;
  for (const OutputFormat* format : output_formats_of(given)) names.emplace_back(format->name);
  return names;
}

Key formats_key() {
  std::string meaning = "The files written for each tile, besides its JSON sidecar:", cost = "One more file per tile each", words, either;
  for (const OutputFormat& format : output_formats()) {
    meaning.append(words.empty() ? " `" : ", `").append(format.name).append("` (").append(format.what).append(")");
    if (!format.cost.empty()) cost.append("; ").append(format.cost);
    words.append(words.empty() ? "" : ", ").append(format.name);
    either.append(either.empty() ? "" : " or ").append(format.name);
  }
  Key key = make_key({"write.formats", "", true, meaning + ".", cost + "."}, "a list of " + words, "[" + words + "]");
  for (const OutputFormat& format : output_formats()) key.words.emplace_back(format.name);
  key.read = [either](Config& config, const Cell& cell) {
    std::vector<std::string> given;
    std::size_t at = 0;
    for (const Value& item : read_list(cell)) {
      const Cell part = cell.part(item, index_suffix(at++), either);
      if (is_word(item, "hdf5")) refuse_later(part, "HDF5 output", "write " + either);
      const auto known = output_formats();
      const auto format = std::find_if(known.begin(), known.end(), [&](const OutputFormat& row) { return is_word(item, row.name); });
      if (format == known.end()) refuse(part);
      if (std::find(given.begin(), given.end(), format->name) != given.end()) refuse(part, "this format is given twice");
      given.emplace_back(format->name);
    }
    if (at == 0) refuse(cell, "the list is empty");
    config.write.formats = in_table_order(given);
  };
  key.show = [](const Config& config) { return show_list(in_table_order(config.write.formats), format_text); };
  return key;
}

Key laz_features_key() {
  Key key = make_key({"write.laz.features", "", true, "Where features go in LAZ files: one float32 extra-bytes dimension each.", ""},
                     "extra_bytes", "extra_bytes");
  key.read = [](Config&, const Cell& cell) {
    if (!is_word(cell.value, "extra_bytes")) refuse(cell);
  };
  key.show = [](const Config&) { return std::string("extra_bytes"); };
  return key;
}

Key report_key() {
  Key key = make_key({"report", "", false, "Path of an HTML report of the run.", ""}, "null", "null");
  key.read = [](Config&, const Cell& cell) {
    if (cell.value.kind != Value::Kind::null)
      refuse_later(cell, "the HTML report", leave_out + "; the run's figures are in the output directory's run-<id>.json");
  };
  key.show = [](const Config&) { return std::string("null"); };
  return key;
}

Key trace_key() {
  Key key = make_key({"trace", "", false, "Path of a trace of the run (Chrome trace events; opens in Perfetto).", ""}, "null or a path",
                     "trace.json");
  key.read = [](Config& config, const Cell& cell) {
    config.trace.reset();
    if (cell.value.kind != Value::Kind::null) config.trace = read_text(cell);
  };
  key.show = [](const Config& config) { return config.trace ? format_text(*config.trace) : std::string("null"); };
  return key;
}

/// A word that is held as text.
template <class Member>
Key text_word_key(KeyText text, const std::vector<std::string>& words, Member member) {
  Words<std::string> pairs;
  for (const std::string& word : words) pairs.emplace_back(word, word);
  return word_key<std::string>(std::move(text), std::move(pairs), member);
}

/// Those of a tile's way from the input to its colours …
std::vector<Key> first_keys() {
  return {
      input_key(),
      output_key(),
      text_word_key(
          {"backend", "", false,
           "What computes the features; `auto` takes the best that can run here and says which. Outputs are done anew when it changes.",
           ""},
          {"auto", "cpu", "cuda"}, [](auto& c) -> auto& { return c.backend; }),
      devices_key(),
      feature_set_key(),
      integer_key(
          {"features.k", "points", true, "Neighbours of a point, the point itself included. Not used where `features.radius` is set.",
           "Time grows with k."},
          3, 4096, "20", [](auto& c) -> auto& { return c.features.k; }),
      real_key(
          {"features.radius", "m", true,
           "When set, the neighbours are all points within it instead, at most the `features.max_neighbors` nearest.",
           "Time grows with the points inside. A radius of 4096 or more units of the tile's grid (4.1 m at 1 mm, 41 m at 1 cm) takes a "
           "slower exact path."},
          Lower::open, 0, 1000, "1.5", [](auto& c) -> auto& { return c.features.radius; }),
      integer_key(
          {"features.max_neighbors", "points", true, "Upper bound of the neighbours taken within a radius.",
           "Bounds the time where points are dense."},
          3, 65536, "200", [](auto& c) -> auto& { return c.features.max_neighbors; }),
      word_key<Missing>(
          {"features.missing", "", true,
           "A column whose input the tile lacks (no colour, no ground): `nan` fills it and names it in the sidecar, `drop` leaves the "
           "column out, `error` fails the tile.",
           ""},
          {{"nan", Missing::nan}, {"drop", Missing::drop}, {"error", Missing::error}}, [](auto& c) -> auto& { return c.features.missing; }),
      scales_key(),
      word_key<int>(
          {"features.color_depth", "bits", true, "How the file stores colours: they are divided by 65535 (16) or 255 (8).", ""},
          {{"16", 16}, {"8", 8}}, [](auto& c) -> auto& { return c.features.color_depth; }),
      real_key(
          {"halo", "m", true, "Width of the band of neighbouring tiles' points that features at a tile's border are computed with.",
           "Points in the band are decoded and searched once more."},
          Lower::closed, 0, 1000, "10", [](auto& c) -> auto& { return c.halo; }),
      integer_key(
          {"crs", "EPSG", true,
           "EPSG code of the tiles, for files that say nothing or something wrong; `auto`: what the file, else its name says.", ""},
          1, 999999, "2154", [](auto& c) -> auto& { return c.crs; }),
      integer_key(
          {"threads", "", false, "Computing threads; `auto`: one per processor that the process may use.", ""}, 1, 4096, "8",
          [](auto& c) -> auto& { return c.threads; }),
      exclude_classes_key(),
      switch_key(
          {"preprocess.statistical_outliers.enabled", "", true,
           "Marks points whose mean distance to their `k` nearest others is more than `std` standard deviations above the mean of the "
           "tile's own points. So it depends on the tiling: the same point may stay in one tile and go in another.",
           "A neighbour search of its own: about half as long as the features take once more."},
          [](auto& c) -> auto& { return c.preprocess.statistical_outliers.enabled; }),
      integer_key(
          {"preprocess.statistical_outliers.k", "points", true,
           "Nearest others that the mean distance is taken over; the point itself does not count.", "Time grows with it."},
          1, 4096, "12", [](auto& c) -> auto& { return c.preprocess.statistical_outliers.k; }),
      real_key(
          {"preprocess.statistical_outliers.std", "", true,
           "Standard deviations above the mean from which a point is an outlier; fewer mark more points.", ""},
          Lower::open, 0, 1000, "2", [](auto& c) -> auto& { return c.preprocess.statistical_outliers.std; }),
      switch_key(
          {"preprocess.radius_outliers.enabled", "", true,
           "Marks points with fewer than `min_neighbors` others within `radius`. The halo is read wider by the radius, so that the "
           "tiling changes nothing (with `halo: 0` no other tile is read, and it does).",
           "A search of its own: time grows with the radius, and more than tenfold beyond 41 m on a grid of 1 cm (4 m on 1 mm)."},
          [](auto& c) -> auto& { return c.preprocess.radius_outliers.enabled; }),
      real_key(
          {"preprocess.radius_outliers.radius", "m", true, "How far others count, in three dimensions; those at exactly that distance do.",
           ""},
          Lower::open, 0, 1000, "1", [](auto& c) -> auto& { return c.preprocess.radius_outliers.radius; }),
      integer_key(
          {"preprocess.radius_outliers.min_neighbors", "points", true, "Others wanted within the radius; the point itself does not count.",
           ""},
          1, 65536, "4", [](auto& c) -> auto& { return c.preprocess.radius_outliers.min_neighbors; }),
      switch_key(
          {"preprocess.voxel.enabled", "", true,
           "Keeps one point of each cube of edge `size` as valid, the one with the smallest (x, y, z), and marks the others. Cubes are "
           "anchored at coordinate 0 and the halo is read wider by one, so that the tiling changes nothing (with `halo: 0` it does).",
           "Little; what comes after it has fewer points to look at."},
          [](auto& c) -> auto& { return c.preprocess.voxel.enabled; }),
      real_key(
          {"preprocess.voxel.size", "m", true, "Edge of a cube.", ""}, Lower::open, 0, 1000, "0.5",
          [](auto& c) -> auto& { return c.preprocess.voxel.size; }),
  };
}

/// … and those from prefetching to the outputs.
std::vector<Key> last_keys() {
  const std::string leave_off = "leave it off (enabled: false)";
  return {
      integer_key(
          {"prefetch.workers", "threads", false,
           "Tiles loaded at once; 0: none ahead, tiles load one after another (the sequential baseline); `auto`: 2 to 16, as measured "
           "loading "
           "and computing times ask for while the run goes.",
           "Each holds a tile in memory."},
          0, 256, "4", [](auto& c) -> auto& { return c.prefetch.workers; }),
      integer_key(
          {"prefetch.ahead", "tiles", false,
           "Tiles loaded before they are asked for; `auto`: as many as are loaded at once, and one more batch.",
           "Memory of as many tiles, within `memory.budget`."},
          0, 10000, "4", [](auto& c) -> auto& { return c.prefetch.ahead; }),
      integer_key(
          {"prefetch.cache_tiles", "tiles", false, "Finished tiles kept for their neighbours' halos, the least recently used leave first.",
           "Memory of as many tiles, within `memory.budget`."},
          1, 100000, "8", [](auto& c) -> auto& { return c.prefetch.cache_tiles; }),
      integer_key(
          {"prefetch.retries", "", false, "Further attempts after an error that can pass.", ""}, 0, 100, "2",
          [](auto& c) -> auto& { return c.prefetch.retries; }),
      real_key(
          {"prefetch.timeout", "s", false, "Longest wait for one tile; after it the tile counts as failed.", ""}, Lower::open, 0, 86400,
          "300", [](auto& c) -> auto& { return c.prefetch.timeout; }),
      budget_key(),
      integer_key(
          {"batch.size", "tiles", false,
           "Tiles computed in one call of the backend; `auto`: 1, and more where a tile takes only milliseconds. Results do not depend on "
           "it.",
           "Memory of as many tiles."},
          1, 1024, "4", [](auto& c) -> auto& { return c.batch.size; }),
      formats_key(),
      word_key<NpzCompression>(
          {"write.npz.compression", "", true, "Compression of the arrays in NPZ files.",
           "`deflate`: smaller files, slower to write and to read."},
          {{"none", NpzCompression::none}, {"deflate", NpzCompression::deflate}}, [](auto& c) -> auto& { return c.write.npz.compression; }),
      laz_features_key(),
      word_key<LazLabels>(
          {"write.laz.labels", "", true, "Where labels go in LAZ files: their own dimension, or in the place of the file's classes.", ""},
          {{"extra_bytes", LazLabels::extra_bytes}, {"classification", LazLabels::classification}},
          [](auto& c) -> auto& { return c.write.laz.labels; }),
      later_switch_key(
          {"write.patches.enabled", "", true, "Cuts tiles into patches of a fixed number of points.", ""}, leave_off,
          [](auto& c) -> auto& { return c.write.patches.enabled; }),
      real_key(
          {"write.patches.size", "m", true, "Edge of a patch.", ""}, Lower::open, 0, 100000, "50",
          [](auto& c) -> auto& { return c.write.patches.size; }),
      real_key(
          {"write.patches.overlap", "", true, "Share of a patch's edge that it has in common with the next.", ""}, Lower::closed, 0, 0.95,
          "0.1", [](auto& c) -> auto& { return c.write.patches.overlap; }),
      integer_key(
          {"write.patches.points", "points", true, "Points of a patch.", ""}, 1, 16777216, "16384",
          [](auto& c) -> auto& { return c.write.patches.points; }),
      integer_key(
          {"write.patches.seed", "", true, "Seed of the choice of points.", ""}, 0, no_limit, "0",
          [](auto& c) -> auto& { return c.write.patches.seed; }),
      report_key(),
      trace_key(),
  };
}

}  // namespace

const std::vector<Key>& keys() {
  static const std::vector<Key> table = [] {
    std::vector<Key> all = first_keys();
    for (const auto& part : {ground_truth_keys(), imagery_keys(), last_keys()}) all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return table;
}

}  // namespace tuile::config
