#include "tuile/write/verify.hpp"

#include <algorithm>
#include <set>
#include <system_error>

#include "input_files.hpp"
#include "npz_reader.hpp"
#include "read_text.hpp"
#include "sidecar_json.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"
#include "tuile/core/file/temporaries.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/write/sidecar.hpp"

namespace tuile::write {

namespace {

namespace fs = std::filesystem;

bool is_output(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".npz" || extension == ".laz" || extension == ".h5";
}

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

std::string differs(const std::string& what, const std::string& found, const std::string& expected) {
  return what + " is " + found + ", the sidecar says " + expected;
}
std::string differs(const std::string& what, std::uint64_t found, std::uint64_t expected) {
  return differs(what, std::to_string(found), std::to_string(expected));
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + ")";
}

/// Whether the arrays that every NPZ file has are there and fit the sidecar.
void check_npz(const fs::path& path, const Sidecar& sidecar, std::vector<std::string>& problems) {
  const std::string name = path.filename().string();
  const std::uint64_t rows = sidecar.rows, columns = sidecar.features.size();
  std::vector<std::pair<std::string, std::vector<std::uint64_t>>> expected{
      {"xyz", {rows, 3}}, {"origin", {3}}, {"features", {rows, columns}}, {"feature_names", {columns}}, {"classification", {rows}}};
  const std::vector<NpzArray> arrays = read_npz_headers(path);
  const auto find = [&](const std::string& array) {
    return std::find_if(arrays.begin(), arrays.end(), [&](const NpzArray& candidate) { return candidate.name == array; });
  };
  if (find("valid") != arrays.end()) expected.push_back({"valid", {rows}});
  if (sidecar.ground_truth.labelled)
    for (const char* array : {"labels", "label_source", "label_object"}) expected.push_back({array, {rows}});
  for (const auto& [array, shape] : expected) {
    const auto found = find(array);
    if (found == arrays.end())
      problems.push_back(name + ": array '" + array + "' is missing");
    else if (found->header.shape != shape)
      problems.push_back(differs(name + ": shape of '" + array + "'", shape_text(found->header.shape), shape_text(shape)));
  }
  if (!sidecar.ground_truth.labelled) return;
  const auto ids = find("object_ids");
  if (ids == arrays.end()) {
    problems.push_back(name + ": array 'object_ids' is missing");
    return;
  }
  const std::vector<std::uint64_t>& shape = ids->header.shape;
  for (const NpzArray& array : arrays)
    if (array.name.starts_with("object_") && (array.header.shape != shape || shape.size() != 1))
      problems.push_back(name + ": shape of '" + array.name + "' is " + shape_text(array.header.shape) + ", that of 'object_ids' " +
                         shape_text(shape));
}

void check_laz(const fs::path& path, const Sidecar& sidecar, std::vector<std::string>& problems) {
  const las::FileInfo info = las::read_info(*source::open_file(path.string()));
  if (info.header.point_count != sidecar.rows)
    problems.push_back(differs(path.filename().string() + ": number of points", info.header.point_count, sidecar.rows));
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
    if (path.extension() == ".npz") check_npz(path, sidecar, problems);
    if (path.extension() == ".laz") check_laz(path, sidecar, problems);
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
    } else if (is_output(path)) {
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
