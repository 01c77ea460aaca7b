#include "tuile/label/label.hpp"

namespace tuile::label {

bool Condition::compare(Code code, float left, float right) noexcept {
  switch (code) {
    case Code::less: return left < right;
    case Code::less_equal: return left <= right;
    case Code::greater: return left > right;
    case Code::greater_equal: return left >= right;
    case Code::equal: return left == right;
    case Code::not_equal: return left < right || left > right;  // false for NaN, as the others
    default: return false;
  }
}

bool Condition::holds(std::span<const float> values) const noexcept {
  static_assert(most_steps <= 64, "a truth per bit");
  std::uint64_t truths = 1;  // the last step's truth is the lowest bit; that of no step is true
  for (const Step& step : steps_) {
    switch (step.code) {
      case Code::constant: truths = truths << 1 | static_cast<std::uint64_t>(step.number != 0); break;
      case Code::conjunction: truths = truths >> 1 & (truths | ~std::uint64_t{1}); break;
      case Code::disjunction: truths = truths >> 1 | (truths & 1); break;
      case Code::negation: truths ^= 1; break;
      default: {
        const float right = step.right == no_value ? step.number : values[step.right];
        truths = truths << 1 | static_cast<std::uint64_t>(compare(step.code, values[step.left], right));
      }
    }
  }
  return (truths & 1) != 0;
}

}  // namespace tuile::label
