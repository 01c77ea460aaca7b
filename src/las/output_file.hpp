#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tuile/core/file/descriptor.hpp"

namespace tuile::las {

/// A local file that is written from front to back, and patched where something is known only later. Throws the typed error of errno.
class OutputFile {
 public:
  explicit OutputFile(std::string path);

  std::uint64_t size() const noexcept { return size_; }
  void append(std::span<const std::byte> bytes);
  /// Overwrites bytes that were appended before.
  void patch(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Reports what the file system held back until the file was closed.
  void close();

 private:
  std::string path_;
  Descriptor descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace tuile::las
