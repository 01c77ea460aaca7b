#include "tuile/pipeline/run_summary.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tuile::pipeline {

const char* RunSummary::waited_for() const noexcept {
  const double load = times.first_arrival + times.load_wait;
  if (load + times.write_wait < 0.01 * times.wall) return "nothing";
  return load >= times.write_wait ? "load" : "write";
}

std::string to_json(const RunSummary& s) {
  nlohmann::ordered_json failed = nlohmann::ordered_json::array();
  for (const FailedTile& tile : s.failed)
    failed.push_back({{"path", tile.path}, {"kind", to_string(tile.kind)}, {"message", tile.message}});
  const nlohmann::ordered_json json{{"version", s.version},
                                    {"backend", s.backend},
                                    {"device", s.device},
                                    {"config_hash", s.config_hash},
                                    {"tiles",
                                     {{"total", s.tiles_total},
                                      {"done", s.tiles_done},
                                      {"failed", s.failed.size()},
                                      {"skipped", s.tiles_skipped},
                                      {"not_begun", s.tiles_not_begun}}},
                                    {"failed", std::move(failed)},
                                    {"notes", s.notes},
                                    {"interrupted", s.interrupted},
                                    {"points", s.points},
                                    {"wall_seconds", s.times.wall},
                                    {"cpu_seconds", s.cpu_seconds},
                                    {"points_per_second", s.times.wall > 0 ? static_cast<double>(s.points) / s.times.wall : 0.0},
                                    {"compute_utilisation", s.times.utilisation()},
                                    {"waited_for", s.waited_for()},
                                    {"times",
                                     {{"first_arrival", s.times.first_arrival},
                                      {"load_wait", s.times.load_wait},
                                      {"write_wait", s.times.write_wait},
                                      {"compute", s.times.compute},
                                      {"write", s.times.write},
                                      {"drain", s.times.drain}}},
                                    {"settings",
                                     {{"threads", s.threads},
                                      {"workers", s.workers},
                                      {"ahead", s.ahead},
                                      {"batch", s.batch},
                                      {"writers", s.writers},
                                      {"memory_budget", s.memory_budget}}},
                                    {"loader",
                                     {{"tiles_loaded", s.loader.tiles_loaded},
                                      {"loads_failed", s.loader.loads_failed},
                                      {"requests", s.loader.requests},
                                      {"hits_ready", s.loader.hits_ready},
                                      {"hits_in_flight", s.loader.hits_in_flight},
                                      {"misses", s.loader.misses},
                                      {"cache_hit_rate", s.loader.cache_hit_rate()},
                                      {"retries", s.loader.retries},
                                      {"evictions", s.loader.evictions},
                                      {"avg_io_time_ms", s.loader.avg_io_time_ms()},
                                      {"avg_wait_time_ms", s.loader.avg_wait_time_ms()},
                                      {"io_hidden_ratio", s.loader.io_hidden_ratio()}}},
                                    {"reader",
                                     {{"bytes_read", s.reader.bytes_read},
                                      {"points_decoded", s.reader.points_decoded},
                                      {"full_decodes", s.reader.full_decodes},
                                      {"partial_decodes", s.reader.partial_decodes},
                                      {"strips_reused", s.reader.strips_reused},
                                      {"read_seconds", s.reader.read_seconds},
                                      {"decode_seconds", s.reader.decode_seconds},
                                      {"decode_amplification", s.decode_amplification()}}},
                                    {"peak_rss", s.peak_rss}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_text(const RunSummary& s) {
  std::string text;
  text += fmt::format("{} of {} tiles done, {} skipped (done before), {} failed{}{}\n", s.tiles_done, s.tiles_total, s.tiles_skipped,
                      s.failed.size(), s.tiles_not_begun > 0 ? fmt::format(", {} not begun", s.tiles_not_begun) : "",
                      s.interrupted ? "; interrupted: the same command goes on from here" : "");
  const double rate = s.times.wall > 0 ? static_cast<double>(s.points) / s.times.wall : 0.0;
  text += fmt::format("  {:.2f} M points in {:.2f} s: {:.2f} M points/s on {}\n", 1e-6 * static_cast<double>(s.points), s.times.wall,
                      1e-6 * rate, s.device);
  text += fmt::format(
      "  compute utilisation {:.1f} %; waited for {} (first tile {:.2f} s, later loads {:.2f} s, writers {:.2f} s, end {:.2f} s)\n",
      100 * s.times.utilisation(), s.waited_for(), s.times.first_arrival, s.times.load_wait, s.times.write_wait, s.times.drain);
  text += fmt::format(
      "  loads hidden {:.1f} %, cache hits {:.1f} %, decode amplification {:.2f}, CPU {:.2f} s, peak memory {:.0f} MiB of a budget of "
      "{:.0f} MiB\n",
      100 * s.loader.io_hidden_ratio(), 100 * s.loader.cache_hit_rate(), s.decode_amplification(), s.cpu_seconds,
      static_cast<double>(s.peak_rss) / (1 << 20), static_cast<double>(s.memory_budget) / (1 << 20));
  for (const FailedTile& tile : s.failed)
    text += fmt::format("  failed: {} ({})\n", located(tile.message, tile.path), to_string(tile.kind));
  return text;
}

}  // namespace tuile::pipeline
