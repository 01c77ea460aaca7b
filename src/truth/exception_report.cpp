#include "truth/exception_report.hpp"

#include <algorithm>
#include <array>

#include "truth/geojson_reader.hpp"
#include "truth/wfs.hpp"
#include "truth/wfs_xml.hpp"

namespace tuile::truth {

namespace {

constexpr std::size_t longest_text = 1000;  ///< bytes: reasons go into sidecars; servers append stack traces
constexpr std::size_t longest_report = std::size_t{1} << 20;

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// At most `longest_text` bytes, cut between characters.
std::string bounded(std::string text) {
  if (text.size() <= longest_text) return text;
  std::size_t end = longest_text;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
  text.resize(end);
  return text + " …";
}

std::optional<ExceptionReport> read_xml(std::string_view text) {
  XmlScanner scanner(text);
  using Token = XmlScanner::Token;
  Token token = scanner.next();
  while (token == Token::text && squeezed(scanner.text()).empty()) token = scanner.next();
  if (token != Token::open || (scanner.name() != "ExceptionReport" && scanner.name() != "ServiceExceptionReport")) return std::nullopt;
  const std::string_view root = scanner.name();
  ExceptionReport report;
  bool first = true, in_text = false;
  for (token = scanner.next(); token != Token::end; token = scanner.next()) {
    if (token == Token::close && scanner.name() == root) break;
    if (token == Token::open && (scanner.name() == "Exception" || scanner.name() == "ServiceException")) {
      if (first) {
        report.code = scanner.attribute(scanner.name() == "Exception" ? "exceptionCode" : "code");
        report.locator = scanner.attribute("locator");
      }
      first = false;
    }
    if (scanner.name() == "ExceptionText" || scanner.name() == "ServiceException") {
      in_text = token == Token::open || (token == Token::text && in_text);
      if (token == Token::open && !report.text.empty()) report.text += ' ';
    }
    if (token == Token::text && in_text && report.text.size() < longest_report) report.text += scanner.text();
  }
  return report;
}

/// {"exceptions": [{"code": …, "locator": …, "text": …}]}, or one such object called "exception".
std::optional<ExceptionReport> read_json(std::string_view text) {
  ExceptionReport report;
  bool found = false, first = true;
  JsonReader reader(text);
  using Kind = JsonReader::Kind;
  const auto exception = [&] {
    if (reader.kind() != Kind::object) return static_cast<void>(reader.skip());
    found = true;
    reader.object([&](std::string_view key) {
      const bool is_text = reader.kind() == Kind::string;
      const std::string value = is_text ? reader.string() : std::string(reader.skip());
      if (!is_text) return;
      if (key == "text" || key == "description" || key == "message") report.text += (report.text.empty() ? "" : " ") + value;
      if (key == "code" && first) report.code = value;
      if (key == "locator" && first) report.locator = value;
    });
    first = false;
  };
  try {
    reader.object([&](std::string_view key) {
      if (key == "exceptions" && reader.kind() == Kind::array) {
        found = true;
        reader.array(exception);
      } else if (key == "exception") {
        exception();
      } else {
        reader.skip();
      }
    });
  } catch (const CorruptData&) {
    // cut off: what came before tells enough, if it told of an exception
  }
  if (!found) return std::nullopt;
  return report;
}

}  // namespace

std::string ExceptionReport::message() const {
  std::string result = code;
  if (!locator.empty()) result += (result.empty() ? "(" : " (") + locator + ")";
  if (!text.empty()) result += (result.empty() ? "" : ": ") + text;
  return result.empty() ? "an exception without a text" : result;
}

bool ExceptionReport::is_unknown_layer() const {
  const std::string what = lower_case(text), where = lower_case(locator), name = lower_case(code);
  if (name == "layernotdefined" || name == "notfound") return true;
  if (!is_final() && !where.starts_with("typename")) return false;  // a service whose database is down tells of layers, too
  const bool about_layer = where.starts_with("typename") || contains(what, "feature type") || contains(what, "featuretype") ||
                           contains(what, "typename") || contains(what, "namespace") || contains(what, "layer");
  return about_layer && (contains(what, "unknown") || contains(what, "not found") || contains(what, "exist") || contains(what, "no such") ||
                         contains(what, "not available") || contains(what, "no layer") || where.starts_with("typename"));
}

bool ExceptionReport::is_unsortable() const {
  if (is_unknown_layer()) return false;
  const std::string what = lower_case(text), where = lower_case(locator);
  return contains(where, "sort") || contains(what, "sort") || contains(what, "property") || contains(what, "natural order");
}

bool ExceptionReport::is_final() const {
  constexpr std::array<std::string_view, 9> final_codes{"invalidparametervalue",
                                                        "missingparametervalue",
                                                        "operationnotsupported",
                                                        "versionnegotiationfailed",
                                                        "optionnotsupported",
                                                        "layernotdefined",
                                                        "invalidformat",
                                                        "operationparsingfailed",
                                                        "notfound"};
  const std::string name = lower_case(code);
  return std::find(final_codes.begin(), final_codes.end(), name) != final_codes.end();
}

std::optional<ExceptionReport> read_exception_report(std::string_view text) {
  text = text.substr(0, longest_report);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == text.npos) return std::nullopt;
  std::optional<ExceptionReport> report = text[start] == '<' ? read_xml(text) : text[start] == '{' ? read_json(text) : std::nullopt;
  if (!report) return std::nullopt;
  for (std::string* part : {&report->code, &report->locator, &report->text}) *part = bounded(squeezed(*part));
  return report;
}

std::string exception_text(std::string_view text) {
  const std::optional<ExceptionReport> report = read_exception_report(text);
  return report ? report->message() : std::string();
}

}  // namespace tuile::truth
