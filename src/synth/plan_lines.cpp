#include <algorithm>
#include <cmath>
#include <utility>

#include "synth/planner.hpp"

namespace tuile::synth {

namespace {

constexpr std::int64_t street_step = 2;   ///< blocks between streets
constexpr std::int64_t railway_step = 8;  ///< blocks between railways

/// The first multiple of `step` plus `phase` at or after `from`.
std::int64_t first_at(std::int64_t from, std::int64_t step, std::int64_t phase) noexcept {
  return from + positive_modulo(phase - from, step);
}

}  // namespace

Vertex Planner::crossing(std::int64_t column, std::int64_t row) const noexcept {
  Random random = random_of({column, row}, 1);
  const double x = static_cast<double>(column) * block_side + random.uniform(-1.5, 1.5);
  return {to_map(x), to_map(static_cast<double>(row) * block_side + random.uniform(-1.5, 1.5))};
}

/// Streets along the west and south of every second block, their vertices at the blocks' corners a little off the grid.
void Planner::lay_streets() {
  for (const bool northward : {true, false}) {
    const auto begin = [&](std::int64_t from) { return first_at(from, street_step, 0) - street_step; };
    for (std::int64_t column = begin(first_.column); column <= last_.column + 1; column += street_step) {
      for (std::int64_t row = begin(first_.row); row <= last_.row + 1; row += street_step) lay_street({column, row}, northward);
    }
  }
  for (const Road& road : town_.roads) park_cars(road);
}

/// From one crossing to the next.
void Planner::lay_street(const Block& from, bool northward) {
  const std::int64_t which = northward ? from.column : from.row, axis = northward ? 1 : 2;
  const std::uint64_t seed = town_.options.seed;
  Road road{cleabs_of("TRONROUT", from, northward ? 1 : 2), {}, 0, "Route à 1 chaussée", true};
  for (std::int64_t step = 0; step <= street_step; ++step) {
    road.line.push_back(northward ? crossing(from.column, from.row + step) : crossing(from.column + step, from.row));
  }
  // Every fourth street is as wide as its nature makes one expect; the map says nothing of its width.
  const std::int64_t rank = which / street_step + static_cast<std::int64_t>(hash(seed, axis, 21) % 4);
  road.width_known = positive_modulo(rank, 4) != 0;
  if (road.width_known) {
    road.width = 5 + 0.5 * static_cast<double>(hash(seed, which, axis) % 5);
  } else {
    const bool avenue = positive_modulo(rank, 8) == 0;
    road.nature = avenue ? "Route à 2 chaussées" : "Route à 1 chaussée";
    road.width = avenue ? 7 : 5;
  }
  town_.roads.push_back(std::move(road));
}

void Planner::park_cars(const Road& road) {
  for (std::size_t i = 0; i + 1 < road.line.size(); ++i) {
    const Vertex &a = road.line[i], &b = road.line[i + 1];
    Random random(hash(town_.options.seed, static_cast<std::int64_t>(std::floor(a.x)), static_cast<std::int64_t>(std::floor(a.y)), 2));
    const double length = std::sqrt((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y));
    const Vertex along{(b.x - a.x) / length, (b.y - a.y) / length};
    for (double at = 8; at < length - 8; at += 7) {
      if (!random.chance(0.12)) continue;
      const double side = (random.chance(0.5) ? 1 : -1) * (road.width / 2 - 1.1);
      const Vertex centre{a.x + along.x * at - along.y * side, a.y + along.y * at + along.x * side};
      const double ground = town_.terrain(centre.x, centre.y);
      town_.cars.push_back({centre, along, 2.1, 0.85, ground - 0.5, ground + random.uniform(1.4, 1.9), 0});
    }
  }
}

/// From south to north between two blocks where no street is; streets cross on the level.
void Planner::lay_railways() {
  const auto phase = static_cast<std::int64_t>(1 + street_step * (hash(town_.options.seed, 22) % (railway_step / street_step)));
  for (std::int64_t column = first_at(first_.column, railway_step, phase); column <= last_.column; column += railway_step) {
    for (std::int64_t row = first_at(first_.row, street_step, 0) - street_step; row <= last_.row; row += street_step) {
      const Block from{column, row}, to{column, row + street_step};
      town_.railways.push_back({cleabs_of("VOIEFERR", from, 1), {{from.west(), from.south()}, {to.west(), to.south()}}, 2});
    }
  }
}

/// One line across the town from west to east, a little askew, near its middle.
void Planner::hang_power_line() {
  constexpr double span = 60, height = 22, arm = 2.9;
  const Bounds area = town_.bounds();
  const double middle = std::round((area.min_y + area.max_y) / 2) + 3, lean = 0.08;
  PowerLine line{{}, {}, {}, {-2.5, 0, 2.5}, 1.4};
  const double scale = 1 / std::sqrt(1 + lean * lean);
  const Vertex along{scale, lean * scale};
  for (double x = area.min_x - 50; x < area.max_x + 50 + span; x += span) {
    const Vertex foot{to_map(x), to_map(middle + lean * (x - (area.min_x + area.max_x) / 2))};
    const double ground = town_.terrain(foot.x, foot.y);
    line.pylons.push_back(foot);
    line.attachments.push_back(ground + height);
    town_.pylons.push_back({foot, along, 0.45, 0.45, ground - 1, ground + height + 1.5, 0});
    town_.pylons.push_back({foot, {-along.y, along.x}, arm, 0.25, ground + height, ground + height + 0.5, 0});
  }
  line.cleabs = cleabs_of("LIGNELEC", block_at(line.pylons.front().x, line.pylons.front().y), 1);
  town_.power_lines.push_back(std::move(line));
}

}  // namespace tuile::synth
