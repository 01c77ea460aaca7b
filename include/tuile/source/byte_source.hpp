#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tuile/core/buffer.hpp"

namespace tuile::source {

/// A sequence of bytes that can be read at any offset: a local file now, an HTTP resource with ranges later. Thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// Where the bytes come from, for messages.
  virtual const std::string& name() const noexcept = 0;

  /// Size in bytes when the source was opened.
  virtual std::uint64_t size() const noexcept = 0;

  /// Fills `out` with the bytes from `offset`. Waits for the medium; call it from an I/O thread.
  /// Throws CorruptData where the source ends before (it shrank, or is shorter than its header says), IoError where the medium fails.
  virtual void read(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

/// Opens a local file for reading. Throws NotFound, PermissionDenied, InvalidArgument (a folder), IoError.
std::unique_ptr<ByteSource> open_file(const std::string& path);

/// A source over bytes in memory, which must outlive it.
std::unique_ptr<ByteSource> from_memory(std::span<const std::byte> bytes, std::string name = "memory");

/// The whole source in memory.
Buffer<std::byte> read_all(const ByteSource& source);

}  // namespace tuile::source
