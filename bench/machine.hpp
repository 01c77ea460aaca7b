#pragma once

#include <cstdint>
#include <string>

namespace tuile::bench {

/// What figures depend on. Nothing that names the machine's owner or network.
struct Machine {
  std::string processor;     ///< model, "unknown" where the system does not say
  int cores = 0;             ///< that this process may use
  std::uint64_t memory = 0;  ///< bytes that this process may use
  std::string kernel;        ///< e.g. "Linux 6.1.0"
  std::string simd;          ///< as the backend describes itself, e.g. "cpu, AVX-512, 2 threads"
};
Machine this_machine();

/// The processor's model from the text of /proc/cpuinfo; "unknown" where it is not there.
std::string processor_model(const std::string& cpuinfo);

/// A machine in a file name: lower case letters, digits and dashes, e.g. "amd-epyc-7763-2-cores".
std::string slug(const Machine& machine);

}  // namespace tuile::bench
