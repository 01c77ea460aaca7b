#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tuile::las {

/// Adaptive probabilities of `symbols` symbols.
/// Source: A. Said, Introduction to Arithmetic Coding, HPL-2004-76; constants of the LAZ specification 1.4 R1.
class SymbolModel {
 public:
  explicit SymbolModel(std::uint32_t symbols);

 private:
  friend class RangeDecoder;
  void rescale();
  std::vector<std::uint32_t> counts_, cumulative_;  ///< cumulative_: 15-bit lower bounds
  std::uint32_t total_ = 0, cycle_ = 0, until_update_ = 0;
};

/// Adaptive probability of a bit.
class BitModel {
 private:
  friend class RangeDecoder;
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

/// Decodes 32-bit integers as corrections to a prediction, one model of magnitudes per context.
class IntegerDecoder {
 public:
  IntegerDecoder(RangeDecoder& decoder, std::size_t contexts);
  std::uint32_t next(std::uint32_t prediction, std::size_t context);

 private:
  RangeDecoder& decoder_;
  std::vector<SymbolModel> magnitudes_;
  std::vector<SymbolModel> corrections_;  ///< [k - 1]: the leading bits of a correction of magnitude k
  BitModel unit_;
};

}  // namespace tuile::las
