#include "tuile/write/tile_writer.hpp"

#include <system_error>
#include <utility>

#include "tuile/core/error.hpp"

namespace tuile::write {

TileWriter::TileWriter(std::filesystem::path sidecar_path, std::vector<std::unique_ptr<Sink>> sinks)
    : sidecar_path_(std::move(sidecar_path)), sinks_(std::move(sinks)) {}

void TileWriter::write(const RowBlock& block) {
  for (const std::unique_ptr<Sink>& sink : sinks_) sink->write(block);
}

Sidecar TileWriter::finish(Sidecar sidecar) {
  std::error_code error;
  std::filesystem::remove(sidecar_path_, error);
  if (error) throw_errno(error.value(), "replace", sidecar_path_.string());
  sidecar.outputs.clear();
  for (const std::unique_ptr<Sink>& sink : sinks_) sidecar.outputs.push_back(sink->finish());
  sinks_.clear();
  write_sidecar(sidecar_path_, sidecar);
  return sidecar;
}

}  // namespace tuile::write
