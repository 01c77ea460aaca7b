#include <string>

#include "las/layered_models.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr std::uint32_t largest_multiple = 500, smallest_multiple = 10;  // the latter negative
constexpr std::uint32_t restart_symbol = largest_multiple + smallest_multiple + 1;
constexpr int extremes_in_a_row = 3;
constexpr int most_switches = 4;  // of one time; writers need one at most, damaged bytes may switch without end

/// Which integers a step is corrected with.
enum Context : std::size_t { first_step, same_step, few_steps, many_steps, most_steps, back_steps, most_back_steps, any_step, high_half };

}  // namespace

/// A time that no step leads to: a new sequence begins.
void TimeDecoder::restart(LayerReader& in) {
  newest_ = (newest_ + 1) & 3U;
  const std::uint64_t high = integers_.next(in, static_cast<std::uint32_t>(times_[now_] >> 32U), high_half);
  // Two halves, the lower first.
  const std::uint64_t low = in.raw(16);
  times_[newest_] = high << 32U | low | std::uint64_t{in.raw(16)} << 16U;
  now_ = newest_;
  steps_[now_] = 0;
  extremes_[now_] = 0;
}

std::uint64_t TimeDecoder::next(LayerReader& in) {
  const auto advance = [this](std::uint32_t step) {
    times_[now_] += static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(step)});
  };
  // Symbols that change to another sequence are followed by one of that sequence.
  for (int switches = 0; switches <= most_switches; ++switches) {
    if (steps_[now_] == 0) {
      const std::uint32_t symbol = in.symbol(after_zero_);
      if (symbol >= 2) {
        now_ = (now_ + symbol - 1) & 3U;
        continue;
      }
      if (symbol == 1) {
        restart(in);
      } else {
        const std::uint32_t step = integers_.next(in, 0, first_step);
        steps_[now_] = static_cast<std::int32_t>(step);
        advance(step);
        extremes_[now_] = 0;
      }
      return times_[now_];
    }
    const std::uint32_t symbol = in.symbol(multiple_);
    if (symbol > restart_symbol) {
      now_ = (now_ + symbol - restart_symbol) & 3U;
      continue;
    }
    if (symbol == restart_symbol) {
      restart(in);
      return times_[now_];
    }
    if (symbol == 1) {
      advance(integers_.next(in, scaled_step(1), same_step));
      extremes_[now_] = 0;
      return times_[now_];
    }
    std::uint32_t step = 0;
    bool extreme = false;
    if (symbol == 0) {
      step = integers_.next(in, 0, any_step);
      extreme = true;
    } else if (symbol < largest_multiple) {
      step = integers_.next(in, scaled_step(symbol), symbol < 10 ? few_steps : many_steps);
    } else if (symbol == largest_multiple) {
      step = integers_.next(in, scaled_step(symbol), most_steps);
      extreme = true;
    } else {
      const std::uint32_t back = symbol - largest_multiple;
      extreme = back == smallest_multiple;
      step = integers_.next(in, scaled_step(0U - back), extreme ? most_back_steps : back_steps);
    }
    if (extreme && ++extremes_[now_] > extremes_in_a_row) {
      steps_[now_] = static_cast<std::int32_t>(step);
      extremes_[now_] = 0;
    }
    advance(step);
    return times_[now_];
  }
  throw CorruptData("a time of the chunk changes between sequences more than " + std::to_string(most_switches) + " times");
}

}  // namespace tuile::las
