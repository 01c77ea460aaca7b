#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/http_transfer.hpp"
#include "tuile/core/error.hpp"

namespace tuile::source {

/// An attempt that came to nothing, but another may succeed.
class AttemptFailed : public Error {
 public:
  explicit AttemptFailed(const std::string& message, bool progressed = false) : Error(ErrorKind::io, message), progressed_(progressed) {}
  /// Whether it left more behind than any attempt before it: those to come start from there.
  bool progressed() const noexcept { return progressed_; }

 private:
  bool progressed_;
};

/// The beginning of an error page, for messages.
class Excerpt {
 public:
  /// False once more has come than any error page needs.
  bool add(std::span<const char> piece);
  /// One line of plain ASCII without tags, ": " before it; empty where there is nothing to say.
  std::string text() const;

 private:
  std::string beginning_;
  std::size_t size_ = 0;
};

/// Seconds that a Retry-After (seconds or an HTTP date) asks for; 0 where it says nothing.
double retry_after_seconds(const AnswerHead& head);

/// The media type in lower case, without parameters.
std::string media_type(std::string_view content_type);

bool is_redirect(int status) noexcept;

/// Throws what an answer that is neither 2xx nor a redirect to follow means: NotFound, PermissionDenied, Unsupported, or AttemptFailed for
/// 408, 429 and 5xx.
[[noreturn]] void throw_status(const std::string& url, int status, const Excerpt& page);

/// Throws what an exchange without an answer means: AttemptFailed, PermissionDenied (untrusted), InvalidArgument, OutOfMemory.
[[noreturn]] void throw_no_answer(const std::string& url, const TransferResult& result);

}  // namespace tuile::source
