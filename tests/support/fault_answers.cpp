#include "support/fault_answers.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <ctime>

namespace tuile::test {
namespace {

struct Named {
  Fault fault;
  const char* name;
};
constexpr std::array named_faults = {
    Named{Fault::throttled, "throttled"},
    Named{Fault::throttled_date, "throttled_date"},
    Named{Fault::error_500, "error_500"},
    Named{Fault::error_502, "error_502"},
    Named{Fault::error_503, "error_503"},
    Named{Fault::silence, "silence"},
    Named{Fault::slow, "slow"},
    Named{Fault::reset, "reset"},
    Named{Fault::truncated, "truncated"},
    Named{Fault::broken_chunks, "broken_chunks"},
    Named{Fault::garbage, "garbage"},
    Named{Fault::empty, "empty"},
    Named{Fault::html_page, "html_page"},
    Named{Fault::exception_report, "exception_report"},
    Named{Fault::service_exception, "service_exception"},
    Named{Fault::json_exception, "json_exception"},
    Named{Fault::wrong_type, "wrong_type"},
    Named{Fault::invalid_utf8, "invalid_utf8"},
    Named{Fault::huge, "huge"},
    Named{Fault::redirect_loop, "redirect_loop"},
    Named{Fault::redirect_scheme, "redirect_scheme"},
    Named{Fault::bad_request, "bad_request"},
    Named{Fault::forbidden, "forbidden"},
    Named{Fault::not_found, "not_found"},
    Named{Fault::gone, "gone"},
};

std::string http_date(std::time_t when) {
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  char text[64];
  const std::size_t length = std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, length};
}

const char* reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 206: return "Partial Content";
    case 302: return "Found";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 416: return "Range Not Satisfiable";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    default: return "Answer";
  }
}

ServerAnswer status_page(int status) {
  return {status, "text/html", "<html><body><h1>" + std::to_string(status) + " " + reason(status) + "</h1></body></html>", {}};
}

/// Bytes that no UTF-8 decoder takes, behind the quote that opens the last text value of a JSON body; before anything else where there is
/// none.
void spoil_utf8(std::string& body) {
  const std::string_view bad = "\xC3\x28\xFF";
  std::size_t at = 0;
  for (const std::string_view opening : {std::string_view(":\""), std::string_view(": \"")}) {
    const std::size_t found = body.rfind(opening);
    if (found != std::string::npos) at = std::max(at, found + opening.size());
  }
  body.insert(at, bad);
}

}  // namespace

const char* to_string(Fault fault) noexcept {
  for (const Named& named : named_faults) {
    if (named.fault == fault) return named.name;
  }
  return "none";
}

std::optional<Fault> fault_named(const std::string& name) {
  if (name == "none") return Fault::none;
  for (const Named& named : named_faults) {
    if (name == named.name) return named.fault;
  }
  return std::nullopt;
}

std::span<const Fault> all_faults() {
  static const auto faults = [] {
    std::array<Fault, named_faults.size()> list{};
    std::transform(named_faults.begin(), named_faults.end(), list.begin(), [](const Named& named) { return named.fault; });
    return list;
  }();
  return faults;
}

bool spoils_good_answer(Fault fault) noexcept {
  switch (fault) {
    case Fault::none:
    case Fault::slow:
    case Fault::truncated:
    case Fault::broken_chunks:
    case Fault::wrong_type:
    case Fault::invalid_utf8: return true;
    default: return false;
  }
}

ServerAnswer faulty_answer(Fault fault, ServerAnswer good, const ServerRequest& request, const FaultSettings& settings) {
  switch (fault) {
    case Fault::throttled:
    case Fault::error_503: {
      ServerAnswer answer = status_page(fault == Fault::throttled ? 429 : 503);
      answer.headers.emplace_back("Retry-After", std::to_string(settings.retry_after));
      return answer;
    }
    case Fault::throttled_date: {
      ServerAnswer answer = status_page(429);
      answer.headers.emplace_back("Retry-After", http_date(std::time(nullptr) + settings.retry_after + 1));
      return answer;
    }
    case Fault::error_500: return status_page(500);
    case Fault::error_502: return status_page(502);
    case Fault::empty: return {200, "application/json", "", {}};
    case Fault::html_page:
      return {200, "text/html", "<!DOCTYPE html><html><body><h1>Sorry</h1><p>The service is being maintained.</p></body></html>", {}};
    case Fault::exception_report:
      return {200,
              "application/xml",
              R"(<?xml version="1.0" encoding="UTF-8"?><ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1" version="2.0.0">)"
              R"(<ows:Exception exceptionCode="NoApplicableCode"><ows:ExceptionText>the store is not there</ows:ExceptionText>)"
              "</ows:Exception></ows:ExceptionReport>",
              {}};
    case Fault::service_exception:
      return {200,
              "application/vnd.ogc.se_xml",
              R"(<?xml version="1.0" encoding="UTF-8"?><ServiceExceptionReport version="1.3.0" xmlns="http://www.opengis.net/ogc">)"
              R"(<ServiceException code="LayerNotDefined">the layer is not there</ServiceException></ServiceExceptionReport>)",
              {}};
    case Fault::json_exception:
      return {200,
              "application/json",
              R"({"version":"2.0.0","exceptions":[{"code":"NoApplicableCode","locator":"noLocator","text":"the store is not there"}]})",
              {}};
    case Fault::wrong_type: good.content_type = settings.wrong_type; return good;
    case Fault::invalid_utf8: spoil_utf8(good.body); return good;
    case Fault::redirect_loop: return {302, "text/html", "", {{"Location", request.target}}};
    case Fault::redirect_scheme: return {302, "text/html", "", {{"Location", "ftp://127.0.0.1/elsewhere"}}};
    case Fault::bad_request: return status_page(400);
    case Fault::forbidden: return status_page(403);
    case Fault::not_found: return status_page(404);
    default: return good;
  }
}

std::string head_text(const ServerAnswer& answer, std::size_t length) {
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " " + reason(answer.status) + "\r\n";
  if (!answer.content_type.empty()) text += "Content-Type: " + answer.content_type + "\r\n";
  if (length != std::string::npos) text += "Content-Length: " + std::to_string(length) + "\r\n";
  for (const auto& [name, value] : answer.headers) text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string url_decode(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int code = 0;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(&text[i + 1], &text[i] + 3, code, 16).ptr == &text[i] + 3) {
      plain += static_cast<char>(code);
      i += 2;
    } else {
      plain += text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

void add_query(const std::string& text, std::map<std::string, std::string>& query) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('&', begin), text.size());
    const std::string pair = text.substr(begin, end - begin);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty())
      query[lower_case(url_decode(pair.substr(0, equals)))] = equals < pair.size() ? url_decode(pair.substr(equals + 1)) : "";
    begin = end + 1;
  }
}

ServerAnswer file_answer(const ServerRequest& request, const std::string& content, const std::string& etag) {
  ServerAnswer answer{200, "application/octet-stream", content, {{"Accept-Ranges", "bytes"}}};
  if (!etag.empty()) answer.headers.emplace_back("ETag", etag);
  const auto range = request.headers.find("range");
  const auto condition = request.headers.find("if-range");
  if (range == request.headers.end() || !range->second.starts_with("bytes=")) return answer;
  if (condition != request.headers.end() && condition->second != etag) return answer;
  std::size_t first = 0, last = content.size() - 1;
  const char* const end = range->second.data() + range->second.size();
  const auto [dash, error] = std::from_chars(range->second.data() + 6, end, first);
  if (error != std::errc() || dash == end || *dash != '-') return answer;
  if (dash + 1 < end) std::from_chars(dash + 1, end, last);
  last = std::min(last, content.size() - 1);
  if (first >= content.size() || first > last) {
    answer.status = 416;
    answer.body.clear();
    answer.headers.emplace_back("Content-Range", "bytes */" + std::to_string(content.size()));
    return answer;
  }
  answer.status = 206;
  answer.body = content.substr(first, last - first + 1);
  answer.headers.emplace_back("Content-Range",
                              "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(content.size()));
  return answer;
}

}  // namespace tuile::test
