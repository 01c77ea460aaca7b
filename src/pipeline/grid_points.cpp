#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>

#include "tuile/core/error.hpp"
#include "tuile/pipeline/feature_computer.hpp"

namespace tuile::pipeline {

namespace {

constexpr std::size_t rows_per_task = 1U << 15;
constexpr std::array<double, 3> usual_scales{0.01, 0.001, 0.0001};              // metres, what files have
constexpr double tolerance = 1e-3;                                              // units
constexpr double widest_side = 16777216;                                        // units: 2^24, what float32 holds
constexpr double most_units = 4503599627370496;                                 // 2^52: doubles count so far, and round by adding
constexpr double farthest = 1e12;                                               // metres
constexpr double finest_scale = 1e-12, coarsest_scale = 1e6;                    // metres
constexpr int finest_power = -12, coarsest_power = 6, finest_usual_power = -4;  // their powers of ten
constexpr std::int64_t origin_step = 1000;                                      // units, as of files

std::string text(double value) {
  std::array<char, 40> digits{};
  std::snprintf(digits.data(), digits.size(), "%.12g", value);
  return digits.data();
}

/// The double nearest to it, as a literal gives it; std::pow does not promise that.
double power_of_ten(int power) { return std::strtod(("1e" + std::to_string(power)).c_str(), nullptr); }

/// To the nearest integer, ties to even, for |value| below 2^51; unlike std::nearbyint it needs no call, so loops over it are vectorised.
double nearest_integer(double value) noexcept {
  constexpr double magic = 6755399441055744;  // 1.5 · 2^52
  return value + magic - magic;
}

template <class T>
T load(const std::byte* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof(T));  // elements of a strided array need not be aligned
  return value;
}

/// Whether a coordinate lies on a grid: to a thousandth of a unit, or as near as its type can say.
template <class T>
bool on_grid(double metres, double scale) noexcept {
  const double units = metres * (1 / scale), rounded = nearest_integer(units);
  if (std::abs(units - rounded) <= tolerance) return true;
  if constexpr (std::is_same_v<T, float>) return static_cast<float>(rounded * scale) == static_cast<float>(metres);
  return false;
}

/// Extent of the rows, on which grid they lie, and whether they are numbers.
struct Survey {
  std::array<double, 3> min, max;
  std::size_t bad_row = std::numeric_limits<std::size_t>::max();
  Survey() noexcept {
    min.fill(std::numeric_limits<double>::infinity());
    max.fill(-std::numeric_limits<double>::infinity());
  }
  void extend(std::size_t axis, double value) noexcept {
    min[axis] = value < min[axis] ? value : min[axis];
    max[axis] = value > max[axis] ? value : max[axis];
  }
  void add(const Survey& other) noexcept {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      min[axis] = std::min(min[axis], other.min[axis]);
      max[axis] = std::max(max[axis], other.max[axis]);
    }
    bad_row = std::min(bad_row, other.bad_row);
  }
  double longest_side() const noexcept { return std::max({max[0] - min[0], max[1] - min[1], max[2] - min[2]}); }
  double farthest_coordinate() const noexcept {
    double value = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) value = std::max({value, std::abs(min[axis]), std::abs(max[axis])});
    return value;
  }
};

/// The array as one type of number.
template <class T>
class Gridding {
 public:
  Gridding(const CoordinateArray& array, Executor& executor, const std::stop_token& stop, const std::shared_ptr<HostMemory>& memory)
      : array_(array), data_(static_cast<const std::byte*>(array.data)), executor_(executor), stop_(stop), memory_(memory) {}

  PointBlock run(double asked_scale) {
    PointBlock block;
    const bool choose = asked_scale == 0;
    bool exact = choose;  // as far as is known: every coordinate lies on the first of the usual grids
    const Survey all = survey(exact);
    if (array_.rows == 0) {
      block.grid.scale = choose ? usual_scales.front() : asked_scale;
      return block;
    }
    refuse(all);
    block.grid.scale = choose ? choose_scale(all, exact) : asked_scale;
    for (std::size_t axis = 0; axis < 3; ++axis) block.grid.origin[axis] = origin(all, axis, block.grid.scale);
    block.units = Buffer<GridPoint>(array_.rows, memory_);
    block.classification = Buffer<std::uint8_t>(array_.rows, memory_);
    block.rounded = convert(block, exact);
    return block;
  }

 private:
  template <class Body>
  void for_rows(Body&& body) {
    executor_.for_each((array_.rows + rows_per_task - 1) / rows_per_task, [&](std::size_t task) {
      if (stop_.stop_requested()) throw Cancelled("stopped before the points were on their grid");
      const std::size_t first = task * rows_per_task;
      body(task, first, std::min(first + rows_per_task, array_.rows));
    });
  }

  const std::byte* row(std::size_t i) const noexcept { return data_ + static_cast<std::ptrdiff_t>(i) * array_.row_stride; }
  double coordinate(const std::byte* row, std::size_t axis) const noexcept {
    return static_cast<double>(load<T>(row + static_cast<std::ptrdiff_t>(axis) * array_.axis_stride));
  }

  /// One pass. on_first_grid  in: whether to look; out: whether all do
  Survey survey(bool& on_first_grid) {
    std::vector<Survey> parts((array_.rows + rows_per_task - 1) / rows_per_task);
    std::atomic<bool> on_grid_so_far{on_first_grid};
    for_rows([&](std::size_t task, std::size_t first, std::size_t end) {
      Survey part;
      bool look = on_grid_so_far;
      std::size_t i = first;
      // What lies on a grid is a number, so as long as all do, nothing else need be asked.
      for (; i < end && look; ++i) {
        const std::byte* const at = row(i);
        for (std::size_t axis = 0; axis < 3; ++axis) {
          const double value = coordinate(at, axis);
          part.extend(axis, value);
          look = look & on_grid<T>(value, usual_scales.front());
        }
      }
      if (!look) {
        on_grid_so_far = false;
        bool finite = true;
        for (i = first; i < end; ++i) {
          const std::byte* const at = row(i);
          for (std::size_t axis = 0; axis < 3; ++axis) {
            const double value = coordinate(at, axis);
            part.extend(axis, value);
            finite = finite & (std::abs(value) <= std::numeric_limits<double>::max());
          }
        }
        if (!finite) part.bad_row = first_bad_row(first, end);
      }
      parts[task] = part;
    });
    on_first_grid = on_grid_so_far;
    Survey all;
    for (const Survey& part : parts) all.add(part);
    return all;
  }

  std::size_t first_bad_row(std::size_t first, std::size_t end) const noexcept {
    for (std::size_t i = first; i < end; ++i) {
      for (std::size_t axis = 0; axis < 3; ++axis) {
        if (!std::isfinite(coordinate(row(i), axis))) return i;
      }
    }
    return end;
  }

  bool all_on(double scale) {
    std::atomic<bool> good{true};
    for_rows([&](std::size_t, std::size_t first, std::size_t end) {
      for (std::size_t i = first; i < end && good; ++i) {
        const std::byte* const at = row(i);
        for (std::size_t axis = 0; axis < 3; ++axis) {
          if (!on_grid<T>(coordinate(at, axis), scale)) good = false;
        }
      }
    });
    return good;
  }

  void refuse(const Survey& all) const {
    if (all.bad_row < array_.rows) {
      const std::byte* const at = row(all.bad_row);
      throw InvalidArgument("row " + std::to_string(all.bad_row) + " of the points is (" + text(coordinate(at, 0)) + ", " +
                            text(coordinate(at, 1)) + ", " + text(coordinate(at, 2)) +
                            "); finite coordinates in metres are expected, leave such rows out");
    }
    if (all.farthest_coordinate() > farthest) {
      throw Unsupported("the points reach " + text(all.farthest_coordinate()) + " m from coordinate 0; at most " + text(farthest) +
                        " m are handled, are these metres?");
    }
  }

  static bool fits(const Survey& all, double scale) noexcept {
    return all.longest_side() / scale + static_cast<double>(origin_step) < std::numeric_limits<std::int32_t>::max() &&
           all.farthest_coordinate() / scale < most_units / 2;
  }

  /// exact  in: whether all lie on the first of the usual grids; out: whether they do on the scale returned
  double choose_scale(const Survey& all, bool& exact) {
    for (std::size_t i = 0; i < usual_scales.size(); ++i) {
      if (fits(all, usual_scales[i]) && (i == 0 ? exact : all_on(usual_scales[i]))) {
        exact = true;
        return usual_scales[i];
      }
    }
    exact = false;
    const double side = all.longest_side();
    int power = side > 0 ? static_cast<int>(std::ceil(std::log10(side / widest_side))) : finest_usual_power;
    power = std::clamp(power, finest_power, coarsest_power);
    while (!fits(all, power_of_ten(power))) ++power;
    return power_of_ten(power);
  }

  static std::int64_t origin(const Survey& all, std::size_t axis, double scale) {
    if (!fits(all, scale)) {
      throw Unsupported("points that reach " + text(all.longest_side()) + " m along an axis, up to " + text(all.farthest_coordinate()) +
                        " m from coordinate 0, do not fit a grid of " + text(scale) +
                        " m (2^31 units, 2^51 from coordinate 0); give a coarser scale, or none");
    }
    const auto least = static_cast<std::int64_t>(nearest_integer(all.min[axis] * (1 / scale)));
    const std::int64_t above = ((least % origin_step) + origin_step) % origin_step;
    return least - above;
  }

  /// One pass. Returns whether something was rounded; looks only where that is not known to be exact.
  bool convert(PointBlock& block, bool exact) {
    const double scale = block.grid.scale, per_metre = 1 / scale;
    const std::array<double, 3> from{static_cast<double>(block.grid.origin[0]), static_cast<double>(block.grid.origin[1]),
                                     static_cast<double>(block.grid.origin[2])};
    std::atomic<bool> rounded{false};
    for_rows([&](std::size_t, std::size_t first, std::size_t end) {
      constexpr std::uint8_t unclassified = 1;
      std::memset(block.classification.data() + first, unclassified, end - first);
      for (std::size_t i = first; i < end; ++i) {
        const std::byte* const at = row(i);
        const auto unit = [&](std::size_t axis) {
          return static_cast<std::int32_t>(nearest_integer(coordinate(at, axis) * per_metre) - from[axis]);
        };
        block.units[i] = {unit(0), unit(1), unit(2)};
      }
      if (exact || rounded) return;
      bool all = true;
      for (std::size_t i = first; i < end; ++i) {
        for (std::size_t axis = 0; axis < 3; ++axis) all = all && on_grid<T>(coordinate(row(i), axis), scale);
      }
      if (!all) rounded = true;
    });
    return rounded;
  }

  const CoordinateArray& array_;
  const std::byte* const data_;
  Executor& executor_;
  const std::stop_token& stop_;
  const std::shared_ptr<HostMemory>& memory_;
};

}  // namespace

PointBlock grid_points(const CoordinateArray& coordinates, double scale, Executor& executor, std::stop_token stop,
                       const std::shared_ptr<HostMemory>& memory) {
  if (coordinates.rows > std::numeric_limits<std::uint32_t>::max()) {
    throw InvalidArgument("an array of " + std::to_string(coordinates.rows) +
                          " points; at most 2^32 - 1 are handled at once, compute it in tiles");
  }
  if (!(scale == 0 || (scale >= finest_scale && scale <= coarsest_scale))) {
    throw InvalidArgument("the scale is " + text(scale) + "; metres per unit, between " + text(finest_scale) + " and " +
                          text(coarsest_scale) + ", are expected, or none");
  }
  switch (coordinates.type) {
    case CoordinateArray::Type::float32: return Gridding<float>(coordinates, executor, stop, memory).run(scale);
    case CoordinateArray::Type::float64: return Gridding<double>(coordinates, executor, stop, memory).run(scale);
    case CoordinateArray::Type::int32: return Gridding<std::int32_t>(coordinates, executor, stop, memory).run(scale);
    case CoordinateArray::Type::int64: break;
  }
  return Gridding<std::int64_t>(coordinates, executor, stop, memory).run(scale);
}

}  // namespace tuile::pipeline
