#pragma once

#include <cstddef>
#include <cstdint>

#include "features/formulas.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/features/plan.hpp"

/// The columns that come straight from a point's own record: host and device code, the same bits on both.
namespace tuile::compute {

/// The attributes of a tile's own points, in host or device memory that another owns. Null where the tile lacks one.
struct Attributes {
  const GridPoint* units = nullptr;
  const std::uint8_t* classification = nullptr;
  const std::uint16_t* intensity = nullptr;
  const std::uint8_t *return_number = nullptr, *number_of_returns = nullptr;
  const std::uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
  const std::uint16_t* nir = nullptr;
  const std::uint8_t* colour_known = nullptr;  ///< null: all are
  double scale = 0.01;                         ///< metres per unit
  double colour_unit = 65535;                  ///< what a colour of 1 is in the file
};

/// Whether there is what the column is made of.
TUILE_HD bool has_input(const Attributes& from, features::Feature feature) {
  using features::Feature;
  switch (feature) {
    case Feature::intensity: return from.intensity != nullptr;
    case Feature::return_number: return from.return_number != nullptr;
    case Feature::number_of_returns: return from.number_of_returns != nullptr;
    case Feature::red:
    case Feature::green:
    case Feature::blue: return from.red != nullptr;
    case Feature::nir: return from.nir != nullptr;
    case Feature::ndvi: return from.red != nullptr && from.nir != nullptr;
    default: return true;
  }
}

/// The bits of colour_known that the column needs.
TUILE_HD std::uint8_t needed_colours(features::Feature feature) {
  using features::Feature;
  constexpr std::uint8_t rgb = 1, nir = 2;
  switch (feature) {
    case Feature::red:
    case Feature::green:
    case Feature::blue: return rgb;
    case Feature::nir: return nir;
    case Feature::ndvi: return rgb | nir;
    default: return 0;
  }
}

/// Whether with_attribute knows the column; a later pass fills the others. By the order of the enumeration.
TUILE_HD bool is_attribute(features::Feature feature) {
  return feature <= features::Feature::ndvi || feature == features::Feature::is_ground;
}

/// One column of point i. The column must be one of those that with_attribute knows, and have its input.
template <features::Feature feature>
TUILE_HD float attribute(const Attributes& from, std::size_t i) {
  using features::Feature;
  double value = 0;
  if constexpr (feature == Feature::x) value = from.units[i].x * from.scale;
  if constexpr (feature == Feature::y) value = from.units[i].y * from.scale;
  if constexpr (feature == Feature::z) value = from.units[i].z * from.scale;
  if constexpr (feature == Feature::intensity) value = from.intensity[i];
  if constexpr (feature == Feature::return_number) value = from.return_number[i];
  if constexpr (feature == Feature::number_of_returns) value = from.number_of_returns[i];
  if constexpr (feature == Feature::red) value = from.red[i] / from.colour_unit;
  if constexpr (feature == Feature::green) value = from.green[i] / from.colour_unit;
  if constexpr (feature == Feature::blue) value = from.blue[i] / from.colour_unit;
  if constexpr (feature == Feature::nir) value = from.nir[i] / from.colour_unit;
  if constexpr (feature == Feature::ndvi) value = features::ndvi(from.red[i], from.nir[i]);
  if constexpr (feature == Feature::is_ground) value = from.classification[i] == 2 ? 1 : 0;
  return static_cast<float>(value);
}

/// Calls take.operator()<feature>() for a column of the point's own record, and nothing for one that a later pass fills.
template <class Take>
TUILE_HD void with_attribute(features::Feature feature, Take&& take) {
  using features::Feature;
  switch (feature) {
    case Feature::x: return take.template operator()<Feature::x>();
    case Feature::y: return take.template operator()<Feature::y>();
    case Feature::z: return take.template operator()<Feature::z>();
    case Feature::intensity: return take.template operator()<Feature::intensity>();
    case Feature::return_number: return take.template operator()<Feature::return_number>();
    case Feature::number_of_returns: return take.template operator()<Feature::number_of_returns>();
    case Feature::red: return take.template operator()<Feature::red>();
    case Feature::green: return take.template operator()<Feature::green>();
    case Feature::blue: return take.template operator()<Feature::blue>();
    case Feature::nir: return take.template operator()<Feature::nir>();
    case Feature::ndvi: return take.template operator()<Feature::ndvi>();
    case Feature::is_ground: return take.template operator()<Feature::is_ground>();
    default: return;
  }
}

}  // namespace tuile::compute
