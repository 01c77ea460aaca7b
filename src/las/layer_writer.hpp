#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "las/layer_reader.hpp"

namespace tuile::las {

/// The counterpart of LayerReader: writes one layer. RangeEncoder of range_encoder.hpp over FastModels, into memory made ready before.
class LayerWriter {
 public:
  /// symbols  at most so many will be written
  explicit LayerWriter(std::size_t symbols)
      : memory_(std::make_unique_for_overwrite<std::byte[]>(most_bytes * symbols + slack)), at_(memory_.get()) {}

  /// Begins anew: what was written before is gone.
  void restart() noexcept {
    at_ = memory_.get();
    low_ = 0;
    length_ = 0xFFFFFFFFU;
  }

  void symbol(FastModel& model, std::uint32_t value) {
    if (model.until_update_ == 0) [[unlikely]]
      model.start();
    const std::uint32_t whole = length_, step = whole >> range_coding::symbol_precision;
    const std::uint32_t low = model.bounds_[value] * step;
    const std::uint32_t next = model.bounds_[value + 1] * step;
    length_ = (value + 1 < model.symbols_ ? next : whole) - low;
    low_ += low;
    if (low_ < low) [[unlikely]]
      carry();
    // As many bytes as the interval determines; four are stored whatever is needed, the next symbol overwrites the rest.
    const auto shift = static_cast<std::uint32_t>(std::countl_zero(length_)) & 24U;
    store_low();
    at_ += shift / 8;
    low_ <<= shift;
    length_ <<= shift;
    ++model.counts()[value];
    if (--model.until_update_ == 0) [[unlikely]]
      model.rescale();
  }

  /// The layer, valid until the next call.
  std::span<const std::byte> finish() noexcept {
    // The lower end of the interval is a number inside it, and the decoder looks at four bytes at a time.
    store_low();
    at_ += 4;
    return {memory_.get(), at_};
  }

 private:
  static constexpr std::size_t most_bytes = 2;  ///< of a symbol: no probability is below 2^-15
  static constexpr std::size_t slack = 8;
  void store_low() noexcept {
    for (std::uint32_t i = 0; i < 4; ++i) at_[i] = static_cast<std::byte>(low_ >> (24U - 8U * i));
  }
  /// The sum went over 32 bits: one is added to the number that the bytes written so far make up.
  void carry() noexcept {
    for (std::byte* byte = at_; byte != memory_.get();) {
      --byte;
      *byte = static_cast<std::byte>(std::to_integer<std::uint32_t>(*byte) + 1);
      if (*byte != std::byte{0}) break;
    }
  }

  std::unique_ptr<std::byte[]> memory_;
  std::byte* at_;
  std::uint32_t low_ = 0, length_ = 0xFFFFFFFFU;
};

}  // namespace tuile::las
