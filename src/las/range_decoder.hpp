#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tuile::las {

/// Constants of the entropy coder of LAZ. Source: LAZ specification 1.4 R1.
namespace range_coding {
inline constexpr unsigned symbol_precision = 15, bit_precision = 13;
inline constexpr std::uint32_t shortest_interval = 1U << 24;
inline constexpr unsigned magnitude_bits = 32;  ///< of an integer's correction
inline constexpr unsigned coded_bits = 8;       ///< leading bits of a correction that have probabilities; the rest is written raw
inline constexpr unsigned most_raw_bits = 19;   ///< at once; more come as two parts, the lower sixteen first
}  // namespace range_coding

/// Adaptive probabilities of `symbols` symbols.
/// Source: A. Said, Introduction to Arithmetic Coding, HPL-2004-76.
class SymbolModel {
 public:
  explicit SymbolModel(std::uint32_t symbols);

 private:
  friend class RangeDecoder;
  friend class RangeEncoder;
  void count(std::size_t symbol);
  void rescale();
  std::vector<std::uint32_t> counts_, cumulative_;  ///< cumulative_: 15-bit lower bounds
  std::uint32_t total_ = 0, cycle_ = 0, until_update_ = 0;
};

/// Adaptive probability of a bit.
class BitModel {
 private:
  friend class RangeDecoder;
  friend class RangeEncoder;
  friend class LayerReader;
  void count(std::uint32_t value) {
    zeros_ += value == 0 ? 1 : 0;
    if (--until_update_ == 0) rescale();
  }
  void rescale();
  std::uint32_t zeros_ = 1, total_ = 2, zero_probability_ = 1U << 12, cycle_ = 4, until_update_ = 4;
};

/// The entropy decoder of LAZ, enough of it for chunk tables. Throws CorruptData at the end of its bytes.
class RangeDecoder {
 public:
  explicit RangeDecoder(std::span<const std::byte> bytes);
  std::uint32_t symbol(SymbolModel& model);
  std::uint32_t bit(BitModel& model);
  std::uint32_t raw(unsigned bits);

 private:
  std::uint32_t next_byte();
  void normalize();
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::uint32_t value_ = 0, length_ = 0xFFFFFFFFU;
};

/// The models of integers that are coded as corrections to a prediction.
struct IntegerModels {
  explicit IntegerModels(std::size_t contexts);
  std::vector<SymbolModel> magnitudes;   ///< one per context
  std::vector<SymbolModel> corrections;  ///< [k - 1]: the leading bits of a correction of magnitude k
  BitModel unit;
};

/// Decodes 32-bit integers as corrections to a prediction.
class IntegerDecoder {
 public:
  IntegerDecoder(RangeDecoder& decoder, std::size_t contexts) : decoder_(decoder), models_(contexts) {}
  std::uint32_t next(std::uint32_t prediction, std::size_t context);

 private:
  RangeDecoder& decoder_;
  IntegerModels models_;
};

}  // namespace tuile::las
