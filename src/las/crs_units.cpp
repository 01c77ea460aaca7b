#include <cstdint>
#include <string>

#include "las/crs.hpp"

namespace tuile::las {

namespace {

enum class Unit : std::uint8_t { metre, foot, us_foot };

/// Codes first, first + step, … last.
struct Codes {
  int first, last, step;
  Unit unit;
};

/// Projected systems of the EPSG registry whose unit is certain: those counted in feet (state planes of the United States, where both feet
/// occur side by side), and the metric ones that lidar surveys mostly use.
constexpr Codes table[] = {
    // NAD83
    {2222, 2224, 1, Unit::foot},     // Arizona
    {2225, 2250, 1, Unit::us_foot},  // California … Massachusetts
    {2251, 2253, 1, Unit::foot},     // Michigan
    {2254, 2255, 1, Unit::us_foot},  // Mississippi
    {2256, 2256, 1, Unit::foot},     // Montana
    {2257, 2264, 1, Unit::us_foot},  // New Mexico … North Carolina
    {2265, 2266, 1, Unit::foot},     // North Dakota
    {2267, 2268, 1, Unit::us_foot},  // Oklahoma
    {2269, 2270, 1, Unit::foot},     // Oregon
    {2271, 2272, 1, Unit::us_foot},  // Pennsylvania
    {2273, 2273, 1, Unit::foot},     // South Carolina
    {2274, 2279, 1, Unit::us_foot},  // Tennessee, Texas
    {2280, 2282, 1, Unit::foot},     // Utah
    {2283, 2289, 1, Unit::us_foot},  // Virginia, Washington, Wisconsin
    {2965, 2966, 1, Unit::us_foot},  // Indiana
    {2992, 2992, 1, Unit::foot},     // Oregon, one zone
    {3089, 3089, 1, Unit::us_foot},  // Kentucky, one zone
    {3417, 3424, 1, Unit::us_foot},  // Iowa … New Jersey
    {3433, 3438, 1, Unit::us_foot},  // Arkansas … Rhode Island
    {3451, 3455, 1, Unit::us_foot},  // Louisiana, South Dakota
    {3560, 3560, 1, Unit::us_foot},  // Utah
    {3566, 3567, 1, Unit::us_foot},
    {3734, 3739, 1, Unit::us_foot},  // Ohio, Wyoming
    {3759, 3759, 1, Unit::us_foot},  // Hawaii
    // NAD83(HARN), the same states
    {2867, 2869, 1, Unit::foot},
    {2870, 2895, 1, Unit::us_foot},
    {2896, 2898, 1, Unit::foot},
    {2899, 2900, 1, Unit::us_foot},
    {2901, 2901, 1, Unit::foot},
    {2902, 2908, 1, Unit::us_foot},
    {2909, 2910, 1, Unit::foot},
    {2911, 2912, 1, Unit::us_foot},
    {2913, 2914, 1, Unit::foot},
    {2915, 2920, 1, Unit::us_foot},
    {2921, 2923, 1, Unit::foot},
    {2924, 2930, 1, Unit::us_foot},
    {2967, 2968, 1, Unit::us_foot},
    {2994, 2994, 1, Unit::foot},
    {3091, 3091, 1, Unit::us_foot},
    {3361, 3361, 1, Unit::foot},
    {3363, 3365, 2, Unit::us_foot},
    {3404, 3404, 1, Unit::us_foot},
    {3425, 3432, 1, Unit::us_foot},
    {3441, 3446, 1, Unit::us_foot},
    {3456, 3459, 1, Unit::us_foot},
    {3568, 3570, 1, Unit::us_foot},
    {3753, 3758, 1, Unit::us_foot},
    {3760, 3760, 1, Unit::us_foot},
    // NAD83(NSRS2007): metres and feet in turns
    {3479, 3483, 2, Unit::foot},
    {3478, 3488, 2, Unit::metre},
    {3485, 3487, 2, Unit::us_foot},
    {3489, 3511, 2, Unit::metre},
    {3490, 3512, 2, Unit::us_foot},
    {3513, 3513, 1, Unit::metre},
    {3514, 3552, 2, Unit::metre},
    {3515, 3553, 2, Unit::us_foot},
    {3554, 3559, 1, Unit::metre},
    {3582, 3586, 2, Unit::us_foot},
    {3588, 3590, 2, Unit::foot},
    {3593, 3593, 1, Unit::foot},
    {3598, 3600, 2, Unit::us_foot},
    {3605, 3605, 1, Unit::foot},
    {3608, 3632, 2, Unit::us_foot},
    {3634, 3636, 2, Unit::foot},
    {3640, 3642, 2, Unit::us_foot},
    {3644, 3648, 2, Unit::foot},
    {3650, 3654, 2, Unit::us_foot},
    {3656, 3656, 1, Unit::foot},
    {3658, 3664, 2, Unit::us_foot},
    {3668, 3674, 2, Unit::us_foot},
    {3676, 3682, 3, Unit::foot},
    {3677, 3683, 3, Unit::us_foot},
    {3686, 3692, 2, Unit::us_foot},
    {3696, 3700, 2, Unit::us_foot},
    {3706, 3726, 1, Unit::metre},
    {3728, 3733, 1, Unit::us_foot},
    {3740, 3751, 1, Unit::metre},
    // NAD83(2011), in the same order
    {6329, 6348, 1, Unit::metre},
    {6405, 6409, 2, Unit::foot},
    {6411, 6413, 2, Unit::us_foot},
    {6416, 6438, 2, Unit::us_foot},
    {6441, 6479, 2, Unit::us_foot},
    {6484, 6492, 2, Unit::us_foot},
    {6494, 6498, 2, Unit::foot},
    {6515, 6515, 1, Unit::foot},
    {6519, 6543, 2, Unit::us_foot},
    {6545, 6547, 2, Unit::foot},
    {6549, 6555, 2, Unit::us_foot},
    {6557, 6561, 2, Unit::foot},
    {6563, 6565, 2, Unit::us_foot},
    {6568, 6568, 1, Unit::us_foot},
    {6570, 6570, 1, Unit::foot},
    {6572, 6578, 2, Unit::us_foot},
    {6582, 6588, 2, Unit::us_foot},
    {6593, 6599, 2, Unit::us_foot},
    // NAD27
    {26729, 26760, 1, Unit::us_foot},
    {26766, 26799, 1, Unit::us_foot},
    {32001, 32058, 1, Unit::us_foot},
    // Metres
    {2056, 2056, 1, Unit::metre},    // CH1903+ / LV95
    {2154, 2154, 1, Unit::metre},    // RGF93 / Lambert-93
    {2180, 2180, 1, Unit::metre},    // Poland CS92
    {2193, 2193, 1, Unit::metre},    // New Zealand Transverse Mercator
    {2759, 2866, 1, Unit::metre},    // NAD83(HARN) state planes
    {2972, 2972, 1, Unit::metre},    // Guyane
    {2975, 2975, 1, Unit::metre},    // La Réunion
    {3006, 3006, 1, Unit::metre},    // SWEREF99 TM
    {3034, 3035, 1, Unit::metre},    // Europe, Lambert
    {3067, 3067, 1, Unit::metre},    // TM35FIN
    {3395, 3395, 1, Unit::metre},    // World Mercator
    {3812, 3812, 1, Unit::metre},    // Belgian Lambert 2008
    {3857, 3857, 1, Unit::metre},    // web Mercator
    {3942, 3950, 1, Unit::metre},    // RGF93 / CC42 … CC50
    {4471, 4471, 1, Unit::metre},    // RGM04 / UTM 38S, Mayotte
    {5490, 5490, 1, Unit::metre},    // Antilles
    {7846, 7859, 1, Unit::metre},    // MGA 2020
    {10674, 10674, 1, Unit::metre},  // RGM23 / UTM 38S, Mayotte
    {21781, 21781, 1, Unit::metre},  // CH1903 / LV03
    {25828, 25838, 1, Unit::metre},  // ETRS89 / UTM
    {26901, 26923, 1, Unit::metre},  // NAD83 / UTM
    {26929, 26998, 1, Unit::metre},  // NAD83 state planes
    {27700, 27700, 1, Unit::metre},  // British National Grid
    {28348, 28358, 1, Unit::metre},  // MGA 94
    {28992, 28992, 1, Unit::metre},  // RD New
    {31370, 31370, 1, Unit::metre},  // Belgian Lambert 72
    {32100, 32161, 1, Unit::metre},  // NAD83 state planes
    {32601, 32660, 1, Unit::metre},  // WGS 84 / UTM north
    {32701, 32760, 1, Unit::metre},  // WGS 84 / UTM south
};

}  // namespace

double unstated_unit(int epsg, std::vector<std::string>& warnings) {
  for (const Codes& codes : table) {
    if (epsg < codes.first || epsg > codes.last || (epsg - codes.first) % codes.step != 0) continue;
    switch (codes.unit) {
      case Unit::metre: return 1.0;
      case Unit::foot: return 0.3048;
      case Unit::us_foot: return 1200.0 / 3937.0;
    }
  }
  warnings.push_back("the coordinate system " + (epsg != 0 ? "EPSG:" + std::to_string(epsg) : std::string("of the file")) +
                     " does not state its unit; metres are assumed. Where it counts feet, write the unit into the file");
  return 1.0;
}

}  // namespace tuile::las
