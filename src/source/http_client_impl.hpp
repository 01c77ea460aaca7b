#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "source/host_gate.hpp"
#include "source/http_answer.hpp"
#include "source/http_transfer.hpp"
#include "source/http_wait.hpp"
#include "tuile/source/http.hpp"

namespace tuile::source {

/// What the transfers of one attempt have in common.
struct HttpCall {
  TransferRequest request;
  bool retry = false;
};
struct HttpAnswer {
  AnswerHead head;
  Excerpt page;  ///< of an answer that is not 2xx
};
struct HttpClient::Impl {
  explicit Impl(HttpOptions given);

  const HttpOptions options;
  const GateRules rules;
  Places places;
  ChannelPool channels;
  std::atomic<std::uint64_t> requests{0}, retries{0}, failures{0}, throttled{0}, refused{0}, bytes{0};

  HttpResponse fetch(const HttpRequest& request, const BodyCheck& check, const std::stop_token& stop);
  std::uint64_t download(const std::string& url, const std::string& path, const std::function<void(std::uint64_t, std::uint64_t)>& progress,
                         const std::stop_token& stop, const std::function<void()>& complete);

  ResourceStart begin_reading(const std::string& url, std::size_t wanted, const std::stop_token& stop);
  std::uint64_t read_range(const std::string& url, const ResourceVersion& version, std::uint64_t offset, std::span<std::byte> out,
                           const std::stop_token& stop);

  /// A GET of bytes as they are, bounded in the time that passes without one.
  TransferRequest bytes_request(const std::string& url) const {
    TransferRequest wire{.url = url, .compressed = false};
    wire.stall = from_seconds(options.timeout);
    wire.connect = from_seconds(options.connect_timeout);
    return wire;
  }

  /// One attempt: sends the request through the gate of its host and follows redirects. The reader gets the body of a 2xx only.
  /// Counts, informs the gate of every host on the way, closes it for a Retry-After. Throws what has no answer (AttemptFailed among them);
  /// a status other than 2xx comes back.
  HttpAnswer exchange(HttpCall call, const BodyReader& reader, const std::stop_token& stop);

  /// Calls attempt(retry) until it throws no AttemptFailed, with growing pauses and `retries_allowed` times at most; an attempt that made
  /// progress starts the count anew.
  template <class Attempt>
  auto with_retries(const std::string& url, int retries_allowed, const std::stop_token& stop, Attempt&& attempt) {
    for (int failed = 0; true;) {
      try {
        return attempt(failed > 0);
      } catch (const AttemptFailed& error) {
        failed = error.progressed() ? 1 : failed + 1;
        prepare_retry(url, failed, retries_allowed, error, stop);
      }
    }
  }

 private:
  HttpAnswer send_once(const HttpCall& call, const BodyReader& reader, const std::stop_token& stop, bool redirected);
  void prepare_retry(const std::string& url, int failed, int retries, const AttemptFailed& error, const std::stop_token& stop);
};

}  // namespace tuile::source
