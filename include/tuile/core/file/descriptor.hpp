#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace tuile {

/// An open file descriptor, closed at the end of its life.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { (void)close(); }
  int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }
  /// Closes, and says whether the system has taken all that was written; else errno says why not.
  bool close() noexcept;

 private:
  int number_;
};

/// The path as it is. Throws InvalidArgument where it holds a NUL: the system would take what stands before it for the whole.
const std::string& checked_path(const std::string& path);

/// open(2), closed on exec and never one of the descriptors 0 to 2: where those are closed, a warning that somebody prints would be written
/// into the file. Without a file where it cannot be opened; errno then says why. Throws InvalidArgument (NUL).
Descriptor open_descriptor(const std::string& path, int flags, unsigned mode = 0);

/// Throws the typed error of `errno` where the file cannot be opened; InvalidArgument (NUL).
Descriptor open_for_reading(const std::string& path);

/// Gives each of the descriptors 0 to 2 that is closed /dev/null, for reading: so nothing else lands on it, and writing to it fails as it
/// would have. For the beginning of a program.
void secure_standard_descriptors() noexcept;

/// Reads up to out.size() bytes at `offset`; less only at the end of the file. Throws IoError.
std::size_t read_some(int descriptor, std::uint64_t offset, std::span<std::byte> out, const std::string& path);
/// Writes all bytes at `offset`. Throws IoError (full disk: with the remedy) naming `path`.
void write_all_at(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes, const std::string& path);
/// Writes all bytes where the last ones ended. Throws as write_all_at.
void write_all(int descriptor, std::span<const std::byte> bytes, const std::string& path);

inline std::span<const std::byte> bytes_of(std::string_view text) noexcept { return std::as_bytes(std::span(text)); }

}  // namespace tuile
