#include "tuile/pipeline/run_summary.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tuile::pipeline {

const char* RunSummary::waited_for() const noexcept {
  const double load = times.first_arrival + times.load_wait;
  if (load + times.write_wait < 0.01 * times.wall) return "nothing";
  return load >= times.write_wait ? "load" : "write";
}

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const source::HttpStatistics& http) {
  return {{"requests", http.requests},   {"retries", http.retries}, {"failures", http.failures},
          {"throttled", http.throttled}, {"refused", http.refused}, {"bytes", http.bytes}};
}

Json json_of(const truth::CacheStatistics& cache) {
  return {{"hits", cache.hits},           {"misses", cache.misses}, {"joined", cache.joined},
          {"evictions", cache.evictions}, {"bytes", cache.bytes},   {"entries", cache.entries}};
}

Json json_of(const TruthSummary& truth) {
  if (truth.source.empty()) return nullptr;
  Json layers = Json::array();
  for (const TruthSummary::Layer& layer : truth.layers) {
    Json outcomes = Json::object();
    for (std::size_t o = 0; o < layer.outcomes.size(); ++o) {
      if (layer.outcomes[o] > 0) outcomes[to_string(static_cast<Outcome>(o))] = layer.outcomes[o];
    }
    layers.push_back({{"layer", layer.layer}, {"tiles", std::move(outcomes)}, {"points", layer.points}});
  }
  return {{"source", truth.source},
          {"edition", truth.edition},
          {"tiles", {{"labelled", truth.labelled}, {"unlabelled", truth.unlabelled}}},
          {"layers", std::move(layers)},
          {"wfs_fetches", truth.store.fetches},
          {"wfs_failures", truth.store.failures},
          {"memory_cache", json_of(truth.store.memory)},
          {"disk_cache", json_of(truth.store.disk)},
          {"http", json_of(truth.http)},
          {"wait_seconds", truth.wait_seconds}};
}

Json json_of(const ImagerySummary& imagery) {
  if (imagery.source.empty()) return nullptr;
  return {
      {"source", imagery.source}, {"tiles", {{"coloured", imagery.coloured}, {"failed", imagery.failed}}}, {"http", json_of(imagery.http)}};
}

Json devices_of(const RunSummary& summary) {
  Json devices = Json::array();
  for (const compute::DeviceReport& device : summary.compute.devices) {
    devices.push_back({{"id", device.id},
                       {"name", device.name},
                       {"tiles", device.tiles},
                       {"busy_seconds", device.busy_seconds},
                       {"utilisation", summary.utilisation_of(device)},
                       {"bytes_uploaded", device.uploaded},
                       {"bytes_downloaded", device.downloaded},
                       {"allocations", device.allocations},
                       {"allocations_reused", device.reused},
                       {"memory_peak", device.memory_peak},
                       {"lost", device.lost.empty() ? Json() : Json(device.lost)}});
  }
  return devices;
}

std::string text_of_devices(const RunSummary& summary) {
  std::string text;
  for (const compute::DeviceReport& device : summary.compute.devices) {
    const double mib = 1 << 20;
    text += fmt::format(
        "  device {} ({}): {} tiles, busy {:.1f} %, {:.0f} MiB up, {:.0f} MiB down, peak memory {:.0f} MiB, {} of {} allocations "
        "reused{}\n",
        device.id, device.name, device.tiles, 100 * summary.utilisation_of(device), static_cast<double>(device.uploaded) / mib,
        static_cast<double>(device.downloaded) / mib, static_cast<double>(device.memory_peak) / mib, device.reused, device.allocations,
        device.lost.empty() ? "" : "; LOST: " + device.lost);
  }
  const compute::BackendReport& report = summary.compute;
  if (report.batches_halved + report.tiles_in_blocks > 0) {
    text += fmt::format("  for want of device memory {} batches were halved and {} tiles computed in blocks\n", report.batches_halved,
                        report.tiles_in_blocks);
  }
  if (report.tiles_moved > 0) text += fmt::format("  {} tiles moved to another device\n", report.tiles_moved);
  return text;
}

std::string text_of(const TruthSummary& truth) {
  if (truth.source.empty()) return {};
  std::string text =
      fmt::format("  ground truth from {}{}: {} tiles labelled{}; {} fetches, {} failed, memory cache {} of {} hit, disk cache {} of {}",
                  truth.source, truth.edition.empty() ? "" : " (" + truth.edition + ")", truth.labelled,
                  truth.unlabelled > 0 ? fmt::format(", {} without labels", truth.unlabelled) : "", truth.store.fetches,
                  truth.store.failures, truth.store.memory.hits, truth.store.memory.hits + truth.store.memory.misses, truth.store.disk.hits,
                  truth.store.disk.hits + truth.store.disk.misses);
  if (truth.http.requests > 0)
    text += fmt::format("; {} requests, {} retries, {} times told to wait", truth.http.requests, truth.http.retries, truth.http.throttled);
  return text + fmt::format("; writers waited {:.2f} s for it\n", truth.wait_seconds);
}

}  // namespace

std::string to_json(const RunSummary& s) {
  nlohmann::ordered_json failed = nlohmann::ordered_json::array();
  for (const FailedTile& tile : s.failed)
    failed.push_back({{"path", tile.path}, {"kind", to_string(tile.kind)}, {"message", tile.message}});
  const nlohmann::ordered_json json{
      {"version", s.version},
      {"backend", s.backend},
      {"device", s.device},
      {"backend_reason", s.backend_reason},
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
        {"computers", s.computers},
        {"writers", s.writers},
        {"memory_budget", s.memory_budget}}},
      {"tuning", {{"changes", s.tuning.changes}, {"wait_seconds", s.tuning.wait_seconds}, {"compute_seconds", s.tuning.compute_seconds}}},
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
      {"ground_truth", json_of(s.truth)},
      {"imagery", json_of(s.imagery)},
      {"devices", devices_of(s)},
      {"batches_halved", s.compute.batches_halved},
      {"tiles_in_blocks", s.compute.tiles_in_blocks},
      {"tiles_moved", s.compute.tiles_moved},
      {"peak_rss", s.peak_rss},
      {"peak_anonymous", s.peak_anonymous}};
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
      static_cast<double>(s.peak_anonymous) / (1 << 20), static_cast<double>(s.memory_budget) / (1 << 20));
  if (s.workers > 0) {
    text += fmt::format(
        "  {} loads at once, {} tiles ahead, {} computed together{}; a tile took {:.3f} s of waiting for bytes and {:.3f} s of compute\n",
        s.workers, s.ahead, s.batch, s.tuning.changes > 0 ? fmt::format(" (tuned {} times)", s.tuning.changes) : "", s.tuning.wait_seconds,
        s.tuning.compute_seconds);
  }
  text += text_of_devices(s);
  if (!s.backend_reason.empty()) text += fmt::format("  backend auto: {}, for {}\n", s.backend, s.backend_reason);
  text += text_of(s.truth);
  if (!s.imagery.source.empty())
    text += fmt::format("  colours from {}: {} tiles coloured, {} without\n", s.imagery.source, s.imagery.coloured, s.imagery.failed);
  for (const FailedTile& tile : s.failed)
    text += fmt::format("  failed: {} ({})\n", located(tile.message, tile.path), to_string(tile.kind));
  return text;
}

}  // namespace tuile::pipeline
