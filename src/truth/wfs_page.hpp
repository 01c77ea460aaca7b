#pragma once

#include <stop_token>
#include <string>

#include "truth/wfs.hpp"
#include "truth/wfs_request.hpp"
#include "tuile/source/http.hpp"

namespace tuile::truth {

/// What came of the request of one page.
struct PageAnswer {
  enum class Status {
    page,
    too_large,   ///< ask for less
    unsortable,  ///< the service cannot sort by the key, or not page without one
    refused,     ///< the request was turned down for a reason that is not known (an HTTP status 4xx)
    failed,
  };
  Status status = Status::failed;
  GeoJsonPage page;
  std::string reason;              ///< of anything but a page
  ErrorKind kind = ErrorKind::io;  ///< likewise
};

/// Asks for one page; `id_attribute` names its features. Answers that are none (empty, HTML, cut off, exceptions that may pass) are retried
/// as the client does; so is a page with bytes that are no UTF-8 (a service's slip, or damage on the way), the last of which is taken all
/// the same where they came more than once. Throws Cancelled, OutOfMemory, and ConfigError for a URL that is none.
PageAnswer get_page(source::HttpClient& client, const std::string& service, const PageRequest& request, const std::string& id_attribute,
                    std::stop_token stop);

}  // namespace tuile::truth
