#include "tuile/core/error.hpp"

#include <cerrno>
#include <system_error>

namespace tuile {

const char* to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::invalid_argument: return "invalid_argument";
    case ErrorKind::config: return "config";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::permission: return "permission";
    case ErrorKind::io: return "io";
    case ErrorKind::corrupt: return "corrupt";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::out_of_memory: return "out_of_memory";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::backend_unavailable: return "backend_unavailable";
    case ErrorKind::device: return "device";
  }
  return "unknown";
}

void throw_error(ErrorKind kind, const std::string& message) {
  switch (kind) {
    case ErrorKind::invalid_argument: throw InvalidArgument(message);
    case ErrorKind::config: throw ConfigError(message);
    case ErrorKind::not_found: throw NotFound(message);
    case ErrorKind::permission: throw PermissionDenied(message);
    case ErrorKind::io: throw IoError(message);
    case ErrorKind::corrupt: throw CorruptData(message);
    case ErrorKind::unsupported: throw Unsupported(message);
    case ErrorKind::out_of_memory: throw OutOfMemory(message);
    case ErrorKind::timeout: throw TimeoutError(message);
    case ErrorKind::cancelled: throw Cancelled(message);
    case ErrorKind::backend_unavailable: throw BackendUnavailable(message);
    case ErrorKind::device: throw DeviceError(message);
  }
  throw Error(kind, message);
}

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
