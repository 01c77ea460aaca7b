#pragma once

#include <string>
#include <string_view>

namespace tuile::truth {

/// Reads the little XML that a WFS answers with, one token at a time, in linear time and without memory of its own: exception reports and
/// capabilities, also damaged ones. Prefixes are dropped, comments, processing instructions and document types (with all entities they
/// define) passed over.
class XmlScanner {
 public:
  enum class Token { open, close, text, end };

  explicit XmlScanner(std::string_view text) : text_(text) {}

  /// An element without content gives open, then close.
  Token next();
  /// Of open and close, without prefix.
  std::string_view name() const noexcept { return name_; }
  /// An attribute of the element just opened, by its name without prefix; "" where there is none.
  std::string attribute(std::string_view name) const;
  /// Of the text just met: valid UTF-8, entities replaced.
  std::string text() const;

 private:
  bool tag();
  void pass(std::string_view end);

  std::string_view text_;
  std::size_t at_ = 0;
  Token token_ = Token::end;
  std::string_view name_, attributes_, content_;
  bool is_cdata_ = false;
  bool closes_ = false;  ///< the element just opened has no content
};

/// White space at the ends gone, each run of it inside one space.
std::string squeezed(std::string_view text);

}  // namespace tuile::truth
