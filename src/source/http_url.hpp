#pragma once

#include <string>

namespace tuile::source {

/// "scheme://host:port" of a URL, in lower case, the port always there. Throws InvalidArgument where the text is no http(s) URL with a
/// host.
std::string origin_of(const std::string& url);

/// The place that a redirect from `url` leads to; `location` may be relative.
/// Throws Unsupported where it has none, leaves http(s), or goes from https to http.
std::string redirect_target(const std::string& url, const std::string& location);

/// Whether the query is one to a map service (SERVICE=WFS and the like), whose values are no secrets.
bool is_service_query(const std::string& url);

/// The URL for messages: at most 200 characters of it, user and password left out, and all queries but those to map services.
std::string url_text(const std::string& url);

}  // namespace tuile::source
