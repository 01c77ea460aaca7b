#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace tuile {

/// The temporary of a file that appears at its place complete or not at all: "NAME.part-PID-COUNTER" beside it, locked (flock) while the
/// object lives, so that two runs never write into one and what a killed run left can be told from what is being written.
class UnfinishedFile {
 public:
  /// Creates the temporary, empty. Throws PermissionDenied, IoError.
  explicit UnfinishedFile(std::filesystem::path place);
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  /// To be opened for writing; may be truncated, not replaced.
  const std::string& path() const noexcept { return path_; }
  /// Appends bytes. Throws IoError.
  void write(std::span<const std::byte> bytes);
  /// Flushes the temporary to the device and renames it to its place. Once. Throws IoError.
  void publish();

 private:
  std::filesystem::path place_;
  std::string path_;
  int descriptor_ = -1;
};

/// Removes the temporaries in `folder` of files whose names begin with `prefix` that nobody holds. Where the file system has no locks,
/// none.
void remove_abandoned(const std::filesystem::path& folder, std::string_view prefix);

}  // namespace tuile
