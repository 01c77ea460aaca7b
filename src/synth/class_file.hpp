#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>

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
  void check() const;
  std::string path_;
  std::ofstream file_;
  std::uint64_t count_ = 0;
};

}  // namespace tuile::synth
