#include "config/value.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "tuile/core/error.hpp"

namespace tuile::config {

namespace {

/// Builds a Value from the parser's events. Nodes of yaml-cpp are not used: they share aliased parts, keep no trace of repeated keys, and
/// do not tell 20 from "20".
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const Source& source) : source_(source) {}

  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) fail(mark, "a second YAML document starts here; one document is expected");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, "", anchor);
    if (wants_key()) fail(mark, "a key is empty; a name is expected");
    add(mark, Value::Kind::null);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { fail(mark, "aliases (*name) are not taken; write the value out"); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& text) override {
    check(mark, tag, anchor);
    if (wants_key()) {
      start_entry(mark, text);
      return;
    }
    Value& value = add(mark, Value::Kind::scalar);
    value.text = text;
    value.quoted = tag == "!";
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::sequence);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::map);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  struct Level {
    Value* value;
    bool after_key = false;
    std::unordered_map<std::string, int> lines;  // of the keys met so far
  };

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& what) const {
    throw ConfigError(source_.place(mark.line + 1, mark.column + 1) + ": " + what);
  }
  void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) const {
    if (anchor != 0) fail(mark, "anchors (&name) are not taken; write the value out");
    if (!tag.empty() && tag != "!" && tag != "?") fail(mark, "the tag " + quoted_for_message(tag) + " is not taken; write the plain value");
  }
  bool wants_key() const { return !open_.empty() && open_.back().value->kind == Value::Kind::map && !open_.back().after_key; }

  void start_entry(const YAML::Mark& mark, const std::string& key) {
    Level& level = open_.back();
    const auto [at, is_new] = level.lines.emplace(key, mark.line + 1);
    if (!is_new) {
      fail(mark, "the key " + quoted_for_message(key) + " is given twice" +
                     (source_.has_lines ? ", first in line " + std::to_string(at->second) : "") + "; remove one of them");
    }
    level.value->entries.push_back({key, mark.line + 1, mark.column + 1, {}});
    level.after_key = true;
  }

  Value& add(const YAML::Mark& mark, Value::Kind kind) {
    Value* value = &root_;
    if (!open_.empty()) {
      Level& level = open_.back();
      if (level.value->kind == Value::Kind::map) {
        value = &level.value->entries.back().value;
        level.after_key = false;
      } else {
        value = &level.value->items.emplace_back();
      }
    }
    value->kind = kind;
    value->line = mark.line + 1;
    value->column = mark.column + 1;
    return *value;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value::Kind kind) {
    check(mark, tag, anchor);
    if (wants_key()) fail(mark, "a list or map stands where a key is expected");
    if (open_.size() >= max_yaml_depth)
      fail(mark, "nested deeper than " + std::to_string(max_yaml_depth) + " levels; a configuration needs four");
    open_.push_back({&add(mark, kind), false, {}});
  }

  const Source& source_;
  Value root_;
  std::vector<Level> open_;  // values do not move while they are open: only the innermost one grows
  int documents_ = 0;
};

}  // namespace

Value parse_yaml(std::string_view text, const Source& source) {
  if (text.size() > max_yaml_bytes) {
    throw ConfigError(source.name + ": " + std::to_string(text.size()) + " bytes of YAML; at most " + std::to_string(max_yaml_bytes) +
                      " are taken (long lists of tiles: give a text file as @list.txt)");
  }
  if (text.find('\0') != std::string_view::npos) throw ConfigError(source.name + ": holds a zero byte; a YAML text is expected");
  Builder builder(source);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Error&) {
    throw;
  } catch (const YAML::Exception& error) {
    const bool placed = !error.mark.is_null();
    throw ConfigError(source.place(placed ? error.mark.line + 1 : 0, placed ? error.mark.column + 1 : 0) +
                      ": not valid YAML: " + error.msg);
  } catch (const std::exception& error) {
    throw ConfigError(source.name + ": not valid YAML: " + error.what());
  }
  return builder.take();
}

std::string quoted_for_message(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::size_t length = std::min(longest, text.size());
  while (length < text.size() && length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80)
    --length;  // whole UTF-8 characters
  std::string out = "'";
  for (const char c : text.substr(0, length)) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      constexpr const char* digits = "0123456789abcdef";
      out += "\\x";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
  return out + (text.size() > length ? "…'" : "'");
}

}  // namespace tuile::config
