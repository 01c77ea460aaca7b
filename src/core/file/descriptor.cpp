#include "tuile/core/file/descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "tuile/core/error.hpp"

namespace tuile {

namespace {

constexpr int first_free = STDERR_FILENO + 1;

int open_again(const char* path, int flags, unsigned mode) noexcept {
  int number = -1;
  do number = ::open(path, flags, static_cast<mode_t>(mode));
  while (number < 0 && errno == EINTR);
  return number;
}

/// Hands all bytes to `put`, which says as write(2) how many it took.
template <class Put>
void put_all(std::span<const std::byte> bytes, const std::string& path, Put put) {
  while (!bytes.empty()) {
    const ssize_t count = put(bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(errno, "write", path);
    if (count == 0) throw IoError("cannot write " + path + ": the system takes no more bytes of it");  // or this would go on for ever
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace

bool Descriptor::close() noexcept {
  const int number = std::exchange(number_, -1);
  return number < 0 || ::close(number) == 0;
}

const std::string& checked_path(const std::string& path) {
  const std::size_t at = path.find('\0');
  if (at == std::string::npos) return path;
  throw InvalidArgument("the path '" + path.substr(0, at) + "\\0" + path.substr(at + 1) +
                        "' holds a NUL character, which no file name can have; leave it out");
}

Descriptor open_descriptor(const std::string& path, int flags, unsigned mode) {
  Descriptor opened(open_again(checked_path(path).c_str(), flags | O_CLOEXEC, mode));
  if (!opened || opened.get() >= first_free) return opened;
  Descriptor higher(::fcntl(opened.get(), F_DUPFD_CLOEXEC, first_free));
  const int error = errno;
  (void)opened.close();
  errno = error;
  return higher;
}

Descriptor open_for_reading(const std::string& path) {
  Descriptor descriptor = open_descriptor(path, O_RDONLY);
  if (!descriptor) throw_errno(errno, "open", path);
  return descriptor;
}

void secure_standard_descriptors() noexcept {
  for (int number = 0; number < first_free; ++number) {
    if (::fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    // The system gives the lowest number that is free, and those below are taken.
    if (open_again("/dev/null", O_RDONLY, 0) < 0) return;
  }
}

std::size_t read_some(int descriptor, std::uint64_t offset, std::span<std::byte> out, const std::string& path) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = ::pread(descriptor, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(errno, "read", path);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

void write_all_at(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes, const std::string& path) {
  const std::byte* const begin = bytes.data();
  put_all(bytes, path, [&](std::span<const std::byte> rest) {
    return ::pwrite(descriptor, rest.data(), rest.size(), static_cast<off_t>(offset) + (rest.data() - begin));
  });
}

void write_all(int descriptor, std::span<const std::byte> bytes, const std::string& path) {
  put_all(bytes, path, [&](std::span<const std::byte> rest) { return ::write(descriptor, rest.data(), rest.size()); });
}

}  // namespace tuile
