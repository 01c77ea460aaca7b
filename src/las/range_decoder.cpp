#include "las/range_decoder.hpp"

#include <algorithm>

#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

using namespace range_coding;
constexpr std::uint32_t symbol_limit = 1U << symbol_precision, bit_limit = 1U << bit_precision;

[[noreturn]] void throw_damaged() { throw CorruptData("the chunk table is damaged: its entropy-coded numbers make no sense"); }

}  // namespace

SymbolModel::SymbolModel(std::uint32_t symbols) : counts_(symbols, 1), cumulative_(symbols), cycle_(symbols) {
  rescale();
  until_update_ = cycle_ = (symbols + 6) / 2;
}

void SymbolModel::rescale() {
  total_ += cycle_;
  if (total_ > symbol_limit) {
    total_ = 0;
    for (std::uint32_t& count : counts_) {
      count = (count + 1) / 2;
      total_ += count;
    }
  }
  const std::uint32_t scale = 0x80000000U / total_;
  std::uint32_t below = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    cumulative_[i] = (scale * below) >> (31 - symbol_precision);
    below += counts_[i];
  }
  cycle_ = std::min(cycle_ * 5 / 4, (static_cast<std::uint32_t>(counts_.size()) + 6) * 8);
  until_update_ = cycle_;
}

void SymbolModel::count(std::size_t symbol) {
  ++counts_[symbol];
  if (--until_update_ == 0) rescale();
}

void BitModel::rescale() {
  total_ += cycle_;
  if (total_ > bit_limit) {
    total_ = (total_ + 1) / 2;
    zeros_ = (zeros_ + 1) / 2;
    if (zeros_ == total_) ++total_;
  }
  zero_probability_ = (zeros_ * (0x80000000U / total_)) >> (31 - bit_precision);
  cycle_ = std::min(cycle_ * 5 / 4, 64U);
  until_update_ = cycle_;
}

RangeDecoder::RangeDecoder(std::span<const std::byte> bytes) : bytes_(bytes) {
  for (int i = 0; i < 4; ++i) value_ = value_ << 8 | next_byte();
}

std::uint32_t RangeDecoder::next_byte() {
  if (at_ == bytes_.size()) throw_damaged();
  return std::to_integer<std::uint32_t>(bytes_[at_++]);
}

void RangeDecoder::normalize() {
  if (length_ == 0) throw_damaged();
  while (length_ < shortest_interval) {
    value_ = value_ << 8 | next_byte();
    length_ <<= 8;
  }
}

std::uint32_t RangeDecoder::symbol(SymbolModel& model) {
  const std::uint32_t whole = length_;
  const std::uint32_t step = length_ >> symbol_precision;
  // The last symbol whose lower bound is not above the code value.
  const auto above = std::upper_bound(model.cumulative_.begin(), model.cumulative_.end(), value_ / step);
  const auto found = static_cast<std::size_t>(above - model.cumulative_.begin()) - 1;
  const std::uint32_t low = model.cumulative_[found] * step;
  const std::uint32_t high = found + 1 < model.cumulative_.size() ? model.cumulative_[found + 1] * step : whole;
  value_ -= low;
  length_ = high - low;
  normalize();
  model.count(found);
  return static_cast<std::uint32_t>(found);
}

std::uint32_t RangeDecoder::bit(BitModel& model) {
  const std::uint32_t zero = model.zero_probability_ * (length_ >> bit_precision);
  const std::uint32_t value = value_ >= zero ? 1 : 0;
  if (value != 0) {
    value_ -= zero;
    length_ -= zero;
  } else {
    length_ = zero;
  }
  normalize();
  model.count(value);
  return value;
}

std::uint32_t RangeDecoder::raw(unsigned bits) {
  if (bits > most_raw_bits) {
    const std::uint32_t low = raw(16);
    return raw(bits - 16) << 16 | low;
  }
  length_ >>= bits;
  const std::uint32_t value = value_ / length_;
  if (value >= 1U << bits) throw_damaged();
  value_ -= value * length_;
  normalize();
  return value;
}

IntegerModels::IntegerModels(std::size_t contexts) : magnitudes(contexts, SymbolModel(magnitude_bits + 1)) {
  for (unsigned k = 1; k <= magnitude_bits; ++k) corrections.emplace_back(1U << std::min(k, coded_bits));
}

std::uint32_t IntegerDecoder::next(std::uint32_t prediction, std::size_t context) {
  // A magnitude k says that the correction lies in [-(2^k - 1), -2^(k-1)] or [2^(k-1) + 1, 2^k].
  const std::uint32_t k = decoder_.symbol(models_.magnitudes[context]);
  if (k == 0) return prediction + decoder_.bit(models_.unit);
  if (k == magnitude_bits) return prediction + 0x80000000U;
  std::uint32_t position = decoder_.symbol(models_.corrections[k - 1]);
  if (k > coded_bits) position = position << (k - coded_bits) | decoder_.raw(k - coded_bits);
  const std::uint32_t half = 1U << (k - 1);
  return prediction + (position >= half ? position + 1 : position - ((1U << k) - 1));
}

}  // namespace tuile::las
