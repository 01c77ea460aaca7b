#include "report.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <stdexcept>

namespace tuile::gpu_check {

namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) {
      result += c;
    } else {
      result += ' ';
    }
  }
  return result + '"';
}

/// Six significant digits: more would be noise.
std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string flag(bool value) { return value ? "true" : "false"; }

template <class T>
std::string list(const std::vector<T>& items, const std::function<std::string(const T&)>& json) {
  std::string result = "[";
  for (const T& item : items) result += (result.size() > 1 ? ",\n    " : "\n    ") + json(item);
  return result + (items.empty() ? "]" : "\n  ]");
}

std::string json_of(const Row& row) {
  return "{\"name\": " + quoted(row.name) + ", \"value\": " + number(row.value) + ", \"unit\": " + quoted(row.unit) +
         ", \"target\": " + (row.target ? number(*row.target) : "null") +
         ", \"better\": " + (row.higher_is_better ? "\"higher\"" : "\"lower\"") + ", \"met\": " + (row.target ? flag(row.met()) : "null") +
         ", \"runs\": " + std::to_string(row.runs) + "}";
}

std::string json_of(const Check& check) {
  return "{\"name\": " + quoted(check.name) + ", \"passed\": " + flag(check.passed) + ", \"detail\": " + quoted(check.detail) + "}";
}

std::string json_of(const LeftOut& left_out) {
  return "{\"what\": " + quoted(left_out.what) + ", \"reason\": " + quoted(left_out.reason) + "}";
}

std::size_t failures(const std::vector<Check>& checks) {
  return static_cast<std::size_t>(std::count_if(checks.begin(), checks.end(), [](const Check& check) { return !check.passed; }));
}

std::string summary_of(const char* what, const std::vector<Check>& checks) {
  if (checks.empty()) return "";
  std::string text =
      std::string(what) + ": " + std::to_string(checks.size() - failures(checks)) + " of " + std::to_string(checks.size()) + " passed\n";
  for (const Check& check : checks) {
    if (!check.passed) text += "  FAILED " + check.name + ": " + check.detail + "\n";
  }
  return text;
}

}  // namespace

bool Report::passed() const noexcept { return failures(conformance) == 0 && failures(sanitizers) == 0; }

std::string json_of(const Report& report) {
  const Card& card = report.card;
  return "{\n  \"tuile\": " + quoted(report.version) + ",\n  \"commit\": " + quoted(report.commit) +
         ",\n  \"date\": " + quoted(report.date) + ",\n  \"device\": " + quoted(card.name) +
         ",\n  \"architecture\": " + quoted(card.architecture) + ",\n  \"compiled_for\": " + quoted(report.compiled_for) +
         ",\n  \"multiprocessors\": " + std::to_string(card.multiprocessors) + ",\n  \"memory\": " + number(card.memory) +
         ",\n  \"driver\": " + quoted(card.driver) + ",\n  \"cuda\": " + quoted(card.runtime) + ",\n  \"host\": " + quoted(report.host) +
         ",\n  \"quick\": " + flag(report.quick) +
         ",\n  \"conformance\": " + list<Check>(report.conformance, [](const Check& c) { return json_of(c); }) +
         ",\n  \"sanitizers\": " + list<Check>(report.sanitizers, [](const Check& c) { return json_of(c); }) +
         ",\n  \"rows\": " + list<Row>(report.rows, [](const Row& r) { return json_of(r); }) +
         ",\n  \"left_out\": " + list<LeftOut>(report.left_out, [](const LeftOut& l) { return json_of(l); }) + "\n}\n";
}

std::string text_of(const Report& report) {
  std::string text = report.card.name + ", " + report.host + ", " + report.commit + "\n";
  text += summary_of("conformance", report.conformance) + summary_of("compute-sanitizer", report.sanitizers);
  char line[160];
  for (const Row& row : report.rows) {
    std::snprintf(line, sizeof line, "%-44s %12.6g %-12s", row.name.c_str(), row.value, row.unit.c_str());
    text += line;
    if (row.target) {
      std::snprintf(line, sizeof line, " target %s %g: %s", row.higher_is_better ? ">=" : "<=", *row.target, row.met() ? "met" : "MISSED");
      text += line;
    }
    text += "\n";
  }
  for (const LeftOut& left_out : report.left_out) text += "left out: " + left_out.what + ": " + left_out.reason + "\n";
  return text;
}

std::string file_name(const Card& card) {
  std::string slug = "gpu";
  for (const char c : "-" + card.name) {
    const auto letter = static_cast<unsigned char>(c);
    if (letter < 128 && std::isalnum(letter) != 0) {
      slug += static_cast<char>(std::tolower(letter));
    } else if (slug.back() != '-') {
      slug += '-';
    }
  }
  while (slug.back() == '-') slug.pop_back();
  return slug + ".json";
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  std::filesystem::path unfinished = path;
  unfinished += ".part";
  std::ofstream(unfinished, std::ios::binary) << text;
  if (std::filesystem::file_size(unfinished) != text.size()) throw std::runtime_error("cannot write " + unfinished.string());
  std::filesystem::rename(unfinished, path);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace tuile::gpu_check
