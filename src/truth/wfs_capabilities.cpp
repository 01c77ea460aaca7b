#include "truth/wfs_capabilities.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <system_error>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "truth/wfs_request.hpp"
#include "truth/wfs_xml.hpp"
#include "tuile/core/file/atomic_file.hpp"

namespace tuile::truth {

namespace {

constexpr std::size_t largest_capabilities = std::size_t{32} << 20;  ///< bytes; that of the Géoplateforme has 0.3 to 2 million
constexpr std::chrono::hours kept_for{24};

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Whether a date (2026-06-15) stands at `at`, by itself.
bool is_date(std::string_view text, std::size_t at) {
  constexpr std::string_view form = "dddd-dd-dd";
  if (text.size() - at < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == 'd' ? !is_digit(text[at + i]) : text[at + i] != form[i]) return false;
  }
  const auto joins = [](char c) { return is_digit(c) || c == '-'; };
  return (at == 0 || !joins(text[at - 1])) && (at + form.size() == text.size() || !joins(text[at + form.size()]));
}

/// The version ("V3", "V3.5") or the word "édition" that stands before a date; "" where there is neither.
std::string_view edition_word(std::string_view text, std::size_t date) {
  std::size_t end = date;
  const auto trim = [&] {
    while (end > 0 && std::string_view(" \t\r\n:,-_(").find(text[end - 1]) != text.npos) --end;
  };
  trim();
  if (end >= 3 && text.substr(0, end).ends_with(" du")) {
    end -= 3;
    trim();
  }
  for (const std::string_view word : {"\xC3\xA9"
                                      "dition",
                                      "\xC3\x89"
                                      "dition",
                                      "\xC3\x89"
                                      "DITION",
                                      "edition", "Edition", "EDITION"}) {
    if (text.substr(0, end).ends_with(word)) return text.substr(end - word.size(), word.size());
  }
  std::size_t begin = end;
  while (begin > 0 && (is_digit(text[begin - 1]) || text[begin - 1] == '.')) --begin;
  const bool is_version = begin > 0 && begin < end && (text[begin - 1] == 'V' || text[begin - 1] == 'v') &&
                          (begin == 1 || std::string_view(" \t\r\n_-(:,").find(text[begin - 2]) != text.npos);
  return is_version ? text.substr(begin - 1, end - begin + 1) : std::string_view();
}

void collect_editions(const std::string& text, std::set<std::string>& editions) {
  for (std::size_t at = 0; at + 10 <= text.size(); ++at) {
    if (!is_date(text, at)) continue;
    const std::string_view word = edition_word(text, at);
    if (!word.empty()) editions.insert(std::string(word) + " " + text.substr(at, 10));
  }
}

std::string kept_path(const std::string& folder, const std::string& service) {
  const XXH64_hash_t hash = XXH3_64bits(service.data(), service.size());
  std::string name = "capabilities-";
  for (int i = 15; i >= 0; --i) name += "0123456789abcdef"[hash >> (4 * i) & 15];
  return (std::filesystem::path(folder) / (name + ".xml")).string();
}

std::string read_kept(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size > largest_capabilities) return {};
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return is_capabilities(text) ? text : std::string();
}

bool is_young(const std::string& path) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  if (error) return false;
  const auto age = std::filesystem::file_time_type::clock::now() - written;
  return age < kept_for && age > -kept_for;
}

/// Appears whole or not at all; a folder that cannot be written costs another request later, no more.
void keep(const std::string& path, const std::string& text) {
  try {
    write_text_atomically(path, text);
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace

bool is_capabilities(std::string_view text) {
  XmlScanner scanner(text);
  XmlScanner::Token token = scanner.next();
  while (token == XmlScanner::Token::text) token = scanner.next();
  const std::string_view root = scanner.name();
  if (token != XmlScanner::Token::open || !(root == "WFS_Capabilities" || root == "WFSCapabilities")) return false;
  const std::size_t last = text.rfind("</");
  return last != text.npos && text.substr(last).find(root) != text.npos;
}

std::string edition_in_capabilities(std::string_view capabilities, const std::string& prefix) {
  std::set<std::string> of_layers, of_service;
  XmlScanner scanner(capabilities);
  using Token = XmlScanner::Token;
  std::string name, words, element;
  bool in_layer = false, in_service = false;
  for (Token token = scanner.next(); token != Token::end; token = scanner.next()) {
    if (token == Token::text) {
      if (element == "Name" && in_layer) name += scanner.text();
      if ((element == "Title" || element == "Abstract") && (in_layer || in_service)) words += scanner.text();
      continue;
    }
    element = token == Token::open ? std::string(scanner.name()) : std::string();
    if (token == Token::open) words += ' ';  // titles and abstracts are apart
    if (scanner.name() != "FeatureType" && scanner.name() != "ServiceIdentification" && scanner.name() != "Service") continue;
    if (token == Token::open) {
      (scanner.name() == "FeatureType" ? in_layer : in_service) = true;
    } else if (scanner.name() == "FeatureType") {
      if (squeezed(name).starts_with(prefix)) collect_editions(words, of_layers);
      in_layer = false;
    } else {
      collect_editions(words, of_service);
      in_service = false;
    }
    name.clear();
    words.clear();
  }
  std::string result;
  for (const std::string& edition : of_layers.empty() ? of_service : of_layers) result += (result.empty() ? "" : ", ") + edition;
  return result;
}

std::string fetch_capabilities(source::HttpClient& client, const std::string& service, const std::string& folder, std::stop_token stop) {
  const std::string path = folder.empty() ? std::string() : kept_path(folder, service);
  if (!path.empty() && is_young(path)) {
    if (std::string text = read_kept(path); !text.empty()) return text;
  }
  try {
    const auto check = [](const source::HttpResponse& response) {
      if (!is_capabilities(response.body)) throw IoError("the answer to GetCapabilities is no whole WFS_Capabilities document");
    };
    // Labels do not need it, so nobody waits for long.
    std::string text =
        client.fetch({.url = capabilities_url(service), .largest_body = largest_capabilities, .retries = 2}, check, stop).body;
    if (!path.empty()) keep(path, text);
    return text;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
    return path.empty() ? std::string() : read_kept(path);
  }
}

}  // namespace tuile::truth
