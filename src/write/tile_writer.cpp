#include "write/tile_writer.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "input_files.hpp"
#include "tuile/core/error.hpp"

namespace tuile::write {

namespace {

namespace fs = std::filesystem;

/// What the sidecar at `path` vouches for; nothing where there is none or it is damaged.
std::vector<WrittenFile> outputs_of(const fs::path& path) {
  try {
    return read_sidecar(path).outputs;
  } catch (const Error&) {
    return {};
  }
}

/// Whether `path` still holds the very bytes that were written as `file`. A file that cannot be read does not.
bool is_as_written(const fs::path& path, const WrittenFile& file) {
  std::error_code error;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) != file.size || error) return false;
  try {
    return file_checksum(path) == file.checksum;
  } catch (const Error&) {
    return false;
  }
}

/// Removes those of the `old` outputs beside the sidecar that the new one does not name (another choice of formats). A file is left where
/// there is any doubt that it is ours: changed since, of another tile's name, or an input. Names have no folders: sidecars are checked.
void remove_replaced(const fs::path& sidecar_path, const std::vector<WrittenFile>& old, const Sidecar& sidecar) {
  InputFiles inputs;
  inputs.add(sidecar);
  for (const WrittenFile& file : old) {
    const auto named = [&](const WrittenFile& output) { return output.name == file.name; };
    if (std::any_of(sidecar.outputs.begin(), sidecar.outputs.end(), named)) continue;
    const fs::path path = sidecar_path.parent_path() / file.name;
    if (path.stem() != sidecar_path.stem() || inputs.contains(path) || !is_as_written(path, file)) continue;
    std::error_code error;
    fs::remove(path, error);
    if (error) throw_errno(error.value(), "remove the replaced output", path.string());
  }
}

}  // namespace

TileWriter::TileWriter(std::filesystem::path sidecar_path, std::vector<std::unique_ptr<Sink>> sinks)
    : sidecar_path_(std::move(sidecar_path)), sinks_(std::move(sinks)) {}

void TileWriter::write(const RowBlock& block) {
  for (const std::unique_ptr<Sink>& sink : sinks_) sink->write(block);
}

Sidecar TileWriter::finish(Sidecar sidecar) {
  const std::vector<WrittenFile> old = outputs_of(sidecar_path_);
  std::error_code error;
  std::filesystem::remove(sidecar_path_, error);
  if (error) throw_errno(error.value(), "replace", sidecar_path_.string());
  sidecar.outputs.clear();
  for (const std::unique_ptr<Sink>& sink : sinks_) sidecar.outputs.push_back(sink->finish());
  sinks_.clear();
  remove_replaced(sidecar_path_, old, sidecar);
  write_sidecar(sidecar_path_, sidecar);
  return sidecar;
}

}  // namespace tuile::write
