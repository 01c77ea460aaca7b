#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "source/http_wait.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::source {

/// One request to one host; redirects are the caller's.
struct TransferRequest {
  std::string url;
  const std::string* body = nullptr;  ///< POST; null or empty: GET
  std::string body_type;
  std::vector<std::string> headers;  ///< "Name: value"
  bool compressed = true;            ///< offer to take a compressed body
  Clock::duration longest{};         ///< that the whole transfer may take; zero: no bound
  Clock::duration stall{};           ///< that it may go on without a byte; zero: no bound
  Clock::duration connect{};         ///< that connecting may take
};

/// Status and headers of an answer, values as sent, empty where absent.
struct AnswerHead {
  int status = 0;
  std::string content_type, location, retry_after, date, etag, last_modified, content_range, content_encoding;
  std::int64_t length = -1;  ///< Content-Length; -1 where unknown
};

enum class TransferEnd {
  complete,   ///< the answer is there, to its last byte
  left,       ///< the reader wanted no more
  no_answer,  ///< no connection, time-out, reset, truncated, not HTTP …: may pass
  untrusted,  ///< the certificate of the host was refused
  bad_url,
  no_memory,
};
struct TransferResult {
  TransferEnd end = TransferEnd::no_answer;
  AnswerHead head;
  std::string problem;  ///< of the last four
};

/// Takes a piece of the body (after decompression); false: no more is wanted. Exceptions come out of run().
using BodyReader = std::function<bool(const AnswerHead& head, std::span<const char> piece)>;

/// A handle of libcurl with its connections. One transfer at a time, on the thread of the caller.
class Channel {
 public:
  Channel();
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Throws Cancelled, within a fifth of a second of the stop request.
  TransferResult run(const TransferRequest& request, const BodyReader& reader, const std::stop_token& stop);

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

/// Channels that wait with their open connections for the next transfer.
class ChannelPool {
 public:
  /// A channel of the pool for the life of this object.
  class Lease {
   public:
    explicit Lease(ChannelPool& pool);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Channel& operator*() const noexcept { return *channel_; }
    Channel* operator->() const noexcept { return channel_.get(); }

   private:
    ChannelPool& pool_;
    std::unique_ptr<Channel> channel_;
  };

 private:
  Mutex mutex_;
  std::vector<std::unique_ptr<Channel>> idle_ GUARDED_BY(mutex_);  ///< the last used is used next: its connections are the warmest
};

}  // namespace tuile::source
