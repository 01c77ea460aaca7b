#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

#include "tuile/core/executor.hpp"

namespace tuile {

namespace {

/// First word of a cgroup file, or "" where there is none.
std::string first_word(const char* path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

double cgroup_processors() {
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (v2 >> quota >> period && quota != "max" && period > 0) return std::stod(quota) / period;
  const std::string quota1 = first_word("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const std::string period1 = first_word("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (!quota1.empty() && !period1.empty() && std::stod(quota1) > 0 && std::stod(period1) > 0) return std::stod(quota1) / std::stod(period1);
  return std::numeric_limits<double>::infinity();
}

}  // namespace

int available_processors() {
  int count = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) count = std::max(1, CPU_COUNT(&set));
  const double quota = cgroup_processors();
  if (std::isfinite(quota)) count = std::min(count, std::max(1, static_cast<int>(std::ceil(quota))));
  return count;
}

std::size_t available_memory() {
  std::size_t bytes = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGE_SIZE));
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const std::string word = first_word(path);
    if (word.empty() || word.find_first_not_of("0123456789") != std::string::npos) continue;
    bytes = std::min(bytes, static_cast<std::size_t>(std::stoull(word)));
  }
  return bytes;
}

}  // namespace tuile
