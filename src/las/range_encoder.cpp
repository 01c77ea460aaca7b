#include "las/range_encoder.hpp"

#include <bit>
#include <utility>

namespace tuile::las {

void RangeEncoder::advance(std::uint32_t distance) {
  const std::uint32_t before = low_;
  low_ += distance;
  if (low_ >= before) return;
  // The sum went over 32 bits: one is added to the number that the bytes written so far make up.
  for (auto byte = bytes_.rbegin(); byte != bytes_.rend(); ++byte) {
    *byte = static_cast<std::byte>(std::to_integer<unsigned>(*byte) + 1);
    if (*byte != std::byte{0}) break;
  }
}

void RangeEncoder::normalize() {
  while (length_ < range_coding::shortest_interval) {
    bytes_.push_back(static_cast<std::byte>(low_ >> 24));
    low_ <<= 8;
    length_ <<= 8;
  }
}

void RangeEncoder::symbol(SymbolModel& model, std::uint32_t value) {
  const std::uint32_t whole = length_;
  const std::uint32_t step = length_ >> range_coding::symbol_precision;
  const std::uint32_t low = model.cumulative_[value] * step;
  const std::uint32_t high = value + 1 < model.cumulative_.size() ? model.cumulative_[value + 1] * step : whole;
  advance(low);
  length_ = high - low;
  normalize();
  model.count(value);
}

void RangeEncoder::bit(BitModel& model, std::uint32_t value) {
  const std::uint32_t zero = model.zero_probability_ * (length_ >> range_coding::bit_precision);
  if (value != 0) {
    advance(zero);
    length_ -= zero;
  } else {
    length_ = zero;
  }
  normalize();
  model.count(value);
}

void RangeEncoder::raw(unsigned bits, std::uint32_t value) {
  if (bits > range_coding::most_raw_bits) {
    raw(16, value & 0xFFFFU);
    raw(bits - 16, value >> 16);
    return;
  }
  length_ >>= bits;
  advance(value * length_);
  normalize();
}

std::vector<std::byte> RangeEncoder::finish() {
  // The lower end of the interval is a number inside it, and the decoder looks at four bytes at a time.
  for (int i = 0; i < 4; ++i) {
    bytes_.push_back(static_cast<std::byte>(low_ >> 24));
    low_ <<= 8;
  }
  return std::move(bytes_);
}

IntegerEncoder::IntegerEncoder(RangeEncoder& encoder, std::size_t contexts) : encoder_(encoder), models_(contexts) {}

void IntegerEncoder::put(std::uint32_t prediction, std::uint32_t value, std::size_t context) {
  const std::uint32_t correction = value - prediction;  // modulo 2^32, as the decoder adds it
  const bool negative = (correction & 0x80000000U) != 0;
  // Magnitude k: [-(2^k - 1), -2^(k-1)] or [2^(k-1) + 1, 2^k]; 0 and 1 share k = 0.
  const std::uint32_t distance = negative ? 0U - correction : (correction == 0 ? 0U : correction - 1);
  const auto k = static_cast<std::uint32_t>(std::bit_width(distance));
  encoder_.symbol(models_.magnitudes[context], k);
  if (k == 0) {
    encoder_.bit(models_.unit, correction);
  } else if (k < range_coding::magnitude_bits) {
    const std::uint32_t position = negative ? correction + ((1U << k) - 1) : correction - 1;
    const unsigned coded = range_coding::coded_bits;
    if (k > coded) {
      encoder_.symbol(models_.corrections[k - 1], position >> (k - coded));
      encoder_.raw(k - coded, position & ((1U << (k - coded)) - 1));
    } else {
      encoder_.symbol(models_.corrections[k - 1], position);
    }
  }
}

}  // namespace tuile::las
