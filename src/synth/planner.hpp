#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "synth/blocks.hpp"
#include "synth/random.hpp"
#include "tuile/synth/town.hpp"

namespace tuile::synth {

/// To the map's whole millimetres.
double to_map(double value) noexcept;
/// Sixteen points of an ellipse, counter-clockwise.
std::vector<Vertex> ellipse(const Vertex& centre, double half_x, double half_y);
std::vector<Vertex> rectangle(double west, double south, double east, double north);

/// Plans a town: lines over all of it, then block by block.
class Planner {
 public:
  explicit Planner(const TownOptions& options) { town_.options = options; }
  Town plan();

 private:
  Random random_of(const Block& block, std::int64_t what) const noexcept {
    return Random(hash(town_.options.seed, block.column, block.row, what));
  }

  // plan_lines.cpp
  Vertex crossing(std::int64_t column, std::int64_t row) const noexcept;
  void lay_streets();
  void lay_street(const Block& from, bool northward);
  void park_cars(const Road& road);
  void lay_railways();
  void hang_power_line();

  // plan_blocks.cpp
  void fill(const Block& block);
  Building raise(const Vertex& centre, const Vertex& axis, double half_length, double half_width, double height, double rise,
                 RoofShape roof) const;
  void add_building(const Block& block, int number, std::vector<Building> bodies, const std::vector<std::size_t>& mapped);
  void build_houses(const Block& block);
  void build_flats(const Block& block);
  void lay_lawn(const Block& block, const std::string& nature);
  void dig_pond(const Block& block);
  void hide_waters(const Block& block);
  void dig_graves(const Block& block);
  enum class Around : std::uint8_t { lawn, beds, bare };  ///< what trees stand in
  void plant(const Block& block, int trees, int shrubs, Around around);
  bool is_free(const Vertex& at, double radius) const noexcept;

  Town town_;
  Block first_{}, last_{};
};

}  // namespace tuile::synth
