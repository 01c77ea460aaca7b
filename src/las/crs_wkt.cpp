#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <variant>

#include "las/crs.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

/// KEYWORD[value, …]: a value is a text, a number, a bare word or another node.
struct Node {
  std::string keyword;  ///< upper case
  std::vector<std::string> texts;
  std::vector<std::string> words;  ///< numbers and bare words, as written
  std::vector<Node> children;

  const Node* child(std::initializer_list<std::string_view> keywords) const {
    for (const Node& node : children) {
      for (const std::string_view keyword_wanted : keywords) {
        if (node.keyword == keyword_wanted) return &node;
      }
    }
    return nullptr;
  }
  bool is(std::initializer_list<std::string_view> keywords) const {
    for (const std::string_view keyword_wanted : keywords) {
      if (keyword == keyword_wanted) return true;
    }
    return false;
  }
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Node parse() {
    Node root = node(0);
    return root;
  }

 private:
  static constexpr int max_depth = 40;  // real texts stay below 10; the limit keeps a hostile one off the stack

  [[noreturn]] void fail(const char* expected) const {
    throw CorruptData(std::string("WKT: ") + expected + " expected at character " + std::to_string(at_));
  }
  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  std::string word() {
    skip_space();
    std::string out;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '.' && c != '+' && c != '-') break;
      out.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
      ++at_;
    }
    if (out.empty()) fail("a keyword or number");
    return out;
  }

  std::string quoted() {
    std::string out;
    ++at_;
    while (true) {
      if (at_ >= text_.size()) fail("a closing quote");
      if (text_[at_] == '"') {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == '"')
          ++at_;  // a doubled quote is a quote
        else
          break;
      }
      out.push_back(text_[at_++]);
    }
    ++at_;
    return out;
  }

  Node node(int depth) {
    Node out;
    out.keyword = word();
    const char open = peek();
    if (open != '[' && open != '(') fail("a bracket");
    ++at_;
    fill(out, depth, open == '[' ? ']' : ')');
    return out;
  }

  void fill(Node& out, int depth, char close) {
    if (depth > max_depth) fail("fewer nested brackets");
    while (true) {
      if (peek() == ',' || peek() == close) {
        out.words.emplace_back();  // some writers leave a name out: UNIT[,0.0174]
      } else if (peek() == '"') {
        out.texts.push_back(quoted());
      } else {
        std::string name = word();
        const char open = peek();
        if (open == '[' || open == '(') {
          ++at_;
          Node inner;
          inner.keyword = std::move(name);
          fill(inner, depth + 1, open == '[' ? ']' : ')');
          out.children.push_back(std::move(inner));
        } else {
          out.words.push_back(std::move(name));
        }
      }
      const char next = peek();
      ++at_;
      if (next == close) return;
      if (next != ',') {
        --at_;
        fail("a comma or a closing bracket");
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::optional<double> to_number(const std::string& text) {
  double value = 0;
  const char* begin = text.data() + (!text.empty() && text[0] == '+' ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// The EPSG code in a node's own AUTHORITY (WKT 1) or ID (WKT 2), 0 where it has none.
int epsg_of(const Node& node) {
  for (const Node& child : node.children) {
    if (!child.is({"AUTHORITY", "ID"}) || child.texts.empty()) continue;
    std::string authority = child.texts[0];
    for (char& c : authority) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (authority != "EPSG") continue;
    const std::string code = child.texts.size() > 1 ? child.texts[1] : (child.words.empty() ? "" : child.words[0]);
    int value = 0;
    const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), value);
    if (error == std::errc() && end == code.data() + code.size() && value > 0) return value;
  }
  return 0;
}

std::optional<double> unit_in(const Node& node) {
  const Node* unit = node.child({"LENGTHUNIT", "UNIT"});
  if (unit == nullptr) return std::nullopt;
  const auto word = std::find_if(unit->words.begin(), unit->words.end(), [](const std::string& text) { return !text.empty(); });
  if (word == unit->words.end()) return std::nullopt;
  const auto factor = to_number(*word);
  // Linear units lie between a millimetre and some kilometres; anything else is damage.
  if (!factor || *factor < 1e-4 || *factor > 1e4) throw CorruptData("WKT: the unit factor is \"" + *word + "\"");
  return factor;
}

/// The linear unit of axis number `axis` of a coordinate system: on the axis itself (WKT 2) or on the whole system.
std::optional<double> linear_unit(const Node& crs, std::size_t axis) {
  std::size_t seen = 0;
  for (const Node& child : crs.children) {
    if (child.keyword != "AXIS") continue;
    if (seen++ != axis) continue;
    if (const auto unit = unit_in(child)) return unit;
  }
  return unit_in(crs);
}

bool is_projected(const Node& node) {
  // A geocentric system counts metres too; where a tile says it is one, its writer mostly had no better name.
  return node.is({"GEOCCS", "PROJCS", "PROJCRS", "PROJECTEDCRS", "LOCAL_CS", "ENGCRS", "ENGINEERINGCRS", "DERIVEDPROJCRS"});
}
bool is_geographic(const Node& node) { return node.is({"GEOGCS", "GEOGCRS", "GEOGRAPHICCRS", "GEODCRS", "GEODETICCRS"}); }
bool is_vertical(const Node& node) { return node.is({"VERT_CS", "VERTCRS", "VERTICALCRS"}); }

/// The system inside the wrappers of WKT 2 (a bound system with its transformation).
const Node& unwrap(const Node& node) {
  if (node.keyword == "BOUNDCRS") {
    const Node* source = node.child({"SOURCECRS"});
    if (source != nullptr && !source->children.empty()) return unwrap(source->children[0]);
  }
  return node;
}

std::size_t axis_count(const Node& crs) {
  std::size_t count = 0;
  for (const Node& child : crs.children) count += child.keyword == "AXIS" ? 1U : 0U;
  return count;
}

}  // namespace

Crs parse_wkt_crs(std::string_view wkt, std::vector<std::string>& warnings) {
  const Node tree = Parser(wkt).parse();
  const Node& root = unwrap(tree);
  const Node* horizontal = nullptr;
  const Node* vertical = nullptr;
  if (root.is({"COMPD_CS", "COMPOUNDCRS"})) {
    for (const Node& child : root.children) {
      const Node& part = unwrap(child);
      if (horizontal == nullptr && (is_projected(part) || is_geographic(part))) horizontal = &part;
      if (vertical == nullptr && is_vertical(part)) vertical = &part;
    }
  } else if (is_projected(root) || is_geographic(root)) {
    horizontal = &root;
  }
  if (horizontal == nullptr) throw CorruptData("WKT: " + root.keyword + " is not a projected, geographic or compound coordinate system");

  Crs crs;
  crs.wkt = std::string(wkt);
  crs.epsg = epsg_of(*horizontal);
  crs.name = root.texts.empty() ? std::string() : root.texts[0];
  crs.geographic = is_geographic(*horizontal);
  if (!crs.geographic) {
    const auto stated = linear_unit(*horizontal, 0);
    crs.horizontal_unit = stated ? *stated : unstated_unit(crs.epsg, warnings);
  }
  crs.vertical_unit = crs.horizontal_unit;
  if (vertical != nullptr) {
    crs.vertical_unit = linear_unit(*vertical, 0).value_or(crs.horizontal_unit);
  } else if (axis_count(*horizontal) >= 3) {
    crs.vertical_unit = linear_unit(*horizontal, 2).value_or(crs.horizontal_unit);
  }
  return crs;
}

}  // namespace tuile::las
