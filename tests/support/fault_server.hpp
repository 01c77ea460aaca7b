#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tuile::test {

/// What an HTTP service can do wrong: one name per line of "What the client survives" in the design notes. The name used on command lines
/// is the enumerator's, as to_string() gives it.
enum class Fault {
  none,
  throttled,       ///< 429, Retry-After in seconds
  throttled_date,  ///< 429, Retry-After as an HTTP date
  error_500,
  error_502,
  error_503,          ///< with Retry-After in seconds
  silence,            ///< the request is read, no answer ever comes
  slow,               ///< the good answer, a few bytes at a time
  reset,              ///< the connection is reset instead of an answer
  truncated,          ///< Content-Length as it should be, half of the body, then the connection closes
  broken_chunks,      ///< a chunked body that turns into nonsense in the middle
  garbage,            ///< bytes that are no HTTP
  empty,              ///< 200 without a body
  html_page,          ///< 200, an HTML page that says sorry
  exception_report,   ///< 200, OWS ExceptionReport in XML
  service_exception,  ///< 200, WMS ServiceExceptionReport in XML
  json_exception,     ///< 200, the exceptions of GeoServer in JSON
  wrong_type,         ///< the good body under another content type
  invalid_utf8,       ///< the good body with bytes that are no UTF-8 in its last text value
  huge,               ///< 200, FaultSettings::huge_bytes blanks
  redirect_loop,      ///< 302 to the same place
  redirect_scheme,    ///< 302 to ftp://
  bad_request,        ///< 400
  forbidden,          ///< 403
  not_found,          ///< 404
  gone,               ///< the server closes all its connections, and nobody listens any more
};
const char* to_string(Fault fault) noexcept;
/// The fault of that name, or nothing.
std::optional<Fault> fault_named(const std::string& name);
/// Every fault, `none` left out.
std::span<const Fault> all_faults();

/// A request as the server read it.
struct ServerRequest {
  std::uint64_t number = 0;      ///< from 0, in order of arrival, over all connections
  std::uint64_t connection = 0;  ///< from 0, in order of acceptance
  std::chrono::steady_clock::time_point at;
  std::string method, target;                  ///< the target as sent: path and query
  std::string path;                            ///< of the target, decoded
  std::map<std::string, std::string> query;    ///< of the target and, for a form, of the body; decoded, names in lower case
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

struct ServerAnswer {
  int status = 200;
  std::string content_type = "text/plain";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct FaultSettings {
  int retry_after = 1;                       ///< seconds, of throttled and error_503; an HTTP date is so far ahead (rounded up)
  std::chrono::milliseconds slow_pause{20};  ///< between two pieces of a slow body
  std::size_t slow_pieces = 10;
  std::size_t huge_bytes = 100'000'000;
  std::string wrong_type = "image/png";
  std::chrono::milliseconds latency{0};  ///< before every answer, faulty or not
  int port = 0;                          ///< to listen on; 0: any that is free
};

/// An HTTP/1.1 server on 127.0.0.1 that answers through `handler`, except where `rule` names a fault. Keep-alive, GET and POST; one thread
/// per connection, all joined by the destructor. Handler and rule are called from several threads at once. No two servers of a process have
/// the same port, even one after the other.
///
///   FaultServer server([](const ServerRequest&) { return ServerAnswer{.body = "hello"}; },
///                      [](const ServerRequest& r) { return r.number == 0 ? Fault::reset : Fault::none; });
///   client.fetch({.url = server.url("/wfs?x=1")}, …);
class FaultServer {
 public:
  using Handler = std::function<ServerAnswer(const ServerRequest&)>;
  using Rule = std::function<Fault(const ServerRequest&)>;

  explicit FaultServer(Handler handler, Rule rule = {}, FaultSettings settings = {});
  ~FaultServer();
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  int port() const noexcept;
  /// "http://127.0.0.1:PORT" and `target` after it.
  std::string url(const std::string& target = "/") const;

  /// Requests read so far, in order of arrival.
  std::vector<ServerRequest> requests() const;
  std::uint64_t request_count() const;
  /// Connections accepted so far.
  std::uint64_t connection_count() const;
  /// The most requests that were waiting for their answers at once.
  int most_at_once() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The answer of a file server to a GET: 200, or 206 and 416 for a Range (`bytes=N-`, `bytes=N-M`) whose If-Range is absent or equals
/// `etag`.
ServerAnswer file_answer(const ServerRequest& request, const std::string& content, const std::string& etag);

}  // namespace tuile::test
