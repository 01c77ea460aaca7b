#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/core/error.hpp"
#include "tuile/source/http.hpp"

namespace tuile::pipeline {

/// How a download stands, for a progress display.
struct DownloadProgress {
  std::size_t done = 0, failed = 0, total = 0;  ///< tiles
  std::uint64_t bytes = 0;                      ///< received in this run
};

struct DownloadOptions {
  Bounds bbox;  ///< metres, in the CRS `epsg`
  int epsg = 2154;
  std::string output;  ///< folder; made where it does not exist
  std::string index_url = "https://data.geopf.fr/wfs/ows";
  /// Layers of the index, tried in turn: the published one was renamed twice.
  std::vector<std::string> index_layers{"IGNF_LIDAR-HD_METADONNEE:metadata", "IGNF_NUAGES-DE-POINTS-LIDAR-HD:dalle",
                                        "IGNF_LIDAR-HD_TA:nuage-dalle"};
  /// Attributes that may hold a tile's URL, in order.
  std::vector<std::string> url_attributes{"url_npl", "url"};
  int parallel = 4;                 ///< files at once, 1 to 64
  double requests_per_second = 10;  ///< data.geopf.fr allows 10 downloads a second
  int retries = 5;
  bool list_only = false;  ///< ask the index, fetch nothing
  std::stop_token stop;
  std::function<void(const DownloadProgress&)> progress;  ///< one call at a time
  std::function<void(const std::string&)> log;            ///< one line each, from any thread
};

struct DownloadedTile {
  enum class State { listed, already_there, downloaded, failed, not_begun };
  std::string name, url, path;
  State state = State::listed;
  std::uint64_t size = 0;  ///< bytes on disk
  ErrorKind kind = ErrorKind::io;
  std::string message;  ///< where it failed
};
const char* to_string(DownloadedTile::State state) noexcept;

struct DownloadReport {
  std::vector<DownloadedTile> tiles;  ///< by name
  source::HttpStatistics http;
  bool interrupted = false;
};

/// Fetches the tiles of a published index that touch a box. Each is written as NAME.part, goes on from there after an interruption, is
/// checked (its size as announced, its LAS header against size and place) and only then gets its name; a file that is there and sound is
/// not fetched again. A tile that fails is in the report. Throws InvalidArgument (options), NotFound (no such index, or no tile in the
/// box), as HttpClient::fetch for the index, PermissionDenied and IoError for the folder.
DownloadReport download_tiles(const DownloadOptions& options);

}  // namespace tuile::pipeline
