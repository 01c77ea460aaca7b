#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "las/range_decoder.hpp"

namespace tuile::las {

/// The counterpart of RangeDecoder. Call finish() once, after the last value.
class RangeEncoder {
 public:
  void symbol(SymbolModel& model, std::uint32_t value);
  void bit(BitModel& model, std::uint32_t value);
  void raw(unsigned bits, std::uint32_t value);
  std::vector<std::byte> finish();

 private:
  void advance(std::uint32_t distance);
  void normalize();
  std::vector<std::byte> bytes_;
  std::uint32_t low_ = 0, length_ = 0xFFFFFFFFU;
};

/// The counterpart of IntegerDecoder.
class IntegerEncoder {
 public:
  IntegerEncoder(RangeEncoder& encoder, std::size_t contexts);
  void put(std::uint32_t prediction, std::uint32_t value, std::size_t context);

 private:
  RangeEncoder& encoder_;
  IntegerModels models_;
};

}  // namespace tuile::las
