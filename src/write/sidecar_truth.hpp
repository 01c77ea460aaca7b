#pragma once

#include <string>

#include "json_object.hpp"
#include "write/sidecar.hpp"

namespace tuile::write {

// The parts of a sidecar's JSON form that tell of ground truth and imagery; null where there were none. Reading throws CorruptData naming
// the place.

Json to_json(const GroundTruthReport& report);
Json to_json(const ImageryReport& report);
GroundTruthReport ground_truth_from_json(const Json& json, const std::string& place);
ImageryReport imagery_from_json(const Json& json, const std::string& place);

}  // namespace tuile::write
