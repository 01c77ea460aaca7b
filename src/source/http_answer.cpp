#include "source/http_answer.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <ctime>

#include "source/http_url.hpp"

namespace tuile::source {

bool Excerpt::add(std::span<const char> piece) {
  constexpr std::size_t kept = 2000, longest = std::size_t{1} << 20;
  beginning_.append(piece.data(), std::min(piece.size(), kept - beginning_.size()));
  size_ += piece.size();
  return size_ <= longest;
}

std::string Excerpt::text() const {
  constexpr std::size_t longest = 200;
  std::string line;
  bool tag = false;
  for (const char c : beginning_) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '<') tag = true;
    const char plain = tag || std::isspace(byte) != 0 ? ' ' : (byte >= 0x20 && byte < 0x7F ? c : '?');
    if (c == '>') tag = false;
    if (plain != ' ' || (!line.empty() && line.back() != ' ')) line += plain;
    if (line.size() >= longest) break;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line.empty() ? line : ": " + line;
}

double retry_after_seconds(const AnswerHead& head) {
  const std::string& text = head.retry_after;
  if (text.empty()) return 0;
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (end == text.data() + text.size()) return error == std::errc() ? seconds : 1e9;  // beyond any bound
  const std::time_t then = curl_getdate(text.c_str(), nullptr);
  if (then < 0) return 0;
  // By the clock of the server where it tells it: ours may differ.
  const std::time_t sent = head.date.empty() ? -1 : curl_getdate(head.date.c_str(), nullptr);
  return std::max(0.0, std::difftime(then, sent >= 0 ? sent : std::time(nullptr)));
}

std::string media_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  std::string lower(type);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool is_redirect(int status) noexcept { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

std::optional<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view unit = "bytes ";
  if (!text.starts_with(unit)) return std::nullopt;
  text.remove_prefix(unit.size());
  const auto number = [&](std::uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
  };
  const auto skip = [&](char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
  };
  ContentRange range;
  if (!skip('*')) {
    std::uint64_t first = 0, last = 0;
    if (!number(first) || !skip('-') || !number(last) || last < first) return std::nullopt;
    range.first = first;
  }
  if (!skip('/')) return std::nullopt;
  if (!skip('*')) {
    std::uint64_t total = 0;
    if (!number(total)) return std::nullopt;
    range.total = total;
  }
  return range;
}

std::optional<std::int64_t> http_time(const std::string& text) {
  const std::time_t time = text.empty() ? -1 : curl_getdate(text.c_str(), nullptr);
  return time < 0 ? std::nullopt : std::optional<std::int64_t>(time);
}

std::string validator_of(const AnswerHead& head) {
  if (head.etag.starts_with('"')) return head.etag;
  const std::optional<std::int64_t> modified = http_time(head.last_modified), sent = http_time(head.date);
  return modified && sent && *sent > *modified ? head.last_modified : std::string();
}

void throw_status(const std::string& url, int status, const Excerpt& page) {
  // Stores of files repeat an expired token, or what was signed, on their error pages.
  const bool repeats_secrets = url.find('?') != std::string::npos && !is_service_query(url);
  const std::string what = url_text(url) + " answered with status " + std::to_string(status) + (repeats_secrets ? "" : page.text());
  if (status == 404 || status == 410) throw NotFound(what + "; check the address and the name of the resource");
  if (status == 401 || status == 403) throw PermissionDenied(what + "; the service wants an account or a key, or refuses this address");
  if (status == 408 || status == 429 || status >= 500) throw AttemptFailed(what);
  throw Unsupported(what + "; a status of 200 is expected, check the address and the request");
}

void throw_no_answer(const std::string& url, const TransferResult& result) {
  const std::string what = url_text(url) + ": " + result.problem;
  switch (result.end) {
    case TransferEnd::untrusted:
      throw PermissionDenied(
          what + "; the certificate of the host is not trusted: check the address, the date of this machine and its CA certificates");
    case TransferEnd::bad_url: throw InvalidArgument(what + "; http://host/… or https://host/… is expected");
    case TransferEnd::no_memory: throw OutOfMemory(what);
    default: throw AttemptFailed(what);
  }
}

}  // namespace tuile::source
