#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tuile/core/file/descriptor.hpp"

namespace tuile::source {

/// The file of a download that may be interrupted, and beside it (".etag" appended) what tells whether the rest still belongs to it: the
/// server's validator and the URL. Locked against a second download (flock).
class PartialFile {
 public:
  /// Opens or creates the file. Throws PermissionDenied, NotFound (its folder), InvalidArgument, IoError (also where another download holds
  /// it).
  PartialFile(std::string path, std::string url);
  /// A file without a byte goes, unless it was finished.
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  std::uint64_t size() const noexcept { return size_; }
  /// Empty where the server gave none; the beginning is then worth nothing.
  const std::string& validator() const noexcept { return validator_; }

  /// Empties the file and keeps the validator of what is to come. Throws as writing files.
  void restart(const std::string& validator);
  /// Appends. Throws IoError (full disk: with the remedy).
  void append(std::span<const char> bytes);
  /// The file is whole: flushes it to the device and removes what stood beside it.
  void finish();

 private:
  const std::string path_, validator_path_, url_;
  Descriptor descriptor_;
  std::uint64_t size_ = 0;
  std::string validator_;
  bool finished_ = false;
};

}  // namespace tuile::source
