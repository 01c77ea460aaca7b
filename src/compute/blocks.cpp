#include "compute/blocks.hpp"

#include <cmath>
#include <numbers>

namespace tuile::compute {

namespace {

/// Enough to part a tile into a hundred blocks of equal size within a few per cent.
constexpr std::size_t sample_size = std::size_t{1} << 18;

struct Place {
  std::int32_t x, y;
};

class Planner {
 public:
  Planner(const TilePoints& points, const BlockWish& wish) : wish_(wish), extent_(points.extent()) {
    step_ = (points.size() + sample_size - 1) / sample_size;
    std::size_t seen = 0;
    for (const TilePoints::Run& run : points.runs()) {
      points.for_each_of(run, [&](const GridPoint& point, std::uint32_t) {
        if (seen++ % step_ == 0) sample_.push_back({point.x, point.y});
      });
    }
  }

  std::vector<Block> plan() {
    if (!sample_.empty()) part({}, 0, sample_.size());
    return std::move(blocks_);
  }

 private:
  /// Points inside an area, about.
  std::size_t estimate(const Area& area) const {
    std::size_t count = 0;
    for (const Place& place : sample_) count += area.contains(place.x, place.y) ? 1 : 0;
    return count * step_;
  }

  void part(const Area& own, std::size_t begin, std::size_t end) {
    const Area given = own.widened(wish_.reach, extent_);
    // With a small part of the points its own, a block is as small as its reach lets it be.
    const bool small = (end - begin) * step_ * 16 <= wish_.most;
    if (small || estimate(given) <= wish_.most || !split(own, begin, end)) blocks_.push_back({own, widen(own, given, begin, end)});
  }

  /// False where all sampled points lie above each other.
  bool split(const Area& own, std::size_t begin, std::size_t end) {
    const auto [min_x, max_x] = range(begin, end, &Place::x);
    const auto [min_y, max_y] = range(begin, end, &Place::y);
    const std::int64_t width = std::int64_t{max_x} - min_x, height = std::int64_t{max_y} - min_y;
    if (width == 0 && height == 0) return false;
    const bool by_x = width >= height;
    const auto axis = by_x ? &Place::x : &Place::y;
    const auto from = sample_.begin() + static_cast<std::ptrdiff_t>(begin), to = sample_.begin() + static_cast<std::ptrdiff_t>(end);
    const auto middle = from + (to - from) / 2;
    std::nth_element(from, middle, to, [axis](const Place& a, const Place& b) { return a.*axis < b.*axis; });
    // The right part begins at the median, or behind it where the left one would be empty.
    const std::int64_t cut = std::max<std::int64_t>((*middle).*axis, std::int64_t{by_x ? min_x : min_y} + 1);
    const auto right = std::partition(from, to, [&](const Place& place) { return place.*axis < cut; });
    const auto at = static_cast<std::size_t>(right - sample_.begin());
    Area low = own, high = own;
    (by_x ? low.max_x : low.max_y) = cut - 1;
    (by_x ? high.min_x : high.min_y) = cut;
    part(low, begin, at);
    part(high, at, end);
    return true;
  }

  std::pair<std::int32_t, std::int32_t> range(std::size_t begin, std::size_t end, std::int32_t Place::*axis) const {
    std::int32_t low = sample_[begin].*axis, high = low;
    for (std::size_t i = begin; i < end; ++i) {
      low = std::min(low, sample_[i].*axis);
      high = std::max(high, sample_[i].*axis);
    }
    return {low, high};
  }

  Area widen(const Area& own, const Area& given, std::size_t begin, std::size_t end) const {
    if (wish_.nearest == 0) return given;
    const auto [min_x, max_x] = range(begin, end, &Place::x);
    const auto [min_y, max_y] = range(begin, end, &Place::y);
    const double area = (static_cast<double>(max_x) - min_x + 1) * (static_cast<double>(max_y) - min_y + 1);
    const double density = static_cast<double>((end - begin) * step_) / area;
    constexpr double generous = 6;
    double reach = generous * std::sqrt(wish_.nearest / (std::numbers::pi * density)) + 1;
    for (; reach > static_cast<double>(wish_.reach) && reach > 1; reach /= 2) {
      const Area wider = own.widened(static_cast<std::int64_t>(reach), extent_);
      if (estimate(wider) <= wish_.most + wish_.most / 4) return wider;
    }
    return given;
  }

  const BlockWish wish_;
  const Area extent_;
  std::size_t step_ = 1;
  std::vector<Place> sample_;
  std::vector<Block> blocks_;
};

}  // namespace

Area Area::widened(std::int64_t reach, const Area& extent) const noexcept {
  // Coordinates are below 2^31, reaches below 2^33: only open sides could overflow, and they are open already.
  const auto lower = [reach](std::int64_t side, std::int64_t limit) {
    return side == -open || side - reach <= limit ? -open : side - reach;
  };
  const auto upper = [reach](std::int64_t side, std::int64_t limit) { return side == open || side + reach >= limit ? open : side + reach; };
  return {lower(min_x, extent.min_x), lower(min_y, extent.min_y), upper(max_x, extent.max_x), upper(max_y, extent.max_y)};
}

TilePoints::TilePoints(const PointBlock& core, const PointBlock* halo, const Validity& validity, Executor& executor)
    : core_(&core), halo_(halo) {
  std::uint32_t first_index = 0;
  for (const PointBlock* block : {&core, halo}) {
    if (block == nullptr) continue;
    for (std::size_t begin = 0; begin < block->size(); begin += run_size) {
      const std::size_t end = std::min(block->size(), begin + run_size);
      const std::uint8_t* const valid = block == &core ? validity.core : validity.halo;
      runs_.push_back({{}, {}, block, valid, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), first_index});
    }
    first_index += static_cast<std::uint32_t>(block->size());
  }
  std::vector<std::size_t> counts(runs_.size());
  executor.for_each((runs_.size() + runs_per_task - 1) / runs_per_task, [&](std::size_t task) {
    const std::size_t end = std::min(runs_.size(), (task + 1) * runs_per_task);
    for (std::size_t r = task * runs_per_task; r < end; ++r) {
      Run& run = runs_[r];
      for_each_of(run, [&](const GridPoint& p, std::uint32_t) {
        if (counts[r]++ == 0) run.low = run.high = p;
        run.low = {std::min(run.low.x, p.x), std::min(run.low.y, p.y), std::min(run.low.z, p.z)};
        run.high = {std::max(run.high.x, p.x), std::max(run.high.y, p.y), std::max(run.high.z, p.z)};
      });
    }
  });
  std::size_t kept = 0;
  for (std::size_t r = 0; r < runs_.size(); ++r) {
    if (counts[r] == 0) continue;
    size_ += counts[r];
    const Run& run = runs_[kept++] = runs_[r];
    extent_ = {std::min<std::int64_t>(extent_.min_x, run.low.x), std::min<std::int64_t>(extent_.min_y, run.low.y),
               std::max<std::int64_t>(extent_.max_x, run.high.x), std::max<std::int64_t>(extent_.max_y, run.high.y)};
  }
  runs_.resize(kept);
}

std::vector<Block> plan_blocks(const TilePoints& points, const BlockWish& wish) { return Planner(points, wish).plan(); }

}  // namespace tuile::compute
