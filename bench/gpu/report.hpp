#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tuile::gpu_check {

/// One figure. Without a target it is for information.
struct Row {
  std::string name;
  double value = 0;
  std::string unit;
  std::optional<double> target = {};
  bool higher_is_better = true;
  int runs = 1;

  bool met() const noexcept { return !target || (higher_is_better ? value >= *target : value <= *target); }
};

/// What was to be measured or checked and was not.
struct LeftOut {
  std::string what, reason;
};

/// A check that passes or not: a conformance case, a sanitizer.
struct Check {
  std::string name;
  bool passed = false;
  std::string detail;  ///< where it did not pass
};

/// What the card is and who talks to it.
struct Card {
  std::string name = "none";
  std::string architecture;  ///< "9.0"
  int multiprocessors = 0;
  double memory = 0;    ///< bytes
  std::string driver;   ///< the CUDA version that it speaks, "13.0"
  std::string runtime;  ///< the one compiled against
};

struct Report {
  std::string version, commit, date;
  std::string compiled_for;  ///< CMAKE_CUDA_ARCHITECTURES of the build
  Card card;
  std::string host;  ///< processor, cores
  bool quick = false;
  std::vector<Check> conformance, sanitizers;
  std::vector<Row> rows;
  std::vector<LeftOut> left_out;

  bool passed() const noexcept;
};

std::string json_of(const Report& report);
/// A short table.
std::string text_of(const Report& report);
/// "gpu-nvidia-h100-80gb-hbm3.json"
std::string file_name(const Card& card);
/// Replaces the file as a whole. Throws std::runtime_error.
void write_file(const std::filesystem::path& path, const std::string& text);

double median(std::vector<double> values);

}  // namespace tuile::gpu_check
