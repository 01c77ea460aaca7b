#pragma once

/// Everything that a program begins with; each of these headers says what it has.

#include "tuile/catalog/inputs.hpp"              // folders, globs, lists → input files
#include "tuile/config/load.hpp"                 // YAML and key=value → Config
#include "tuile/core/version.hpp"                // version()
#include "tuile/las/decode.hpp"                  // points of a file
#include "tuile/las/file_info.hpp"               // its header
#include "tuile/las/new_file.hpp"                // a LAS file that does not exist yet
#include "tuile/pipeline/configured_loader.hpp"  // tiles with ground truth and colours, loaded ahead
#include "tuile/pipeline/download.hpp"           // the published tiles of an area
#include "tuile/pipeline/feature_computer.hpp"   // features of points in memory
#include "tuile/pipeline/lidar_processor.hpp"    // the main job
#include "tuile/pipeline/tile_stream.hpp"        // the main job, its tiles handed over one by one
#include "tuile/write/laz_sink.hpp"              // LAZ with extra bytes
#include "tuile/write/verify.hpp"                // outputs against their sidecars
