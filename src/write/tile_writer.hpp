#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "tuile/write/sink.hpp"
#include "write/sidecar.hpp"

namespace tuile::write {

/// All the output files of one tile, published in the order that lets nobody be misled: the old sidecar goes first, the new one comes last,
/// so that whatever moment a run is killed at, a sidecar never vouches for files it was not written with.
/// Destroyed before finish(), it leaves the folder as it was. Called from one thread at a time.
class TileWriter {
 public:
  TileWriter(std::filesystem::path sidecar_path, std::vector<std::unique_ptr<Sink>> sinks);

  /// Gives the rows to every sink. Errors as Sink::write.
  void write(const RowBlock& block);
  /// Publishes everything, and removes what the old sidecar names and the new one does not (formats no longer asked for), unless it is an
  /// input of the tile or no longer the file that was written. `sidecar.outputs` is filled in here; the whole sidecar is returned. Errors
  /// as Sink::finish and write_sidecar.
  Sidecar finish(Sidecar sidecar);

 private:
  std::filesystem::path sidecar_path_;
  std::vector<std::unique_ptr<Sink>> sinks_;
};

}  // namespace tuile::write
