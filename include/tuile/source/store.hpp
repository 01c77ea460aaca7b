#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "tuile/source/byte_source.hpp"
#include "tuile/source/http.hpp"

namespace tuile::source {

/// Opens what INPUTs name, local files and http(s) URLs alike.
///
/// A remote file is read by ranges, never through a file. Its size and version come from the first request, which also brings the
/// beginning; what is read later must be of that version, for the life of the store, else IoError. Small reads bring 64 KiB each and
/// are kept (32 MiB in all), so that the headers and the index of a file are asked for once. Thread-safe.
class Store {
 public:
  /// Options for servers of files: what the published tiles' server allows, 200 ranges a second.
  static HttpOptions http_defaults();

  explicit Store(HttpOptions http = http_defaults());
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// `stop` ends this call and all reads of the source with Cancelled. A source may outlive its store.
  /// Throws as open_file and as HttpClient::begin_reading.
  std::unique_ptr<ByteSource> open(const std::string& location, std::stop_token stop = {});

  HttpStatistics statistics() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// A location as it may be written down: of a URL without user, password, query and fragment; a path as it is.
std::string public_location(const std::string& location);

}  // namespace tuile::source
