#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace tuile {

/// What kind of thing went wrong: decides whether a retry can help and which exit status the command line gives.
enum class ErrorKind {
  invalid_argument,     ///< a value outside what the function takes
  config,               ///< a configuration key or value (exit status 2)
  not_found,            ///< no such file or resource
  permission,           ///< the system refuses access
  io,                   ///< reading or writing failed; may pass
  corrupt,              ///< bytes that contradict themselves or the format; never passes
  unsupported,          ///< valid, but outside what tuile handles
  out_of_memory,        ///< an allocation failed
  timeout,              ///< the caller's deadline passed; the work goes on
  cancelled,            ///< stopped on request
  backend_unavailable,  ///< the backend asked for cannot run here (exit status 3)
  device,               ///< a GPU failed
};

/// Name of the kind as it appears in reports, e.g. "corrupt".
const char* to_string(ErrorKind kind) noexcept;

/// Base of every exception that tuile throws. The message names the value, what was expected and the remedy;
/// the place (tile, stage) is put before it once, on the way up, by `rethrow_at`.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

  /// True where the same call can succeed later (a network or disk hiccup); such errors are retried.
  bool can_pass() const noexcept { return kind_ == ErrorKind::io; }

 private:
  ErrorKind kind_;
};

/// An `Error` whose kind is in its type, so that it can be caught by kind.
template <ErrorKind Kind>
class TypedError : public Error {
 public:
  explicit TypedError(const std::string& message) : Error(Kind, message) {}
};

using InvalidArgument = TypedError<ErrorKind::invalid_argument>;
using ConfigError = TypedError<ErrorKind::config>;
using NotFound = TypedError<ErrorKind::not_found>;
using PermissionDenied = TypedError<ErrorKind::permission>;
using IoError = TypedError<ErrorKind::io>;
using CorruptData = TypedError<ErrorKind::corrupt>;
using Unsupported = TypedError<ErrorKind::unsupported>;
using OutOfMemory = TypedError<ErrorKind::out_of_memory>;
using TimeoutError = TypedError<ErrorKind::timeout>;
using Cancelled = TypedError<ErrorKind::cancelled>;
using BackendUnavailable = TypedError<ErrorKind::backend_unavailable>;
using DeviceError = TypedError<ErrorKind::device>;

/// Throws the typed error of `kind`.
[[noreturn]] void throw_error(ErrorKind kind, const std::string& message);

/// `message` with `place` before it, unless it names the place already.
std::string located(const std::string& message, const std::string& place);

/// Throws `error` again, of the same type, its message located() at `place`: "tile.laz: truncated …".
[[noreturn]] void rethrow_at(const Error& error, const std::string& place);

/// The typed error for `errno` after a failed system call on `path`; `what` is the verb ("open", "read").
[[noreturn]] void throw_errno(int error_number, const char* what, const std::string& path);

}  // namespace tuile
