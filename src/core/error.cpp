#include "tuile/core/error.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace tuile {

namespace {

template <ErrorKind Kind>
[[noreturn]] void throw_typed(const std::string& message) {
  throw TypedError<Kind>(message);
}

struct Row {
  ErrorTraits traits;
  void (*raise)(const std::string&);
};

template <ErrorKind Kind>
constexpr Row row(const char* name, const char* python_class, int exit_status, Remedy remedy) {
  return {{Kind, name, python_class, exit_status, remedy}, &throw_typed<Kind>};
}

constexpr int some_failed = 1, wrong_usage = 2, backend_cannot_run = 3, interrupted = 130;

constexpr std::array rows{
    row<ErrorKind::invalid_argument>("invalid_argument", "InvalidArgument", wrong_usage, Remedy::configuration),
    row<ErrorKind::config>("config", "ConfigError", wrong_usage, Remedy::configuration),
    row<ErrorKind::not_found>("not_found", "NotFound", some_failed, Remedy::surroundings),
    row<ErrorKind::permission>("permission", "PermissionDenied", some_failed, Remedy::surroundings),
    row<ErrorKind::io>("io", "IoError", some_failed, Remedy::moment),
    row<ErrorKind::corrupt>("corrupt", "CorruptData", some_failed, Remedy::input),
    row<ErrorKind::unsupported>("unsupported", "Unsupported", some_failed, Remedy::input),
    row<ErrorKind::out_of_memory>("out_of_memory", "OutOfMemory", some_failed, Remedy::surroundings),
    row<ErrorKind::timeout>("timeout", "TimeoutError", some_failed, Remedy::surroundings),
    row<ErrorKind::cancelled>("cancelled", "Cancelled", interrupted, Remedy::surroundings),
    row<ErrorKind::backend_unavailable>("backend_unavailable", "BackendUnavailable", backend_cannot_run, Remedy::surroundings),
    row<ErrorKind::device>("device", "DeviceError", some_failed, Remedy::surroundings),
};

constexpr auto all_traits = [] {
  std::array<ErrorTraits, rows.size()> traits{};
  for (std::size_t i = 0; i < rows.size(); ++i) traits[i] = rows[i].traits;
  return traits;
}();

// A kind is the index of its row.
static_assert([] {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].traits.kind != static_cast<ErrorKind>(i)) return false;
  }
  return rows.size() == static_cast<std::size_t>(ErrorKind::device) + 1;
}());

}  // namespace

std::span<const ErrorTraits> error_kinds() noexcept { return all_traits; }

const ErrorTraits& traits(ErrorKind kind) noexcept { return all_traits[static_cast<std::size_t>(kind)]; }

std::optional<ErrorKind> error_kind_named(std::string_view name) noexcept {
  for (const ErrorTraits& entry : all_traits) {
    if (entry.name == name) return entry.kind;
  }
  return std::nullopt;
}

const char* to_string(ErrorKind kind) noexcept { return traits(kind).name; }

void throw_error(ErrorKind kind, const std::string& message) {
  rows[static_cast<std::size_t>(kind)].raise(message);
  std::abort();  // no row returns
}

namespace {

std::string without_nul(const std::string& message) {
  std::string out;
  for (const char c : message) {
    if (c == '\0')
      out += "\\0";
    else
      out += c;
  }
  return out;
}

}  // namespace

Error::Error(ErrorKind kind, const std::string& message) : std::runtime_error(without_nul(message)), kind_(kind) {}

std::string located(const std::string& message, const std::string& place) {
  return message.find(place) == std::string::npos ? place + ": " + message : message;
}

void rethrow_at(const Error& error, const std::string& place) { throw_error(error.kind(), located(error.what(), place)); }

void throw_errno(int error_number, const char* what, const std::string& path) {
  const std::string message = std::string("cannot ") + what + " " + path + ": " + std::generic_category().message(error_number);
  switch (error_number) {
    case ENOENT:
    case ENOTDIR: throw NotFound(message);
    case EACCES:
    case EPERM:
    case EROFS: throw PermissionDenied(message + "; check the owner and mode of the file and its folders");
    case ENOMEM: throw OutOfMemory(message);
    case EISDIR: throw InvalidArgument(message + "; a file is expected");
    case ENOSPC:
    case EDQUOT: throw IoError(message + "; free space on that volume and run the same command again");
    default: throw IoError(message);
  }
}

}  // namespace tuile
