#include "pipeline/resources.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stop_token>
#include <string>

#include "tuile/core/file/atomic_file.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::pipeline {

namespace {

double process_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

ResourceUsage::ResourceUsage() : start_(std::chrono::steady_clock::now()), cpu_at_start_(process_cpu_seconds()) {}
double ResourceUsage::wall_seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
double ResourceUsage::cpu_seconds() const { return process_cpu_seconds() - cpu_at_start_; }

std::uint64_t peak_resident_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::uint64_t anonymous_bytes() {
  // Pages: size, resident, and those of them that belong to files or are shared.
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0, of_files = 0;
  if (!(statm >> size >> resident >> of_files) || resident < of_files) return 0;
  return (resident - of_files) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

AnonymousPeak::AnonymousPeak()
    : peak_(anonymous_bytes()), thread_([this](const std::stop_token& stop) {
        Mutex mutex;
        StoppableCondition tick;  // nothing but the stop wakes it before its time
        MutexLock lock(mutex);
        while (!tick.wait_for(lock, stop, std::chrono::milliseconds(20), [] { return false; }) && !stop.stop_requested())
          peak_ = std::max<std::uint64_t>(peak_, anonymous_bytes());
      }) {}

void save_run_report(const RunSummary& summary, const std::string& folder) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y%m%dT%H%M%SZ", &utc);
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  std::string name = "run-";
  name.append(stamp.data()).append("-").append(host.data()).append("-").append(std::to_string(::getpid())).append(".json");
  write_text_atomically(std::filesystem::path(folder) / name, to_json(summary) + "\n");
}

}  // namespace tuile::pipeline
