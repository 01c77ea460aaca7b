#include "tuile/write/verify.hpp"

#include <algorithm>
#include <set>
#include <system_error>

#include "difference.hpp"
#include "input_files.hpp"
#include "read_text.hpp"
#include "sidecar_json.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"
#include "tuile/core/file/temporaries.hpp"
#include "write/formats.hpp"
#include "write/sidecar.hpp"

namespace tuile::write {

namespace {

namespace fs = std::filesystem;

/// Every regular file below `directory`, sorted.
std::vector<fs::path> all_files(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator entries(directory, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    std::error_code type_error;
    if (entries->is_regular_file(type_error)) files.push_back(entries->path());
  }
  if (error) throw_errno(error.value(), "list", directory.string());
  std::sort(files.begin(), files.end());
  return files;
}

/// Checks one output file. True where it was there to be read.
bool check_output(const fs::path& path, const WrittenFile& expected, const Sidecar& sidecar, std::vector<std::string>& problems) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    problems.push_back(expected.name + ": the file is missing");
    return false;
  }
  const std::uint64_t size = fs::file_size(path, error);
  if (error || size != expected.size) problems.push_back(differs(expected.name + ": size", error ? 0 : size, expected.size));
  try {
    const std::string checksum = file_checksum(path);
    if (checksum != expected.checksum) problems.push_back(differs(expected.name + ": checksum", checksum, expected.checksum));
    if (const OutputFormat* const format = format_of_path(path)) format_of(*format).check(path, sidecar, problems);
  } catch (const Error& failure) {
    problems.push_back(expected.name + ": " + failure.what());
  }
  return true;
}

}  // namespace

bool VerifyReport::ok() const noexcept {
  return without_sidecar.empty() &&
         std::all_of(tiles.begin(), tiles.end(), [](const TileVerification& tile) { return tile.problems.empty(); });
}

VerifyReport verify_directory(const fs::path& directory) {
  checked_path(directory.native());
  VerifyReport report;
  std::set<fs::path> vouched;
  std::vector<fs::path> outputs;
  InputFiles inputs;  // a run may write into the folder that it reads from
  for (const fs::path& path : all_files(directory)) {
    const std::string name = path.filename().string();
    if (is_temporary_name(name)) {
      report.leftovers.push_back(path);
    } else if (format_of_path(path) != nullptr) {
      outputs.push_back(path);
    } else if (path.extension() == ".json") {
      TileVerification tile{path, {}};
      try {
        const std::string text = read_json_text(path);
        if (is_foreign_json(text)) continue;
        const Sidecar sidecar = sidecar_from_json(text);
        inputs.add(sidecar);
        for (const WrittenFile& output : sidecar.outputs) {
          const fs::path place = path.parent_path() / output.name;
          vouched.insert(place);
          if (!check_output(place, output, sidecar, tile.problems)) continue;
          ++report.files_checked;
          report.bytes_checked += output.size;
        }
        if (sidecar.valid_points + sidecar.invalid_points != sidecar.rows)
          tile.problems.push_back(name + ": " + std::to_string(sidecar.valid_points) + " valid and " +
                                  std::to_string(sidecar.invalid_points) + " invalid points do not make its " +
                                  std::to_string(sidecar.rows) + " rows");
      } catch (const Error& failure) {
        tile.problems.push_back(failure.what());
      }
      report.tiles.push_back(std::move(tile));
    }
  }
  for (const fs::path& path : outputs)
    if (!vouched.contains(path) && !inputs.contains(path)) report.without_sidecar.push_back(path);
  return report;
}

}  // namespace tuile::write
