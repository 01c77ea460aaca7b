#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tuile/core/mutex.hpp"

namespace tuile::bench {

/// A slow service on loopback, HTTP/1.1: files with ranges at a steady rate (GET /NAME), and a WFS whose layers are empty everywhere
/// (GET /wfs). Made of plain sockets and one thread per connection, so that its own work is next to nothing.
///
/// Why not lighttpd's connection.kbytes-per-second: it counts by whole seconds, so what is asked for within a second comes at once, and
/// runs of a few seconds would measure the phase of its clock.
class SlowServer {
 public:
  struct Options {
    double latency = 0;           ///< seconds before each answer begins
    double bytes_per_second = 0;  ///< of each connection's bodies; 0: as fast as they go
  };
  /// files: by the name that they are served under. Throws IoError.
  SlowServer(Options options, std::map<std::string, std::string> files = {});
  ~SlowServer();
  SlowServer(const SlowServer&) = delete;
  SlowServer& operator=(const SlowServer&) = delete;

  /// "http://127.0.0.1:PORT/NAME"
  std::string url(const std::string& name) const;
  std::uint64_t requests() const;

 private:
  void accept_all();
  void serve(int client);
  void answer(int client, const std::string& head);
  void answer_file(int client, const std::string& head, const std::string& path, bool body);
  bool pause(double seconds);
  bool send_paced(int client, int file, std::uint64_t begin, std::uint64_t end);

  const Options options_;
  const std::map<std::string, std::string> files_;
  int listener_ = -1, port_ = 0;
  mutable Mutex mutex_;
  Condition stopped_;
  bool stop_ GUARDED_BY(mutex_) = false;
  std::uint64_t requests_ GUARDED_BY(mutex_) = 0;
  std::set<int> clients_ GUARDED_BY(mutex_);
  std::vector<std::thread> served_;  ///< of the accepting thread until it has ended
  std::thread acceptor_;
};

}  // namespace tuile::bench
