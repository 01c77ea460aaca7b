// The check and the benchmark of the CUDA backend on one machine with a card: scripts/gpu_check.sh builds and calls it.
// Exit status: 0 all checks passed, 1 one did not or something failed, 2 wrong arguments, 3 no device.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>

#include "backend_runs.hpp"
#include "card.hpp"
#include "conformance.hpp"
#include "report.hpp"
#include "resident.hpp"
#include "sizes.hpp"
#include "tuile/core/version.hpp"

namespace {

using namespace tuile::gpu_check;

#ifdef TUILE_GPU_CHECK_ON_HOST
constexpr bool on_host = true;
#else
constexpr bool on_host = false;
#endif

constexpr const char* usage =
    "gpu_check [--quick] [--out FOLDER] [--commit TEXT] [--probe] [--only-conformance] [--small]\n"
    "          [--sanitizer NAME passed|failed DETAIL]… [--left-out WHAT REASON]… [--row NAME VALUE UNIT TARGET|-]…\n"
    "  --probe              only says what the device is\n"
    "  --only-conformance   no measurement, nothing written\n"
    "  --small              only what a sanitizer gets through in a minute\n"
    "  --sanitizer, --left-out, --row   what the caller found out by other means, for the report\n";

struct Arguments {
  bool only_probe = false, only_conformance = false, small = false;
  std::filesystem::path out = "bench/results";
  std::size_t town_points = on_host ? 600 : 300'000;
  Sizes sizes;
  Report report;
};

Arguments parse(int count, char** values) {
  Arguments arguments;
  if (on_host) arguments.sizes = {.tile_points = 1500, .small_points = 300, .small_tiles = 3, .tiles = 2, .runs = 1, .copy_bytes = 1 << 16};
  int at = 1;
  const auto next = [&]() -> std::string {
    if (at >= count) throw std::invalid_argument(usage);
    return values[at++];
  };
  while (at < count) {
    const std::string option = next();
    if (option == "--quick") {
      arguments.report.quick = true;
      arguments.sizes.runs = std::min(arguments.sizes.runs, 5);
      arguments.sizes.tiles = std::min(arguments.sizes.tiles, 12);
      arguments.town_points = std::min<std::size_t>(arguments.town_points, 50'000);
    } else if (option == "--out") {
      arguments.out = next();
    } else if (option == "--commit") {
      arguments.report.commit = next();
    } else if (option == "--only-conformance") {
      arguments.only_conformance = true;
    } else if (option == "--probe") {
      arguments.only_probe = true;
    } else if (option == "--small") {
      arguments.small = true;
      arguments.town_points = std::min<std::size_t>(arguments.town_points, 3'000);
    } else if (option == "--sanitizer") {
      Check check;
      check.name = next();
      check.passed = next() == "passed";
      check.detail = next();
      arguments.report.sanitizers.push_back(check);
    } else if (option == "--left-out") {
      LeftOut left_out;
      left_out.what = next();
      left_out.reason = next();
      arguments.report.left_out.push_back(left_out);
    } else if (option == "--row") {
      Row row;
      row.name = next();
      row.value = std::stod(next());
      row.unit = next();
      if (const std::string target = next(); target != "-") row.target = std::stod(target);
      arguments.report.rows.push_back(row);
    } else {
      throw std::invalid_argument(usage);
    }
  }
  return arguments;
}

std::string today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm time{};
  gmtime_r(&now, &time);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", &time);
  return text;
}

void say(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

/// Rows of one measurement; where it fails, that is said and fails the whole.
void measure(Report& report, const std::string& what, const std::function<std::vector<Row>()>& rows) {
  say("measuring " + what);
  try {
    for (Row& row : rows()) report.rows.push_back(std::move(row));
  } catch (const std::exception& error) {
    report.conformance.push_back({"measuring " + what, false, error.what()});
  }
}

int run(Arguments arguments) {
  Report& report = arguments.report;
  report.version = tuile::version();
  report.compiled_for = TUILE_CUDA_ARCHITECTURES;
  report.date = today();
  report.card = find_card();
  report.host = describe_host();
  if (on_host) report.card.name = "fake";
  say(report.card.name + ", driver for CUDA " + report.card.driver + ", compiled with " + report.card.runtime + "; " + report.host);
  if (arguments.only_probe) return 0;

  tuile::Executor executor;
  using tuile::conformance::Scale;
  const Scale scale = on_host || arguments.small ? Scale::emulator : Scale::card;
  report.conformance = run_conformance(executor, scale, arguments.town_points, [](const Check& check) {
    say((check.passed ? "ok      " : "FAILED  ") + check.name + (check.passed ? "" : ": " + check.detail));
  });
  if (arguments.only_conformance) return report.passed() ? 0 : 1;

  double copy_bandwidth = 0;
  measure(report, "copies", [&] {
    Bandwidths bandwidths = measure_bandwidths(arguments.sizes.copy_bytes, arguments.sizes.runs);
    copy_bandwidth = bandwidths.copy;
    return bandwidths.rows;
  });
  measure(report, "one tile on the device", [&] { return measure_resident(arguments.sizes, copy_bandwidth); });
  measure(report, "the backend", [&] { return measure_backend(arguments.sizes, executor); });

  const std::filesystem::path file = arguments.out / file_name(report.card);
  write_file(file, json_of(report));
  say("\n" + text_of(report) + "written: " + file.string());
  return report.passed() ? 0 : 1;
}

}  // namespace

int main(int count, char** values) {
  try {
    return run(parse(count, values));
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const NoDevice& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_check: %s\n", error.what());
    return 1;
  }
}
