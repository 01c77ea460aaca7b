# Finds what scripts/setup.sh installs, and says plainly what is missing.

# group: of scripts/setup.sh, where it is not the main job that needs it.
function(tuile_missing what package)
  string(JOIN " " command scripts/setup.sh ${ARGN})
  message(FATAL_ERROR "${what} was not found (package ${package}). Run ${command}, which installs it.")
endfunction()

find_package(Threads REQUIRED)

include(ImportLibrary)
tuile_import_library(laszip laszip/laszip_api.h laszip)
if(NOT laszip_FOUND)
  tuile_missing("LASzip" "liblaszip-dev")
endif()
tuile_import_library(xxhash xxhash.h xxhash)
if(NOT xxhash_FOUND)
  tuile_missing("xxHash" "libxxhash-dev")
endif()

tuile_import_library(geos geos_c.h geos_c)
if(NOT geos_FOUND)
  tuile_missing("GEOS" "libgeos-dev")
endif()

foreach(entry "TBB|TBB|libtbb-dev" "ZLIB|zlib|zlib1g-dev" "yaml-cpp|yaml-cpp|libyaml-cpp-dev" "CLI11|CLI11|libcli11-dev"
        "fmt|fmt|libfmt-dev" "nlohmann_json|nlohmann-json|nlohmann-json3-dev" "CURL|libcurl|libcurl4-openssl-dev" "GDAL|GDAL|libgdal-dev")
  string(REPLACE "|" ";" entry "${entry}")
  list(GET entry 0 name)
  list(GET entry 1 title)
  list(GET entry 2 package)
  find_package(${name} QUIET)
  if(NOT ${name}_FOUND)
    tuile_missing("${title}" "${package}")
  endif()
endforeach()
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

if(TUILE_TESTS)
  find_package(GTest QUIET)
  if(NOT GTest_FOUND)
    tuile_missing("GoogleTest" "libgtest-dev" tests)
  endif()
endif()
