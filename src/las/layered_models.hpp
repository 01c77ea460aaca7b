#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "las/layer_reader.hpp"
#include "las/layered_points.hpp"

// What the decoder of layered chunks has counted and last seen, per scanner channel. Source: LAZ specification 1.4 R1.

namespace tuile::las {

/// The median of the last five numbers or so: a new one drives out the largest and the smallest in turn.
class RunningMedian {
 public:
  std::int32_t get() const noexcept { return sorted_[2]; }
  void add(std::int32_t value) noexcept {
    const auto [a, b, c, d, e] = sorted_;
    if (drops_largest_) {
      sorted_ = {std::min(a, value), std::max(a, std::min(b, value)), std::max(b, std::min(c, value)), std::max(c, std::min(d, value)),
                 std::max(d, value)};
      drops_largest_ = value < c;
    } else {
      sorted_ = {std::min(b, value), std::min(c, std::max(b, value)), std::min(d, std::max(c, value)), std::min(e, std::max(d, value)),
                 std::max(e, value)};
      drops_largest_ = !(c < value);
    }
  }

 private:
  std::array<std::int32_t, 5> sorted_{};
  bool drops_largest_ = true;
};

/// Which of six medians the steps of a point of `n` returns, the r-th, go into.
inline std::uint8_t return_context(std::uint32_t n, std::uint32_t r) {
  static constexpr std::uint8_t contexts[16][16] = {
      {0, 1, 2, 3, 4, 5, 3, 4, 4, 5, 5, 5, 5, 5, 5, 5}, {1, 0, 1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3},
      {2, 1, 2, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3}, {3, 3, 4, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4},
      {4, 3, 4, 4, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4}, {5, 3, 4, 4, 4, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4},
      {3, 3, 4, 4, 4, 4, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4}, {4, 3, 4, 4, 4, 4, 4, 5, 4, 4, 4, 4, 4, 4, 4, 4},
      {4, 3, 4, 4, 4, 4, 4, 4, 5, 4, 4, 4, 4, 4, 4, 4}, {5, 3, 4, 4, 4, 4, 4, 4, 4, 5, 4, 4, 4, 4, 4, 4},
      {5, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 4, 4, 4, 4, 4}, {5, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 4, 4, 4},
      {5, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 4, 4}, {5, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 4},
      {5, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5}, {5, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5}};
  return contexts[n][r];
}

/// GPS times: up to four interleaved sequences, each predicted by a multiple of its last step.
class TimeDecoder {
 public:
  TimeDecoder() {
    multiple_.set_symbols(515);
    after_zero_.set_symbols(5);
  }
  void list(std::vector<FastModel*>& models) {
    models.push_back(&multiple_);
    models.push_back(&after_zero_);
    integers_.list(models);
  }
  void begin(std::uint64_t time) {
    integers_.reset();
    times_ = {time};
    steps_ = {};
    extremes_ = {};
    now_ = newest_ = 0;
  }
  std::uint64_t next(LayerReader& in);

 private:
  void restart(LayerReader& in);
  std::uint32_t scaled_step(std::uint32_t factor) const { return factor * static_cast<std::uint32_t>(steps_[now_]); }
  FastModel multiple_, after_zero_;
  FastIntegers integers_{32, 9};
  std::array<std::uint64_t, 4> times_{};
  std::array<std::int32_t, 4> steps_{};
  std::array<int, 4> extremes_{};  ///< how often in a row a step was no small multiple of the last
  std::size_t now_ = 0, newest_ = 0;
};

struct LayeredPoints::Channel {
  Channel() {
    const auto sized = [this](std::span<FastModel> group, std::uint32_t symbols) {
      for (FastModel& model : group) {
        model.set_symbols(symbols);
        models.push_back(&model);
      }
    };
    sized(changes, 128);
    sized({&channel_step, 1}, 3);
    sized(numbers_of_returns, 16);
    sized(return_numbers, 16);
    sized({&return_step, 1}, 13);
    sized(classes, 256);
    sized(flags, 64);
    sized(user_data, 256);
    for (FastIntegers* integers : all_integers()) integers->list(models);
    time.list(models);
    memory.place(models);
  }
  std::array<FastIntegers*, 6> all_integers() { return {&dx, &dy, &dz, &intensity, &scan_angle, &source}; }
  void begin(const LayeredPoint& point) {
    for (FastModel* model : models) model->reset();
    for (FastIntegers* integers : all_integers()) integers->reset();
    median_x = {};
    median_y = {};
    last_z.fill(point.z);
    last_intensity.fill(point.intensity);
    time.begin(point.time);
    last = point;
    time_changed = false;
    used = true;
  }

  bool used = false;
  std::vector<FastModel*> models;
  ModelMemory memory;
  std::array<FastModel, 8> changes;
  FastModel channel_step, return_step;
  std::array<FastModel, 16> numbers_of_returns, return_numbers;
  std::array<FastModel, 64> classes, flags, user_data;
  FastIntegers dx{32, 2}, dy{32, 22}, dz{32, 20}, intensity{16, 4}, scan_angle{16, 2}, source{16, 1};
  TimeDecoder time;
  std::array<RunningMedian, 12> median_x, median_y;
  std::array<std::int32_t, 8> last_z{};
  std::array<std::uint16_t, 8> last_intensity{};
  LayeredPoint last;
  bool time_changed = false;
};

struct LayeredPoints::Colours {
  Colours() {
    changes.set_symbols(128);
    nir_changes.set_symbols(4);
    models = {&changes, &nir_changes};
    for (FastModel* model : {&rgb[0], &rgb[1], &rgb[2], &rgb[3], &rgb[4], &rgb[5], &nir[0], &nir[1]}) {
      model->set_symbols(256);
      models.push_back(model);
    }
    memory.place(models);
  }
  void begin(const std::array<std::uint16_t, 4>& colour) {
    for (FastModel* model : models) model->reset();
    last = colour;
    used = true;
  }
  bool used = false;
  std::vector<FastModel*> models;
  ModelMemory memory;
  FastModel changes, nir_changes;
  std::array<FastModel, 6> rgb;
  std::array<FastModel, 2> nir;
  std::array<std::uint16_t, 4> last{};
};

struct LayeredPoints::Extra {
  explicit Extra(std::size_t bytes) : steps(bytes) {
    std::vector<FastModel*> models;
    for (FastModel& model : steps) {
      model.set_symbols(256);
      models.push_back(&model);
    }
    memory.place(models);
  }
  void begin(const std::vector<std::byte>& values) {
    for (FastModel& model : steps) model.reset();
    last = values;
    used = true;
  }
  bool used = false;
  ModelMemory memory;
  std::vector<FastModel> steps;
  std::vector<std::byte> last;
};

}  // namespace tuile::las
