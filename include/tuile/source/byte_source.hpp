#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tuile/core/buffer.hpp"

namespace tuile::source {

/// A part of a source, and where its bytes go.
struct Piece {
  std::uint64_t offset = 0;
  std::span<std::byte> out;
};

/// What reading has cost so far.
struct Traffic {
  std::uint64_t bytes = 0;  ///< that the medium gave, more than were asked for where it reads ahead
  double seconds = 0;       ///< that callers waited for it, summed over threads
};

/// A sequence of bytes that can be read at any offset: a local file, bytes in memory, or an HTTP resource (store.hpp). Thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// Where the bytes come from, for messages.
  virtual const std::string& name() const noexcept = 0;

  /// Size in bytes when the source was opened.
  virtual std::uint64_t size() const noexcept = 0;

  /// Fills `out` with the bytes from `offset`. Waits for the medium; call it from an I/O thread.
  /// Throws CorruptData where the source ends before (it shrank, or is shorter than its header says), IoError where the medium fails or
  /// the resource is another than when it was opened.
  virtual void read(std::uint64_t offset, std::span<std::byte> out) const = 0;

  /// Reads several pieces, at once where the medium gains by it. Errors as read().
  virtual void read_pieces(std::span<const Piece> pieces) const {
    for (const Piece& piece : pieces) read(piece.offset, piece.out);
  }

  /// Time of the last change in nanoseconds since the epoch, or another number that changes when the bytes do; 0 where nothing is known.
  virtual std::int64_t modified_ns() const noexcept { return 0; }

  /// False where a part costs as much as all that is before it: then reading the whole once is better than reading parts.
  virtual bool has_ranges() const noexcept { return true; }

  virtual Traffic traffic() const noexcept { return {}; }
};

/// Opens a local file for reading. Throws NotFound, PermissionDenied, InvalidArgument (a folder), IoError.
std::unique_ptr<ByteSource> open_file(const std::string& path);

/// A source over bytes in memory, which must outlive it.
std::unique_ptr<ByteSource> from_memory(std::span<const std::byte> bytes, std::string name = "memory");

/// Appends `size` bytes from `offset`. Takes memory only as the bytes come, 16 MiB at a time: a size that a damaged file or a server only
/// claims costs nothing. Throws as ByteSource::read.
void append_bytes(const ByteSource& source, std::uint64_t offset, std::uint64_t size, std::vector<std::byte>& bytes);

/// The whole source in memory.
Buffer<std::byte> read_all(const ByteSource& source);

}  // namespace tuile::source
