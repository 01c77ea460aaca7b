#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "las/range_decoder.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tuile::las {

/// The probabilities of range_decoder.hpp's SymbolModel, laid out for speed: sixteen bits a symbol, a table of first guesses, eight lower
/// bounds compared at a time. Made ready by its first symbol, since most models of a chunk are never used.
class FastModel {
 public:
  void set_symbols(std::uint32_t symbols);
  /// How many numbers of memory it needs, and where they are.
  std::size_t room() const noexcept { return bounds_size() + symbols_ + (std::size_t{1} << table_bits_); }
  void place(std::uint16_t* memory) noexcept { bounds_ = memory; }
  /// Forgets what was counted.
  void reset() noexcept { until_update_ = 0; }

 private:
  friend class LayerReader;
  friend class LayerWriter;
  static constexpr std::uint32_t lanes = 8;
  std::size_t bounds_size() const noexcept { return symbols_ + lanes; }
  std::uint16_t* counts() const noexcept { return bounds_ + bounds_size(); }
  std::uint16_t* table() const noexcept { return counts() + symbols_; }
  void start();
  void rescale();

  /// The last symbol whose lower bound is not above `at`, which lies below 2^15.
  std::uint32_t find(std::uint32_t at) const noexcept {
    std::uint32_t symbol = table()[at >> (range_coding::symbol_precision - table_bits_)];
    for (;;) {
      const std::uint32_t above = count_not_above(bounds_ + symbol + 1, at);
      symbol += above;
      if (above < lanes) return symbol;
    }
  }
  /// How many of eight increasing bounds are not above `at`; the bounds end with 65535.
  static std::uint32_t count_not_above(const std::uint16_t* bounds, std::uint32_t at) noexcept {
#if defined(__SSE2__)
    const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bounds));
    const __m128i beyond = _mm_subs_epu16(values, _mm_set1_epi16(static_cast<short>(at)));
    const int mask = _mm_movemask_epi8(_mm_cmpeq_epi16(beyond, _mm_setzero_si128()));
    return static_cast<std::uint32_t>(std::countr_one(static_cast<std::uint32_t>(mask))) / 2;
#else
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < lanes; ++i) count += bounds[i] <= at ? 1 : 0;
    return count;
#endif
  }

  std::uint16_t* bounds_ = nullptr;  ///< lower bounds of 15 bits, then eight of 65535; the counts and the table behind them
  std::uint32_t symbols_ = 0, table_bits_ = 0;
  std::uint32_t total_ = 0, cycle_ = 0, until_update_ = 0;
};

/// The memory of many models in one piece.
class ModelMemory {
 public:
  /// Models stay where they are from here on.
  void place(std::span<FastModel* const> models);

 private:
  std::unique_ptr<std::uint16_t[]> memory_;
};

/// The entropy decoder of LAZ over one layer of a chunk. Throws CorruptData past the end of its bytes.
class LayerReader {
 public:
  /// A layer of no bytes holds nothing that changes and must not be asked for anything.
  void open(std::span<const std::byte> bytes);
  bool empty() const noexcept { return empty_; }

  std::uint32_t symbol(FastModel& model) {
    if (model.until_update_ == 0) [[unlikely]]
      model.start();
    const std::uint32_t whole = length_, step = whole >> range_coding::symbol_precision;
    const std::uint32_t found = model.find(std::min(value_ / step, 0x7FFFU));
    const std::uint32_t low = model.bounds_[found] * step;
    const std::uint32_t next = model.bounds_[found + 1] * step;
    value_ -= low;
    length_ = (found + 1 < model.symbols_ ? next : whole) - low;
    normalize();
    ++model.counts()[found];
    if (--model.until_update_ == 0) [[unlikely]]
      model.rescale();
    return found;
  }
  std::uint32_t bit(BitModel& model) {
    const std::uint32_t zero = model.zero_probability_ * (length_ >> range_coding::bit_precision);
    const std::uint32_t value = value_ >= zero ? 1 : 0;
    length_ = value != 0 ? length_ - zero : zero;
    value_ -= value != 0 ? zero : 0;
    normalize();
    model.count(value);
    return value;
  }
  std::uint32_t raw(std::uint32_t bits) {
    if (bits > range_coding::most_raw_bits) {
      const std::uint32_t low = raw(16);
      return raw(bits - 16) << 16 | low;
    }
    length_ >>= bits;
    const std::uint32_t value = value_ / length_;
    if (value >> bits != 0) [[unlikely]]
      throw_nonsense();
    value_ -= value * length_;
    normalize();
    return value;
  }

 private:
  [[noreturn]] static void throw_end();
  /// The number lies outside the interval, where no writer puts it: value_ < length_ from open() on, symbol() and bit() keep it so.
  [[noreturn]] static void throw_nonsense();
  /// The interval never becomes empty, whatever the bytes: at most four are taken at once.
  void normalize() {
    const auto shift = static_cast<std::uint32_t>(std::countl_zero(length_)) & 24U;
    if (end_ - at_ >= 4) [[likely]] {
      std::uint32_t bytes = 0;
      std::memcpy(&bytes, at_, sizeof bytes);
      value_ = static_cast<std::uint32_t>((std::uint64_t{value_} << 32U | __builtin_bswap32(bytes)) >> (32U - shift));
      length_ <<= shift;
      at_ += shift / 8;
      return;
    }
    for (std::uint32_t left = shift; left > 0; left -= 8) {
      if (at_ == end_) throw_end();
      value_ = value_ << 8U | std::to_integer<std::uint32_t>(*at_++);
      length_ <<= 8U;
    }
  }

  const std::byte *at_ = nullptr, *end_ = nullptr;
  std::uint32_t value_ = 0, length_ = 0xFFFFFFFFU;
  bool empty_ = true;
};

/// Integers of up to 32 bits, coded as corrections to a prediction: IntegerDecoder of range_decoder.hpp over FastModels.
class FastIntegers {
 public:
  FastIntegers(std::uint32_t bits, std::size_t contexts);
  void list(std::vector<FastModel*>& models);
  void reset() noexcept { unit_ = {}; }

  /// The value modulo 2^32; of fewer bits, the caller cuts it.
  std::uint32_t next(LayerReader& in, std::uint32_t prediction, std::size_t context) {
    const std::uint32_t k = magnitude_ = in.symbol(magnitudes_[context]);
    if (k == 0) return prediction + in.bit(unit_);
    if (k == range_coding::magnitude_bits) return prediction + 0x80000000U;
    std::uint32_t position = in.symbol(corrections_[k - 1]);
    if (k > range_coding::coded_bits) position = position << (k - range_coding::coded_bits) | in.raw(k - range_coding::coded_bits);
    const std::uint32_t half = 1U << (k - 1);
    return prediction + (position >= half ? position + 1 : position - ((1U << k) - 1));
  }
  /// Of the last correction.
  std::uint32_t magnitude() const noexcept { return magnitude_; }

 private:
  std::vector<FastModel> magnitudes_, corrections_;
  BitModel unit_;
  std::uint32_t magnitude_ = 0;
};

}  // namespace tuile::las
