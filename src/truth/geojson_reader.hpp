#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tuile/core/error.hpp"

namespace tuile::truth {

/// Walks over JSON text once, from the front, and keeps nothing: a feature collection of 100 MB costs only what its features cost. Strict
/// about structure (what is cut off or damaged must not pass for an answer), lenient about values: NaN and Infinity, numbers outside
/// double's range, bytes that are not UTF-8, control characters in strings. Nesting is bounded. Every member throws CorruptData, naming the
/// offset, where the text is not JSON or not of the kind asked for.
class JsonReader {
 public:
  enum class Kind { object, array, string, number, boolean, null };
  static constexpr int deepest = 64;

  struct Number {
    double value = 0;  ///< NaN and infinities where the text says so or is out of range
    std::int64_t integer = 0;
    bool is_integer = false;  ///< written without fraction and exponent, and fits
  };

  /// depth: how deep the text lies already, where it is a part of another.
  explicit JsonReader(std::string_view text, int depth = 0);

  /// Of the value that comes next.
  Kind kind();
  int depth() const noexcept { return depth_; }

  /// member(key) must consume the value, for every member in turn.
  template <class Member>
  void object(Member&& member) {
    open('{');
    for (bool first = true; next('}', first); first = false) {
      const std::string key = member_key();
      member(std::string_view(key));
    }
  }
  /// element() must consume one value.
  template <class Element>
  void array(Element&& element) {
    open('[');
    for (bool first = true; next(']', first); first = false) element();
  }
  /// Decoded, always valid UTF-8.
  std::string string();
  Number number();
  bool boolean();
  void null();
  /// Passes over a value of any kind; its text.
  std::string_view skip();
  /// Nothing but white space may follow.
  void end();

  [[noreturn]] void fail(const std::string& what) const;

 private:
  void open(char bracket);
  bool next(char closing, bool first);
  std::string member_key();
  void white_space() noexcept;
  char peek();
  void word(std::string_view text);
  void pass_string();
  unsigned hexadecimal();
  void append_escape(std::string& out);

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_;
};

/// A finite number out of text ("12.5", " -3 "); NaN where it is none.
double number_of(std::string_view text) noexcept;

}  // namespace tuile::truth
