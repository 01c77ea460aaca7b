#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "tuile/source/http.hpp"

namespace tuile::truth {

/// The editions named in titles and abstracts ("V3 2026-06-15", "Édition 2026-06-15") of the layers whose names begin with `prefix`, else
/// of the service; several, in alphabetical order, with ", " between; "" where none is. Tolerates damage.
std::string edition_in_capabilities(std::string_view capabilities, const std::string& prefix);

/// Whether the text is a service's capabilities, whole.
bool is_capabilities(std::string_view text);

/// The capabilities of a service: out of `folder` where they are no older than a day, else asked for and kept there, else, where the
/// service does not answer, out of `folder` whatever their age; "" where there are none at all. folder may be empty: nothing is kept.
/// Throws Cancelled only.
std::string fetch_capabilities(source::HttpClient& client, const std::string& service, const std::string& folder, std::stop_token stop);

}  // namespace tuile::truth
