#pragma once

#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
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

/// What must change before another try can succeed.
enum class Remedy {
  moment,         ///< nothing: a hiccup of network or disk, to be retried soon
  surroundings,   ///< something outside: a file that is missing, memory that others hold
  input,          ///< the bytes: while they are the same, so is the error
  configuration,  ///< the call itself
};

/// All that is said of a kind of error, once: for reports, retries, the exit status and Python.
struct ErrorTraits {
  ErrorKind kind;
  const char* name;          ///< in reports, e.g. "corrupt"
  const char* python_class;  ///< in tuile.errors
  int exit_status;           ///< of a command that ends by it
  Remedy remedy;
};

/// Every kind, in the order of ErrorKind.
std::span<const ErrorTraits> error_kinds() noexcept;
const ErrorTraits& traits(ErrorKind kind) noexcept;
/// The kind of that name; nothing where there is none.
std::optional<ErrorKind> error_kind_named(std::string_view name) noexcept;

/// Name of the kind as it appears in reports, e.g. "corrupt".
const char* to_string(ErrorKind kind) noexcept;

/// Base of every exception that tuile throws. The message names the value, what was expected and the remedy;
/// the place (tile, stage) is put before it once, on the way up, by `rethrow_at`.
class Error : public std::runtime_error {
 public:
  /// A NUL in the message stands in what() as "\0", or what follows it would be lost.
  Error(ErrorKind kind, const std::string& message);
  ErrorKind kind() const noexcept { return kind_; }

  /// True where the same call can succeed later (a network or disk hiccup); such errors are retried.
  bool can_pass() const noexcept { return traits(kind_).remedy == Remedy::moment; }

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
