#include "tuile/core/asprs_classes.hpp"

#include <array>

namespace tuile {

namespace {

constexpr auto table = std::to_array<AsprsClass>({
    {0, "created, never classified"},
    {1, "unclassified"},
    {asprs::ground, "ground"},
    {asprs::low_vegetation, "low vegetation"},
    {asprs::medium_vegetation, "medium vegetation"},
    {asprs::high_vegetation, "high vegetation"},
    {asprs::building, "building"},
    {7, "low point (noise)"},
    {9, "water"},
    {10, "rail"},
    {11, "road surface"},
    {13, "wire, guard (shield)"},
    {14, "wire, conductor (phase)"},
    {15, "transmission tower"},
    {16, "wire-structure connector (insulator)"},
    {17, "bridge deck"},
    {18, "high noise"},
    {19, "overhead structure"},
    {20, "ignored ground"},
    {21, "snow"},
    {22, "temporal exclusion"},
    {64, "permanent structure above ground (LiDAR HD)"},
    {65, "artefact (LiDAR HD)"},
    {66, "virtual point (LiDAR HD)"},
    {67, "other structure (LiDAR HD)"},
    {70, "sports ground (default layers)"},
    {71, "cemetery (default layers)"},
});

}  // namespace

std::span<const AsprsClass> asprs_classes() { return table; }

}  // namespace tuile
