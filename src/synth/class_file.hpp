#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tuile/core/file/descriptor.hpp"

namespace tuile::synth {

/// A NumPy array of bytes, uint8 (N,), whose length is known when all are written. Source: NumPy's NEP 1, format version 1.0.
class ClassFile {
 public:
  /// path: of a file that is there already, to be overwritten. Throws PermissionDenied, IoError.
  explicit ClassFile(std::string path);
  void write(std::span<const std::uint8_t> classes);
  /// Writes the header. Throws IoError.
  void finish();

 private:
  std::string path_;
  Descriptor file_;
  std::uint64_t count_ = 0;
};

}  // namespace tuile::synth
