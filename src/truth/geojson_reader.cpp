#include "truth/geojson_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "tuile/core/utf8.hpp"

namespace tuile::truth {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// What the decimal number `text` is worth; infinite or 0 where double cannot hold it.
double value_of(std::string_view text) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  if (error != std::errc::result_out_of_range) return std::numeric_limits<double>::quiet_NaN();
  return text.find("e-") != text.npos || text.find("E-") != text.npos ? 0.0 : std::numeric_limits<double>::infinity();
}

}  // namespace

double number_of(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const double value = value_of(text);
  return std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
}

JsonReader::JsonReader(std::string_view text, int depth) : text_(text), depth_(depth) {
  if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // byte order mark
}

void JsonReader::fail(const std::string& what) const {
  throw CorruptData("not JSON at byte " + std::to_string(at_) + " of " + std::to_string(text_.size()) + ": " + what);
}

void JsonReader::white_space() noexcept {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

char JsonReader::peek() {
  white_space();
  if (at_ >= text_.size()) fail("the text breaks off");
  return text_[at_];
}

JsonReader::Kind JsonReader::kind() {
  switch (const char c = peek(); c) {
    case '{': return Kind::object;
    case '[': return Kind::array;
    case '"': return Kind::string;
    case 't':
    case 'f': return Kind::boolean;
    case 'n': return text_.substr(at_, 3) == "nan" ? Kind::number : Kind::null;
    case 'N':
    case 'I':
    case 'i':
    case '-':
    case '+': return Kind::number;
    default:
      if (is_digit(c)) return Kind::number;
      fail("a value was expected");
  }
}

void JsonReader::open(char bracket) {
  if (peek() != bracket) fail(bracket == '{' ? "an object was expected" : "an array was expected");
  if (++depth_ > deepest) fail("nested deeper than " + std::to_string(deepest));
  ++at_;
}

bool JsonReader::next(char closing, bool first) {
  const char c = peek();
  if (c == closing) {
    ++at_;
    --depth_;
    return false;
  }
  if (first) return true;
  if (c != ',') fail("a comma was expected");
  ++at_;
  return true;
}

std::string JsonReader::member_key() {
  std::string key = string();
  if (peek() != ':') fail("a colon was expected");
  ++at_;
  return key;
}

void JsonReader::pass_string() {
  if (peek() != '"') fail("a string was expected");
  for (++at_; at_ < text_.size(); ++at_) {
    if (text_[at_] == '"') {
      ++at_;
      return;
    }
    if (text_[at_] == '\\') ++at_;
  }
  at_ = text_.size();
  fail("the text breaks off");
}

std::string JsonReader::string() {
  const std::size_t start = at_;
  if (peek() != '"') fail("a string was expected");
  ++at_;
  std::string out;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      return out;
    }
    if (c == '\\') {
      append_escape(out);
      continue;
    }
    std::size_t run = at_;  // the usual case: plain ASCII up to the next mark
    while (run < text_.size() && text_[run] != '"' && text_[run] != '\\' && static_cast<unsigned char>(text_[run]) >= 0x20 &&
           static_cast<unsigned char>(text_[run]) < 0x7F) {
      ++run;
    }
    if (run == at_) run += utf8_character(text_.substr(at_)).length;
    const std::string_view piece = text_.substr(at_, run - at_);
    if (static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F) {
      out.append(piece);
    } else {
      out += clean_utf8(piece);
    }
    at_ = run;
  }
  at_ = start;
  fail("a string that never ends");
}

unsigned JsonReader::hexadecimal() {
  unsigned value = 0;
  const std::string_view digits = text_.substr(std::min(at_, text_.size()), 4);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || end != digits.data() + 4) fail("four hexadecimal digits were expected");
  at_ += 4;
  return value;
}

void JsonReader::append_escape(std::string& out) {
  if (++at_ >= text_.size()) fail("the text breaks off");
  switch (const char c = text_[at_++]; c) {
    case 'b': out.push_back('\b'); return;
    case 'f': out.push_back('\f'); return;
    case 'n': out.push_back('\n'); return;
    case 'r': out.push_back('\r'); return;
    case 't': out.push_back('\t'); return;
    case '"':
    case '\\':
    case '/': out.push_back(c); return;
    case 'u': break;
    default: --at_; fail("an unknown escape");
  }
  unsigned code_point = hexadecimal();
  if (code_point >= 0xD800 && code_point <= 0xDBFF && text_.substr(at_, 2) == "\\u") {
    const std::size_t back = at_;
    at_ += 2;
    const unsigned low = hexadecimal();
    if (low >= 0xDC00 && low <= 0xDFFF) {
      code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
    } else {
      at_ = back;
    }
  }
  append_utf8(out, code_point == 0 ? 0xFFFD : code_point);  // a NUL would end the text for every C library
}

JsonReader::Number JsonReader::number() {
  if (kind() != Kind::number) fail("a number was expected");
  std::size_t run = at_;
  const bool signed_text = text_[run] == '-' || text_[run] == '+';
  if (signed_text) ++run;
  Number number;
  if (run < text_.size() && is_letter(text_[run])) {
    std::size_t stop = run;
    while (stop < text_.size() && is_letter(text_[stop])) ++stop;
    const std::string_view name = text_.substr(run, stop - run);
    if (name != "NaN" && name != "nan" && name != "Infinity" && name != "Inf" && name != "inf") fail("a value was expected");
    at_ = stop;
    number.value = std::numeric_limits<double>::quiet_NaN();
    return number;
  }
  std::size_t stop = run;
  bool whole = true;
  while (stop < text_.size() && (is_digit(text_[stop]) || text_[stop] == '.' || text_[stop] == 'e' || text_[stop] == 'E' ||
                                 ((text_[stop] == '-' || text_[stop] == '+') && (text_[stop - 1] == 'e' || text_[stop - 1] == 'E')))) {
    whole = whole && is_digit(text_[stop]);
    ++stop;
  }
  if (stop == run) fail("a number was expected");
  if (text_[at_] == '+') ++at_;
  const std::string_view digits = text_.substr(at_, stop - at_);
  number.value = value_of(digits);
  if (std::isnan(number.value)) fail("no number: '" + std::string(digits.substr(0, 40)) + "'");
  if (whole) number.is_integer = std::from_chars(digits.data(), digits.data() + digits.size(), number.integer).ec == std::errc{};
  at_ = stop;
  return number;
}

void JsonReader::word(std::string_view text) {
  white_space();
  if (text_.substr(at_, text.size()) != text) fail(std::string(text) + " was expected");
  at_ += text.size();
}

bool JsonReader::boolean() {
  const bool value = peek() == 't';
  word(value ? "true" : "false");
  return value;
}

void JsonReader::null() { word("null"); }

std::string_view JsonReader::skip() {
  white_space();
  const std::size_t start = at_;
  switch (kind()) {
    case Kind::object:
      open('{');
      for (bool first = true; next('}', first); first = false) {
        pass_string();
        if (peek() != ':') fail("a colon was expected");
        ++at_;
        skip();
      }
      break;
    case Kind::array: array([this] { skip(); }); break;
    case Kind::string: pass_string(); break;
    case Kind::number: number(); break;
    case Kind::boolean: boolean(); break;
    case Kind::null: null(); break;
  }
  return text_.substr(start, at_ - start);
}

void JsonReader::end() {
  white_space();
  if (at_ != text_.size()) fail("something follows the end");
}

}  // namespace tuile::truth
