# The cases: for the test here, and for the check on a card (bench/gpu), which has no GoogleTest.
set(TUILE_CONFORMANCE_SOURCES cases_clouds.cpp cases_features.cpp cases_filters.cpp cases_tiles.cpp compare.cpp shapes.cpp)
list(TRANSFORM TUILE_CONFORMANCE_SOURCES PREPEND "${CMAKE_CURRENT_LIST_DIR}/")
