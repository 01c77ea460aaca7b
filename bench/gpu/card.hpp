#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "report.hpp"

namespace tuile::gpu_check {

struct NoDevice : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The default device. Throws NoDevice with the reason.
Card find_card();

/// Processor and cores of this machine.
std::string describe_host();

struct Bandwidths {
  double copy = 0;  ///< bytes per second that the device's memory takes while it is copied: read and written
  std::vector<Row> rows;
};

/// Copies within the device and to and from page-locked memory, by the device's clock. bytes: of one copy
Bandwidths measure_bandwidths(std::size_t bytes, int runs);

}  // namespace tuile::gpu_check
