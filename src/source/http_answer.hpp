#pragma once

#include <cstdint>
#include <optional>
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

/// "bytes 5-9/10" or, where nothing satisfies, "bytes */10".
struct ContentRange {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> total;  ///< nothing where the server does not know
};
/// Nothing where the text is no content range.
std::optional<ContentRange> parse_content_range(std::string_view text);

/// What If-Range may hold: a strong ETag, or a date that RFC 9110 §8.8.2.2 takes for strong, a second or more before the answer. Else
/// empty.
std::string validator_of(const AnswerHead& head);

/// Seconds since the epoch of an HTTP date; nothing where the text is none.
std::optional<std::int64_t> http_time(const std::string& text);

/// Throws what an answer that is neither 2xx nor a redirect to follow means: NotFound, PermissionDenied, Unsupported, or AttemptFailed for
/// 408, 429 and 5xx.
[[noreturn]] void throw_status(const std::string& url, int status, const Excerpt& page);

/// Throws what an exchange without an answer means: AttemptFailed, PermissionDenied (untrusted), InvalidArgument, OutOfMemory.
[[noreturn]] void throw_no_answer(const std::string& url, const TransferResult& result);

}  // namespace tuile::source
