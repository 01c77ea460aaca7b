#include "source/http_url.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string_view>

#include "tuile/core/error.hpp"
#include "tuile/source/http.hpp"

namespace tuile::source {
namespace {

struct UrlFree {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlFree>;

/// The URL, or null where curl finds it wrong.
Url parse(const std::string& text) {
  Url url(curl_url());
  if (!url) throw OutOfMemory("cannot parse the URL " + url_text(text));
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) url.reset();
  return url;
}

std::string part(const Url& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

bool begins_with_any_case(std::string_view text, std::string_view lower) noexcept {
  return text.size() >= lower.size() && std::equal(lower.begin(), lower.end(), text.begin(), [](char want, char is) {
           return want == static_cast<char>(std::tolower(static_cast<unsigned char>(is)));
         });
}

}  // namespace

bool is_url(std::string_view text) noexcept { return begins_with_any_case(text, "http://") || begins_with_any_case(text, "https://"); }

std::string url_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' ||
                       byte == '.' || byte == '_' || byte == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', digits[byte >> 4], digits[byte & 15U]};
    }
  }
  return encoded;
}

std::string origin_of(const std::string& url) {
  const Url parsed = is_url(url) ? parse(url) : Url();
  const std::string host = parsed ? part(parsed, CURLUPART_HOST) : std::string();
  if (host.empty())
    throw InvalidArgument("'" + url_text(url) + "' is not a URL that can be asked; http://host/… or https://host/… is expected");
  std::string origin = part(parsed, CURLUPART_SCHEME) + "://" + host + ":" + part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::transform(origin.begin(), origin.end(), origin.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return origin;
}

std::string redirect_target(const std::string& url, const std::string& location) {
  const std::string what = url_text(url) + " redirects to '" + url_text(location) + "'";
  const Url base = parse(url);
  if (!base || location.empty() || curl_url_set(base.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK) {
    throw Unsupported(what + ", which is no place to go to; check the URL with a browser");
  }
  const std::string target = part(base, CURLUPART_URL);
  if (!is_url(target)) throw Unsupported(what + ", which is neither http nor https; give the URL of an http service");
  if (begins_with_any_case(url, "https://") && begins_with_any_case(target, "http://")) {
    throw Unsupported(
        what + ": from https to http, which would give up the protection that was asked for; give the http URL itself if that is meant");
  }
  return target;
}

bool is_service_query(const std::string& url) {
  const std::size_t query = url.find('?');
  if (query == std::string::npos) return false;
  for (std::size_t at = query; at != std::string::npos; at = url.find('&', at + 1)) {
    if (begins_with_any_case(std::string_view(url).substr(at + 1), "service=")) return true;
  }
  return false;
}

std::string url_text(const std::string& url) {
  constexpr std::size_t longest = 200;
  // Queries of files hold tokens and signatures; those of map services say what was asked for.
  const std::size_t query = url.find_first_of("?#");
  std::string text = url;
  if (query != std::string::npos && !is_service_query(url)) text.erase(query);
  if (const std::size_t scheme = text.find("://"); scheme != std::string::npos) {
    const std::size_t host = scheme + 3, end = std::min(text.find_first_of("/?#", host), text.size());
    const std::size_t at = text.rfind('@', end);
    if (at != std::string::npos && at >= host && at < end) text.erase(host, at + 1 - host);
  }
  if (text.size() > longest) text = text.substr(0, longest) + "…";
  return text;
}

}  // namespace tuile::source
