#include "truth/wfs_xml.hpp"

#include <algorithm>
#include <charconv>

#include "tuile/core/utf8.hpp"

namespace tuile::truth {

namespace {

constexpr std::string_view spaces = " \t\r\n";

bool is_space(char c) noexcept { return spaces.find(c) != spaces.npos; }

std::string_view local_name(std::string_view name) { return name.substr(name.rfind(':') + 1); }

/// Appends what the entity that `text` begins with stands for; returns its length, 0 where it is none.
std::size_t append_entity(std::string& out, std::string_view text) {
  const std::size_t end = text.substr(0, 12).find(';');
  if (end == text.npos) return 0;
  const std::string_view name = text.substr(1, end - 1);
  if (name == "lt") {
    out.push_back('<');
  } else if (name == "gt") {
    out.push_back('>');
  } else if (name == "amp") {
    out.push_back('&');
  } else if (name == "quot") {
    out.push_back('"');
  } else if (name == "apos") {
    out.push_back('\'');
  } else if (name.size() > 1 && name.front() == '#') {
    const bool hexadecimal = name[1] == 'x' || name[1] == 'X';
    const std::string_view digits = name.substr(hexadecimal ? 2 : 1);
    unsigned code_point = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code_point, hexadecimal ? 16 : 10);
    if (digits.empty() || error != std::errc{} || stop != digits.data() + digits.size()) return 0;
    append_utf8(out, code_point == 0 ? 0xFFFD : code_point);
  } else {
    return 0;
  }
  return end + 1;
}

std::string decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t mark = std::min(text.find('&'), text.size());
    out.append(text.substr(0, mark));
    text.remove_prefix(mark);
    if (text.empty()) break;
    const std::size_t length = append_entity(out, text);
    if (length == 0) out.push_back('&');
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace

void XmlScanner::pass(std::string_view end) {
  const std::size_t found = text_.find(end, at_);
  at_ = found == text_.npos ? text_.size() : found + end.size();
}

bool XmlScanner::tag() {
  // A quoted attribute may hold '>'.
  std::size_t stop = at_ + 1;
  for (char quote = 0; stop < text_.size(); ++stop) {
    const char c = text_[stop];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      break;
    }
  }
  if (stop >= text_.size()) {
    at_ = text_.size();
    return false;
  }
  std::string_view inside = text_.substr(at_ + 1, stop - at_ - 1);
  at_ = stop + 1;
  const bool closing = !inside.empty() && inside.front() == '/';
  if (closing) inside.remove_prefix(1);
  closes_ = !closing && !inside.empty() && inside.back() == '/';
  if (closes_) inside.remove_suffix(1);
  const std::size_t name_end = std::min(inside.find_first_of(spaces), inside.size());
  name_ = local_name(inside.substr(0, name_end));
  attributes_ = inside.substr(name_end);
  token_ = closing ? Token::close : Token::open;
  return true;
}

XmlScanner::Token XmlScanner::next() {
  if (closes_) {
    closes_ = false;
    return token_ = Token::close;
  }
  while (at_ < text_.size()) {
    const std::string_view rest = text_.substr(at_);
    if (rest.front() != '<') {
      const std::size_t length = std::min(rest.find('<'), rest.size());
      content_ = rest.substr(0, length);
      is_cdata_ = false;
      at_ += length;
      return token_ = Token::text;
    }
    if (rest.starts_with("<!--")) {
      pass("-->");
    } else if (rest.starts_with("<![CDATA[")) {
      const std::size_t begin = at_ + 9;
      pass("]]>");
      const std::size_t end = text_.substr(begin, at_ - begin).ends_with("]]>") ? at_ - 3 : at_;
      content_ = text_.substr(begin, end - begin);
      is_cdata_ = true;
      return token_ = Token::text;
    } else if (rest.starts_with("<?")) {
      pass("?>");
    } else if (rest.starts_with("<!")) {
      const std::string_view declaration = rest.substr(0, std::min(rest.find('>'), rest.size()));
      pass(declaration.find('[') == declaration.npos ? ">" : "]>");
    } else if (tag()) {
      return token_;
    }
  }
  name_ = {};
  return token_ = Token::end;
}

std::string XmlScanner::attribute(std::string_view name) const {
  std::string_view rest = attributes_;
  while (true) {
    const std::size_t equals = rest.find('=');
    if (equals == rest.npos) return {};
    std::string_view own = rest.substr(0, equals);
    while (!own.empty() && is_space(own.front())) own.remove_prefix(1);
    while (!own.empty() && is_space(own.back())) own.remove_suffix(1);
    const std::size_t open = rest.find_first_of("\"'", equals);
    if (open == rest.npos) return {};
    const std::size_t close = rest.find(rest[open], open + 1);
    if (close == rest.npos) return {};
    if (local_name(own) == name) return clean_utf8(decoded(rest.substr(open + 1, close - open - 1)));
    rest.remove_prefix(close + 1);
  }
}

std::string XmlScanner::text() const { return clean_utf8(is_cdata_ ? std::string(content_) : decoded(content_)); }

std::string squeezed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!is_space(c)) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace tuile::truth
