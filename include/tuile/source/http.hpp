#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "tuile/core/buffer.hpp"
#include "tuile/core/error.hpp"

namespace tuile::source {

/// How a client treats its hosts. Bucket, breaker and Retry-After are per host and for the whole process, whatever the number of clients.
struct HttpOptions {
  double requests_per_second = 20;  ///< taken from the host's token bucket; 0: no limit
  int max_in_flight = 4;            ///< requests of this client at once
  double timeout = 60;              ///< seconds that one attempt may take; of a download: that may pass without a byte
  double connect_timeout = 10;      ///< seconds
  int retries = 5;                  ///< further attempts after an error that can pass
  double retry_delay = 0.5;         ///< seconds before the first retry; doubles each time, with up to 50 % jitter
  double longest_delay = 60;        ///< seconds: bound of retry delays, and of what a Retry-After is obeyed for
  int breaker_failures = 12;        ///< attempts in a row that failed, on one host, after which it is not asked any more …
  double breaker_pause = 30;        ///< … for so many seconds: requests then fail at once; after it one probe decides
  std::size_t largest_body = std::size_t{100} << 20;  ///< bytes; a longer answer throws BodyTooLarge
  std::string shared_folder;  ///< processes that name the same folder share the host's token bucket (a lock file); empty: this process only
  std::function<void(const std::string&)> log;  ///< one line per retry, 429, opening and closing of the breaker; any thread; may be empty
};

struct HttpRequest {
  std::string url;   ///< http or https
  std::string body;  ///< not empty: POST
  std::string body_type = "application/x-www-form-urlencoded";
  std::size_t largest_body = 0;  ///< 0: as the options say
  int retries = -1;              ///< at most as the options say; -1: as they say. Fewer for what can be done without
};

struct HttpResponse {
  int status = 200;
  std::string content_type;  ///< lower case, without parameters
  std::string body;
};

/// One version of a resource, as its server describes it.
struct ResourceVersion {
  std::uint64_t size = 0;     ///< bytes
  std::string etag;           ///< as sent, weak ones too; empty where there is none
  std::string last_modified;  ///< as sent; empty where there is none
  std::string validator;      ///< that of the two which a server may be held to (If-Range); empty where neither is strong
  bool ranges = true;         ///< false: the server answers with the whole, whatever part is asked for
};

/// What the first request for a resource tells.
struct ResourceStart {
  ResourceVersion version;
  Buffer<std::byte> bytes;  ///< its beginning
};

/// An answer beyond the limit: ask for less. Never retried.
class BodyTooLarge : public Error {
 public:
  explicit BodyTooLarge(const std::string& message) : Error(ErrorKind::unsupported, message) {}
};

/// Looks at an answer of status 2xx before it counts as one. Throwing an error that can pass (IoError) has the request retried, any other
/// ends it.
using BodyCheck = std::function<void(const HttpResponse&)>;

/// Exact counts since construction.
struct HttpStatistics {
  std::uint64_t requests = 0;   ///< attempts, redirects not counted
  std::uint64_t retries = 0;    ///< of these, attempts after the first
  std::uint64_t failures = 0;   ///< fetches and downloads that ended in an error
  std::uint64_t throttled = 0;  ///< answers 429
  std::uint64_t refused = 0;    ///< not sent: the breaker was open
  std::uint64_t bytes = 0;      ///< of bodies received
};

/// HTTP(S) for the services and files that tuile asks for: user and password of a host come from ~/.netrc; connections kept alive (HTTP/2
/// where the server has it), a token bucket and a circuit breaker per host, retries with jitter, Retry-After obeyed by all threads at once,
/// limits on the size of answers. TLS is verified; redirects are followed at most 5 times, never from https to http. 4xx other than 408 and
/// 429 is not retried. Thread-safe; calls block, and end with Cancelled within a fifth of a second of a stop request. No thread of its own.
class HttpClient {
 public:
  /// Throws InvalidArgument for options out of range.
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// The answer to a request, of status 2xx and accepted by `check` (may be empty).
  /// Throws NotFound (404, 410), PermissionDenied (401, 403, TLS refused), Unsupported (other 4xx, too many or insecure redirects),
  /// BodyTooLarge, InvalidArgument (not an http(s) URL), IoError (all attempts failed, or the breaker is open), Cancelled, or what `check`
  /// threw. Messages name the URL, what came and what to do.
  HttpResponse fetch(const HttpRequest& request, const BodyCheck& check, std::stop_token stop);

  /// Fetches a resource of any size into `path`, which may hold the beginning of it already: goes on from there where the server can
  /// (ranges; If-Range with the validator kept beside it), else anew. Retries continue where the attempt before broke off.
  /// progress(bytes so far, total or 0) may be empty. complete is called when all bytes are there and nobody else can write to `path` yet:
  /// the place to check the file and rename it. Returns the size. Errors as fetch, and as writing files; what came before an error stays
  /// for the next call. Bytes are taken as they come: whether they are the file that was meant is the caller's to check.
  std::uint64_t download(const std::string& url, const std::string& path, const std::function<void(std::uint64_t, std::uint64_t)>& progress,
                         std::stop_token stop, const std::function<void()>& complete = {});

  /// Begins to read a resource in parts: its version and its first `wanted` bytes (all of a shorter one), by one request.
  /// Errors as fetch, but IoError for 4xx other than 401, 403, 404 and 410 (an expired token, a lock: a later call may do better); IoError
  /// also where the server goes on telling no size, or sends a page in place of a file; Unsupported where it sends the file compressed.
  ResourceStart begin_reading(const std::string& url, std::size_t wanted, std::stop_token stop);

  /// Fills `out` with the bytes of that version from `offset`; the range must lie inside. One request where all goes well; one that breaks
  /// off is continued where it did. From a server without ranges all that is before `offset` is received and dropped, up to a gigabyte.
  /// Returns the bytes received. Errors as begin_reading; IoError, without a retry, where the resource has changed; Unsupported where
  /// too much would be dropped.
  std::uint64_t read_range(const std::string& url, const ResourceVersion& version, std::uint64_t offset, std::span<std::byte> out,
                           std::stop_token stop);

  HttpStatistics statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Percent-encoding of one value for a query string (RFC 3986).
std::string url_encode(std::string_view text);

/// True for texts that begin with http:// or https:// (any case).
bool is_url(std::string_view text) noexcept;

}  // namespace tuile::source
