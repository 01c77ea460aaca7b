#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "tuile/core/error.hpp"
#include "tuile/core/nearest.hpp"
#include "tuile/label/label.hpp"

namespace tuile::label {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::string lower_case(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::optional<features::Feature> find_feature(std::string_view name) {
  return name == "h" ? features::Feature::height_above_ground : features::find(name);
}

/// What to do about a name that is none.
std::string remedy(std::string_view name) {
  std::vector<std::string> names{"h"};
  for (std::size_t i = 0; i < features::feature_count; ++i) names.emplace_back(features::info(static_cast<features::Feature>(i)).name);
  const std::string lower = lower_case(name);
  const std::string close = find_feature(lower) ? lower : nearest(lower, names);
  if (!close.empty()) return "the nearest valid name is '" + close + "'";
  std::string all;
  for (const std::string& valid : names) all += (all.empty() ? "" : ", ") + valid;
  return "valid names are " + all;
}

/// `text` with control characters written out, so that a message stays one line and whole.
std::string printable(std::string_view text) {
  constexpr const char* digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      result += c;
    } else {
      result += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return result;
}

}  // namespace

/// Recursive descent: condition = conjunction { or conjunction }; conjunction = negation { and negation };
/// negation = not negation | ( condition ) | operand comparison operand { comparison operand }.
class ConditionParser {
 public:
  ConditionParser(Condition& condition, std::string_view text) : condition_(condition), text_(text) {
    skip_space();
    if (at_ == text_.size()) return;
    disjunction();
    if (at_ != text_.size()) fail("'and', 'or' or the end was expected");
  }

 private:
  using Code = Condition::Code;
  using Step = Condition::Step;

  /// One side of a comparison.
  struct Operand {
    std::uint8_t value = Condition::no_value;  ///< else: a number
    float number = 0;
    bool is_number() const { return value == Condition::no_value; }
  };

  void disjunction() {
    conjunction();
    while (take_word("or")) {
      conjunction();
      add({Code::disjunction});
    }
  }

  void conjunction() {
    negation();
    while (take_word("and")) {
      negation();
      add({Code::conjunction});
    }
  }

  void negation() {
    if (++levels_ > Condition::most_levels)
      fail("at most " + std::to_string(Condition::most_levels) + " levels of parentheses and 'not' are expected");
    if (take_word("not")) {
      negation();
      add({Code::negation});
    } else if (take("(")) {
      disjunction();
      if (!take(")")) fail("'and', 'or' or ')' was expected");
    } else {
      comparisons();
    }
    --levels_;
  }

  void comparisons() {
    Operand left = operand("a feature, a number, 'not' or '(' was expected");
    std::optional<Code> code = comparison();
    if (!code) fail("one of < <= > >= = != was expected");
    for (bool chained = false; code; chained = true) {
      const Operand right = operand("a feature or a number was expected");
      add_comparison(*code, left, right);
      if (chained) add({Code::conjunction});
      left = right;
      code = comparison();
    }
  }

  void add_comparison(Code code, const Operand& left, const Operand& right) {
    if (left.is_number() && right.is_number()) {
      add({.code = Code::constant, .number = Condition::compare(code, left.number, right.number) ? 1.0F : 0.0F});
    } else if (left.is_number()) {
      add({.code = mirrored(code), .left = right.value, .number = left.number});
    } else {
      add({.code = code, .left = left.value, .right = right.value, .number = right.number});
    }
  }

  static Code mirrored(Code code) {
    switch (code) {
      case Code::less: return Code::greater;
      case Code::less_equal: return Code::greater_equal;
      case Code::greater: return Code::less;
      case Code::greater_equal: return Code::less_equal;
      default: return code;
    }
  }

  Operand operand(const char* expected) {
    if (at_ == text_.size()) fail(expected);
    const char c = text_[at_];
    if (is_digit(c) || c == '.' || c == '-' || c == '+') return {.number = number()};
    const std::string_view word = peek_word();
    if (word.empty() || is_keyword(word)) fail(expected);
    const std::optional<features::Feature> feature = find_feature(word);
    if (!feature) fail("a feature was expected; " + remedy(word));
    advance(word.size());
    const auto known = std::find(condition_.needs_.begin(), condition_.needs_.end(), *feature);
    const auto value = static_cast<std::uint8_t>(known - condition_.needs_.begin());
    if (known == condition_.needs_.end()) condition_.needs_.push_back(*feature);
    return {.value = value};
  }

  float number() {
    const std::size_t start = at_;
    const bool negative = text_[at_] == '-';
    if (negative || text_[at_] == '+') advance(1);
    float value = 0;
    std::from_chars_result result{text_.data() + at_, std::errc::invalid_argument};
    if (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.'))
      result = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (result.ec == std::errc::result_out_of_range) {
      at_ = start;
      fail("a number from 1e-38 to 3e38, or 0, was expected");
    }
    if (result.ec != std::errc{}) fail("a number was expected");
    advance(static_cast<std::size_t>(result.ptr - text_.data()) - at_);
    return negative ? -value : value;
  }

  std::optional<Code> comparison() {
    if (take("<=")) return Code::less_equal;
    if (take("<")) return Code::less;
    if (take(">=")) return Code::greater_equal;
    if (take(">")) return Code::greater;
    if (take("!=")) return Code::not_equal;
    if (take("==") || take("=")) return Code::equal;
    return std::nullopt;
  }

  void add(const Step& step) {
    if (condition_.steps_.size() == Condition::most_steps)
      fail("at most " + std::to_string(Condition::most_steps) + " comparisons and joins are expected");
    condition_.steps_.push_back(step);
  }

  std::string_view peek_word() const {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || (end > at_ && is_digit(text_[end])))) ++end;
    return text_.substr(at_, end - at_);
  }
  static bool is_keyword(std::string_view word) {
    const std::string lower = lower_case(word);
    return lower == "and" || lower == "or" || lower == "not";
  }
  bool take_word(std::string_view keyword) {
    const std::string_view word = peek_word();
    if (lower_case(word) != keyword) return false;
    advance(word.size());
    return true;
  }
  bool take(std::string_view symbol) {
    if (!text_.substr(at_).starts_with(symbol)) return false;
    advance(symbol.size());
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  void advance(std::size_t count) {
    at_ += count;
    skip_space();
  }

  [[noreturn]] void fail(const std::string& expected) const {
    std::string found = "the text ends";
    if (at_ < text_.size()) {
      // A word, or one character with the bytes that continue it in UTF-8.
      std::size_t length = std::max<std::size_t>(1, peek_word().size());
      while (at_ + length < text_.size() && (static_cast<unsigned char>(text_[at_ + length]) & 0xC0U) == 0x80U) ++length;
      found = "'" + printable(text_.substr(at_, length)) + "' stands";
    }
    throw InvalidArgument("condition '" + printable(text_) + "': at column " + std::to_string(at_ + 1) + " " + found + " where " +
                          expected);
  }

  Condition& condition_;
  std::string_view text_;
  std::size_t at_ = 0;
  int levels_ = 0;
};

Condition::Condition(const std::string& text) { ConditionParser(*this, text); }

}  // namespace tuile::label
