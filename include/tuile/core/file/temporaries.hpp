#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tuile {

/// Who owns a temporary, as its name says.
struct TemporaryOwner {
  std::string host;
  long process = 0;
};

/// This machine's name, in characters that are safe in file names.
std::string host_name();

/// ".NAME.tmp-HOST-PID-COUNTER" of this process, NAME cut where the whole would pass what a file name may have.
std::string temporary_name(const std::string& file_name);

/// The owner, or nothing where the name is not of that form.
std::optional<TemporaryOwner> temporary_owner(const std::string& file_name);

/// True for the names that AtomicFile gives to its temporaries.
bool is_temporary_name(const std::string& file_name);

/// Removes the temporaries in `directory` (not below it) that this host's dead processes left, and those of this process id that nobody
/// holds (a container starts every run with the same id). Returns what was removed; a missing folder has none.
/// others_after   those of other hosts and of live processes go too once they are as old, where nobody holds them; not set: never
std::vector<std::filesystem::path> remove_stale_temporaries(const std::filesystem::path& directory,
                                                            std::optional<std::chrono::seconds> others_after = {});

}  // namespace tuile
