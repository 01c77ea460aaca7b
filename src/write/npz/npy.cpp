#include "write/npz/npy.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "tuile/core/error.hpp"
#include "tuile/core/utf8.hpp"

namespace tuile::write {

namespace {

constexpr std::string_view magic = "\x93NUMPY\x01";  // and a zero: version 1.0
constexpr std::size_t preamble = 10;                 // magic, version, header length

/// Reads a Python dict literal of the few forms that a header has.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool accept(char c) {
    skip_spaces();
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  bool accept(std::string_view word) {
    skip_spaces();
    if (text_.substr(position_, word.size()) != word) return false;
    position_ += word.size();
    return true;
  }
  std::optional<std::string> string() {
    if (!accept('\'')) return std::nullopt;
    const std::size_t end = text_.find('\'', position_);
    if (end == std::string_view::npos) return std::nullopt;
    std::string value(text_.substr(position_, end - position_));
    position_ = end + 1;
    return value;
  }
  std::optional<std::uint64_t> number() {
    skip_spaces();
    std::uint64_t value = 0;
    const std::size_t start = position_;
    for (; position_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[position_])) != 0; ++position_) {
      if (position_ - start >= 18) return std::nullopt;
      value = value * 10 + static_cast<std::uint64_t>(text_[position_] - '0');
    }
    if (position_ == start) return std::nullopt;
    return value;
  }
  std::optional<std::vector<std::uint64_t>> tuple() {
    if (!accept('(')) return std::nullopt;
    std::vector<std::uint64_t> values;
    while (!accept(')')) {
      const std::optional<std::uint64_t> value = number();
      if (!value || values.size() == 32) return std::nullopt;
      values.push_back(*value);
      if (!accept(',')) {
        if (!accept(')')) return std::nullopt;
        break;
      }
    }
    return values;
  }
  bool at_end() {
    skip_spaces();
    return position_ == text_.size();
  }

 private:
  void skip_spaces() {
    while (position_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[position_])) != 0) ++position_;
  }
  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace

std::string npy_header(const NpyHeader& header) {
  std::string dict = "{'descr': '" + header.descr + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < header.shape.size(); ++i) dict += (i == 0 ? "" : ", ") + std::to_string(header.shape[i]);
  dict += header.shape.size() == 1 ? ",), }" : "), }";
  const std::size_t total = (preamble + dict.size() + 1 + 63) / 64 * 64;
  dict.resize(total - preamble - 1, ' ');
  dict += '\n';
  std::string bytes(magic);
  bytes += '\0';
  bytes += static_cast<char>(dict.size() & 0xFF);
  bytes += static_cast<char>(dict.size() >> 8);
  return bytes + dict;
}

std::optional<NpyHeader> parse_npy_header(std::span<const std::byte> bytes, std::size_t& length) {
  if (bytes.size() < preamble) return std::nullopt;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.substr(0, magic.size()) != magic || text[7] != '\0') return std::nullopt;
  const std::size_t dict_size = static_cast<unsigned char>(text[8]) + 256U * static_cast<unsigned char>(text[9]);
  if (dict_size > text.size() - preamble) return std::nullopt;
  length = preamble + dict_size;

  Scanner scan(text.substr(preamble, dict_size));
  NpyHeader header;
  bool has_descr = false, has_order = false, has_shape = false;
  if (!scan.accept('{')) return std::nullopt;
  while (!scan.accept('}')) {
    const std::optional<std::string> key = scan.string();
    if (!key || !scan.accept(':')) return std::nullopt;
    if (*key == "descr" && !has_descr) {
      std::optional<std::string> descr = scan.string();
      if (!descr) return std::nullopt;
      header.descr = std::move(*descr);
      has_descr = true;
    } else if (*key == "fortran_order" && !has_order) {
      if (!scan.accept(std::string_view("False"))) return std::nullopt;
      has_order = true;
    } else if (*key == "shape" && !has_shape) {
      std::optional<std::vector<std::uint64_t>> shape = scan.tuple();
      if (!shape) return std::nullopt;
      header.shape = std::move(*shape);
      has_shape = true;
    } else {
      return std::nullopt;
    }
    if (!scan.accept(',')) {
      if (!scan.accept('}')) return std::nullopt;
      break;
    }
  }
  if (!scan.at_end() || !has_descr || !has_order || !has_shape) return std::nullopt;
  return header;
}

std::uint64_t npy_item_size(const std::string& descr) {
  if (descr == "|u1" || descr == "|b1") return 1;
  if (descr == "<f4" || descr == "<i4") return 4;
  if (descr == "<f8") return 8;
  if (descr.size() > 2 && descr.size() < 8 && descr.substr(0, 2) == "<U" &&
      std::all_of(descr.begin() + 2, descr.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return 4 * std::stoull(descr.substr(2));
  return 0;
}

namespace {

/// Source: numpy's '<U' type, UTF-32 with zeros after the last character.
NpyStrings array_of(const std::vector<std::u32string>& values) {
  std::size_t longest = 1;
  for (const std::u32string& value : values) longest = std::max(longest, value.size());
  NpyStrings strings{{"<U" + std::to_string(longest), {values.size()}}, std::vector<std::byte>(values.size() * longest * 4)};
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = 0; j < values[i].size(); ++j)
      for (std::size_t k = 0; k < 4; ++k) strings.data[(i * longest + j) * 4 + k] = static_cast<std::byte>(values[i][j] >> (8 * k) & 0xFF);
  return strings;
}

}  // namespace

NpyStrings npy_strings(const std::vector<std::string>& values) {
  std::vector<std::u32string> names;
  for (const std::string& value : values) {
    const bool ascii = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (value.empty() || !ascii) throw InvalidArgument("feature name '" + value + "' is empty or not printable ASCII; rename the feature");
    names.emplace_back(value.begin(), value.end());
  }
  return array_of(names);
}

NpyStrings npy_texts(const std::vector<std::string>& values, std::size_t longest) {
  std::vector<std::u32string> texts;
  for (const std::string& value : values) texts.push_back(utf8_decode(value, longest));
  return array_of(texts);
}

}  // namespace tuile::write
