#pragma once

#include <optional>
#include <string>

namespace tuile::write {

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

}  // namespace tuile::write
