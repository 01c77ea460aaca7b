#include "machine.hpp"

#include <sys/utsname.h>

#include <cctype>
#include <fstream>
#include <sstream>

#include "tuile/compute/backend.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::bench {

std::string processor_model(const std::string& cpuinfo) {
  std::istringstream lines(cpuinfo);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(':');
    const std::size_t begin = colon == line.npos ? colon : line.find_first_not_of(" \t", colon + 1);
    if (begin != line.npos) return line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
  }
  return "unknown";
}

Machine this_machine() {
  Machine machine;
  std::ifstream file("/proc/cpuinfo");
  std::stringstream text;
  text << file.rdbuf();
  machine.processor = processor_model(text.str());
  machine.cores = available_processors();
  machine.memory = available_memory();
  utsname name{};
  if (::uname(&name) == 0) machine.kernel = std::string(name.sysname) + " " + name.release;
  Executor executor;
  machine.simd = compute::make_backend("cpu", executor)->description();
  return machine;
}

std::string slug(const Machine& machine) {
  std::string text;
  for (const char c : machine.processor + " " + std::to_string(machine.cores) + " cores") {
    const auto letter = static_cast<unsigned char>(c);
    if (letter < 128 && std::isalnum(letter) != 0) {
      text += static_cast<char>(std::tolower(letter));
    } else if (!text.empty() && text.back() != '-') {
      text += '-';
    }
  }
  return text;
}

}  // namespace tuile::bench
