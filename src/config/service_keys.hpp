#pragma once

// The keys of a service that is asked over HTTP: the same for the WFS and the WMS.

#include <string>
#include <vector>

#include "config/key_types.hpp"

namespace tuile::config {

/// A text that is not empty.
template <class Member>
Key text_key(KeyText text, std::string example, Member member) {
  Key key = make_key(std::move(text), "a text", std::move(example));
  key.read = [=](Config& config, const Cell& cell) { member(config) = read_text(cell); };
  key.show = [=](const Config& config) { return format_text(member(config)); };
  return key;
}

template <class Member>
Key url_key(const std::string& section, const std::string& what, Member url) {
  Key key = text_key({section + ".url", "", true, "Address of " + what + ".", ""}, "https://data.geopf.fr/…", url);
  key.expected = "a URL (http or https)";
  key.read = [=](Config& config, const Cell& cell) {
    const std::string text = read_text(cell);
    if (!text.starts_with("http://") && !text.starts_with("https://")) refuse(cell);
    url(config) = text;
  };
  return key;
}

template <class Member>
std::vector<Key> service_keys(const std::string& section, Member service) {
  return {
      real_key(
          {section + ".requests_per_second", "1/s", false,
           "Requests sent to one host, by all threads and all processes that share the disk cache; data.geopf.fr allows 30 per address.",
           ""},
          Lower::open, 0, 10000, "20", [=](auto& c) -> auto& { return service(c).requests_per_second; }),
      integer_key(
          {section + ".max_in_flight", "", false, "Requests under way at once, each on a thread of its own.", ""}, 1, 64,
          "4", [=](auto& c) -> auto& { return service(c).max_in_flight; }),
      real_key(
          {section + ".timeout", "s", false, "Time that one attempt may take.", ""}, Lower::open, 0, 3600,
          "60", [=](auto& c) -> auto& { return service(c).timeout; }),
      integer_key(
          {section + ".retries", "", false, "Further attempts after an error that can pass.", ""}, 0, 100,
          "5", [=](auto& c) -> auto& { return service(c).retries; }),
  };
}

}  // namespace tuile::config
