#include "las/layer_reader.hpp"

#include <algorithm>

#include "tuile/core/error.hpp"

namespace tuile::las {

void FastModel::set_symbols(std::uint32_t symbols) {
  symbols_ = symbols;
  table_bits_ = 0;
  // About four symbols for each entry of the table.
  while (symbols > (4U << table_bits_) && symbols > lanes) ++table_bits_;
}

void FastModel::start() {
  std::fill_n(counts(), symbols_, std::uint16_t{1});
  std::fill_n(bounds_ + symbols_, lanes, std::uint16_t{0xFFFF});
  total_ = 0;
  cycle_ = symbols_;
  rescale();
  until_update_ = cycle_ = (symbols_ + 6) / 2;
}

void FastModel::rescale() {
  std::uint16_t* const count = counts();
  total_ += cycle_;
  if (total_ > 1U << range_coding::symbol_precision) {
    total_ = 0;
    for (std::uint32_t i = 0; i < symbols_; ++i) {
      count[i] = static_cast<std::uint16_t>((count[i] + 1U) / 2);
      total_ += count[i];
    }
  }
  const std::uint32_t scale = 0x80000000U / total_;
  std::uint32_t below = 0;
  for (std::uint32_t i = 0; i < symbols_; ++i) {
    bounds_[i] = static_cast<std::uint16_t>((scale * below) >> (31 - range_coding::symbol_precision));
    below += count[i];
  }
  const std::uint32_t shift = range_coding::symbol_precision - table_bits_;
  std::uint16_t* const first = table();
  std::uint32_t entry = 0;
  for (std::uint32_t i = 1; i < symbols_; ++i) {
    const std::uint32_t end = (bounds_[i] + (1U << shift) - 1) >> shift;  // the first entry that begins at or above this bound
    while (entry < end) first[entry++] = static_cast<std::uint16_t>(i - 1);
  }
  while (entry < 1U << table_bits_) first[entry++] = static_cast<std::uint16_t>(symbols_ - 1);
  until_update_ = cycle_ = std::min(cycle_ * 5 / 4, (symbols_ + 6) * 8);
}

void ModelMemory::place(std::span<FastModel* const> models) {
  std::size_t total = 0;
  for (const FastModel* model : models) total += model->room();
  memory_ = std::make_unique_for_overwrite<std::uint16_t[]>(total);
  std::uint16_t* at = memory_.get();
  for (FastModel* model : models) {
    model->place(at);
    at += model->room();
  }
}

void LayerReader::open(std::span<const std::byte> bytes) {
  at_ = bytes.data();
  end_ = bytes.data() + bytes.size();
  empty_ = bytes.empty();
  value_ = 0;
  length_ = 0xFFFFFFFFU;
  if (empty_) return;
  if (bytes.size() < 4) throw_end();
  for (int i = 0; i < 4; ++i) value_ = value_ << 8U | std::to_integer<std::uint32_t>(*at_++);
  if (value_ >= length_) throw_nonsense();
}

void LayerReader::throw_end() { throw CorruptData("a layer of the chunk ends before its last point"); }
void LayerReader::throw_nonsense() { throw CorruptData("the entropy-coded numbers of a layer of the chunk make no sense"); }

FastIntegers::FastIntegers(std::uint32_t bits, std::size_t contexts) : magnitudes_(contexts), corrections_(bits) {
  for (FastModel& model : magnitudes_) model.set_symbols(bits + 1);
  for (std::uint32_t k = 1; k <= bits; ++k) corrections_[k - 1].set_symbols(1U << std::min(k, range_coding::coded_bits));
}

void FastIntegers::list(std::vector<FastModel*>& models) {
  for (FastModel& model : magnitudes_) models.push_back(&model);
  for (FastModel& model : corrections_) models.push_back(&model);
}

}  // namespace tuile::las
