#include "tuile/config/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

#include "config/keys.hpp"
#include "config/value.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"
#include "tuile/core/nearest.hpp"

namespace tuile::config {

namespace {

std::string join(const std::string& prefix, const std::string& name) { return prefix.empty() ? name : prefix + "." + name; }
std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

const Key* find_key(const std::string& path) {
  const auto at = std::find_if(keys().begin(), keys().end(), [&](const Key& key) { return key.path == path; });
  return at == keys().end() ? nullptr : &*at;
}

/// Names directly below a section ("" is the whole configuration); none where it is not a section.
std::vector<std::string> names_in(const std::string& section) {
  const std::string prefix = section.empty() ? "" : section + ".";
  std::vector<std::string> names;
  for (const Key& key : keys()) {
    if (!key.path.starts_with(prefix)) continue;
    const std::string name = key.path.substr(prefix.size(), key.path.find('.', prefix.size()) - prefix.size());
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

std::string list_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

/// The valid key that was probably meant by `name` in `section`; "" where nothing is close.
std::string probable_key(const std::string& section, const std::string& name) {
  for (const Key& key : keys()) {
    if (last_part(key.path) == name) return key.path;  // right name, wrong place
  }
  const std::string sibling = nearest(name, names_in(section));
  if (!sibling.empty()) return join(section, sibling);
  std::vector<std::string> paths;
  for (const Key& key : keys()) paths.push_back(key.path);
  return nearest(join(section, name), paths);
}

/// rest: what follows the name in a dotted key (".k"), or nothing.
[[noreturn]] void unknown_key(const std::string& place, const std::string& section, const std::string& name, const std::string& rest = "") {
  const std::string path = join(section, name);
  std::string message = place + ": unknown key " + quoted_for_message(path);
  if (find_key(name) != nullptr && name.find('.') != std::string::npos) {
    const std::size_t dot = name.find('.');
    message += "; dots are for --set, here write it nested: " + name.substr(0, dot) + ": {" + name.substr(dot + 1) + ": …}";
  } else if (const std::string meant = probable_key(section, name); !meant.empty()) {
    message += "; did you mean " + meant + (find_key(meant + rest) != nullptr ? rest : "") + "?";
  }
  throw ConfigError(message + " (allowed " + (section.empty() ? "here" : "in " + section) + ": " + list_names(names_in(section)) + ")");
}

void apply(Config& config, const std::string& path, const Value& value, const Source& source) {
  const std::vector<std::string> names = names_in(path);
  if (const Key* key = find_key(path); key != nullptr) {
    key->read(config, {value, source, path, key->expected, path + ": " + key->example});
    config.origins[path] = source.has_lines && value.line > 0 ? source.origin + ":" + std::to_string(value.line) : source.origin;
    return;
  }
  if (value.kind == Value::Kind::null) return;  // a section whose lines are all commented out
  if (value.kind != Value::Kind::map) {
    const std::string example = path.empty() ? names.front() + ": …" : path + ": {" + names.front() + ": …}";
    refuse({value, source, path.empty() ? "the configuration" : path, "a map (" + list_names(names) + ")", example});
  }
  for (const Entry& entry : value.entries) {
    if (std::find(names.begin(), names.end(), entry.key) == names.end())
      unknown_key(source.place(entry.line, entry.column), path, entry.key);
    apply(config, join(path, entry.key), entry.value, source);
  }
}

/// `path` as the user wrote it on the command line: every part must exist.
void apply_dotted(Config& config, const std::string& path, const Value& value, const Source& source) {
  std::string section;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('.', start), path.size());
    const std::string name = path.substr(start, end - start);
    const std::vector<std::string> names = names_in(section);
    if (names.empty())
      throw ConfigError(source.name + ": unknown key " + quoted_for_message(path) + "; " + section +
                        " holds a value, it has no keys below it");
    if (std::find(names.begin(), names.end(), name) == names.end()) unknown_key(source.name, section, name, path.substr(end));
    section = join(section, name);
    start = end + 1;
  }
  apply(config, path, value, source);
}

std::string read_file(const std::string& path) {
  const auto fail = [&](int error) {
    throw ConfigError("cannot read the configuration " + path + ": " + std::generic_category().message(error) +
                      "; a YAML file is expected");
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(checked_path(path).c_str(), "rbe"), &std::fclose);
  if (!file) fail(errno);
  std::string text;
  std::array<char, 16384> chunk{};
  while (text.size() <= max_yaml_bytes) {
    const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get());
    if (got == 0) break;
    text.append(chunk.data(), got);
  }
  if (std::ferror(file.get()) != 0) fail(errno);
  return text;
}

void apply_preset(Config& config, const std::string& name) {
  std::string names;
  for (const Preset& preset : presets()) {
    if (preset.name == name) {
      const Source source{"preset " + name, "preset " + name};
      apply(config, "", parse_yaml(preset.yaml, source), source);
      return;
    }
    names += (names.empty() ? "" : ", ") + std::string(preset.name);
  }
  throw ConfigError("there is no preset " + quoted_for_message(name) + "; presets are " + names);
}

void apply_assignment(Config& config, const std::string& text, const std::string& name) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw ConfigError(name + " " + quoted_for_message(text) + ": key=value is expected, e.g. features.k=30");
  }
  const std::string path = text.substr(0, equals);
  const Source source{name, name, false, true};
  apply_dotted(config, path, parse_yaml(std::string_view(text).substr(equals + 1), source), source);
}

Value plain_text(const std::string& text) {
  Value value;
  value.kind = Value::Kind::scalar;
  value.text = text;
  return value;
}

void apply_flags(Config& config, const std::vector<Flag>& flags) {
  Value inputs;
  inputs.kind = Value::Kind::sequence;
  Source inputs_source;
  for (const Flag& flag : flags) {
    const std::string name = flag.option.empty() ? flag.key : flag.option;
    const Source source{name, flag.option.empty() ? "command line" : flag.option, false, true};
    if (flag.key == "input") {
      inputs.items.push_back(plain_text(flag.value));
      inputs_source = source;
    } else {
      apply_dotted(config, flag.key, plain_text(flag.value), source);
    }
  }
  if (!inputs.items.empty()) apply(config, "input", inputs, inputs_source);
}

}  // namespace

Config load_config(const Sources& sources) {
  Config config;
  if (!sources.preset.empty()) apply_preset(config, sources.preset);
  if (!sources.file.empty()) {
    const Source source{sources.file, sources.file, true};
    apply(config, "", parse_yaml(read_file(sources.file), source), source);
  }
  if (!sources.text.empty()) {
    const Source source{"config", "config", true};
    apply(config, "", parse_yaml(sources.text, source), source);
  }
  for (const std::string& text : sources.set) apply_assignment(config, text, sources.set_name);
  apply_flags(config, sources.flags);
  return config;
}

Config parse_config(std::string_view yaml, const std::string& name) {
  Config config;
  const Source source{name, name, true};
  apply(config, "", parse_yaml(yaml, source), source);
  return config;
}

}  // namespace tuile::config
