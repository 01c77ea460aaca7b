#include "write/statistics.hpp"

#include <algorithm>
#include <cmath>

#include "tuile/core/buffer.hpp"

namespace tuile::write {

namespace {

constexpr std::size_t chunk_rows = 65536;

/// Running figures of one column over one chunk of rows.
struct Partial {
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();
  double sum = 0;
  std::uint64_t nan = 0;

  void add(float value) noexcept {
    const bool missing = std::isnan(value);
    nan += missing ? 1 : 0;
    sum += missing ? 0.0 : static_cast<double>(value);
    min = value < min ? value : min;
    max = value > max ? value : max;
  }
  void add(const Partial& other) noexcept {
    min = std::min(min, other.min);
    max = std::max(max, other.max);
    sum += other.sum;
    nan += other.nan;
  }
};

}  // namespace

std::vector<FeatureStatistics> compute_statistics(const FeatureBlock& block, Executor& executor) {
  const std::size_t columns = block.columns();
  const std::size_t chunks = (block.points + chunk_rows - 1) / chunk_rows;
  std::vector<Partial> partials(chunks * columns);
  executor.for_each(chunks, [&](std::size_t chunk) {
    std::vector<Partial> local(columns);
    const std::size_t end = std::min(block.points, (chunk + 1) * chunk_rows);
    for (std::size_t row = chunk * chunk_rows; row < end; ++row) {
      const float* values = block.values.data() + row * columns;
      for (std::size_t column = 0; column < columns; ++column) local[column].add(values[column]);
    }
    std::copy(local.begin(), local.end(), partials.begin() + static_cast<std::ptrdiff_t>(chunk * columns));
  });

  std::vector<FeatureStatistics> statistics(columns);
  for (std::size_t column = 0; column < columns; ++column) {
    Partial total;
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) total.add(partials[chunk * columns + column]);
    FeatureStatistics& entry = statistics[column];
    entry.name = block.names[column];
    entry.nan = total.nan;
    if (total.nan == block.points) continue;
    entry.min = total.min;
    entry.mean = total.sum / static_cast<double>(block.points - total.nan);
    entry.max = total.max;
  }
  return statistics;
}

}  // namespace tuile::write
