#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tuile {

/// Classes that the code names.
namespace asprs {
inline constexpr std::uint8_t ground = 2, low_vegetation = 3, medium_vegetation = 4, high_vegetation = 5, building = 6;
}

/// A class of points, as LAS 1.4 (R15, table 17) numbers them; 64 and up are the user's, here those of LiDAR HD and of our default layers.
struct AsprsClass {
  std::uint8_t code;
  std::string_view name;
};

/// All that have a name, by code. The pages and who prints classes take them from here.
std::span<const AsprsClass> asprs_classes();

}  // namespace tuile
