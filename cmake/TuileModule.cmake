# tuile_module(NAME SOURCES … DEPENDS modules… LINK libraries…)   a static library tuile_<name>, one per phase of a tile's way
# tuile_test(NAME SOURCES … DEPENDS modules… LINK libraries…)      a GoogleTest executable test_<name>, each test known to ctest

add_library(tuile_flags INTERFACE)
# The host compiler's: nvcc takes its own (src/compute/CMakeLists.txt).
set(tuile_options -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                  -Wno-missing-field-initializers  # members that are left out have their defaults
                  # Same bits whatever the instruction set: no fused multiply-add but where the source asks for one.
                  -ffp-contract=off -fno-math-errno -fno-trapping-math)
target_compile_options(tuile_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${tuile_options}>")
if(TUILE_WERROR)
  target_compile_options(tuile_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(TUILE_SANITIZER STREQUAL "address")
  target_compile_options(tuile_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(tuile_flags INTERFACE -fsanitize=address,undefined)
elseif(TUILE_SANITIZER STREQUAL "thread")
  target_compile_options(tuile_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(tuile_flags INTERFACE -fsanitize=thread)
elseif(NOT TUILE_SANITIZER STREQUAL "")
  message(FATAL_ERROR "TUILE_SANITIZER is '${TUILE_SANITIZER}'; 'address' or 'thread' is expected")
endif()

# The standard headers that most files use, compiled once.
if(NOT EXISTS ${CMAKE_BINARY_DIR}/pch/empty.cpp)  # or every configuration would compile it anew
  file(WRITE ${CMAKE_BINARY_DIR}/pch/empty.cpp "")
endif()
add_library(tuile_pch STATIC ${CMAKE_BINARY_DIR}/pch/empty.cpp)
target_link_libraries(tuile_pch PRIVATE tuile_flags)
target_precompile_headers(tuile_pch PRIVATE <algorithm> <array> <atomic> <chrono> <cmath> <condition_variable> <cstdint> <filesystem>
                          <functional> <map> <memory> <mutex> <optional> <span> <string> <thread> <unordered_map> <vector>)

# The same for tests, which are compiled more often than they run for long: -O1.
set(tuile_test_definitions TUILE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
set(tuile_test_options $<$<CONFIG:Release>:-O1>)
if(TUILE_TESTS)
  if(NOT EXISTS ${CMAKE_BINARY_DIR}/pch/main.cpp)
    file(WRITE ${CMAKE_BINARY_DIR}/pch/main.cpp "int main() {}\n")
  endif()
  add_executable(tuile_test_pch ${CMAKE_BINARY_DIR}/pch/main.cpp)  # -fPIE as its users: gcc takes no header made with other flags, and says so only quietly
  target_link_libraries(tuile_test_pch PRIVATE tuile_flags GTest::gtest)
  target_compile_definitions(tuile_test_pch PRIVATE ${tuile_test_definitions})
  target_compile_options(tuile_test_pch PRIVATE ${tuile_test_options})
  target_precompile_headers(tuile_test_pch PRIVATE <gtest/gtest.h> <algorithm> <array> <atomic> <chrono> <cmath> <condition_variable> <cstdint>
                            <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional> <random> <set> <span> <string> <thread> <vector>)
endif()

# tuile_light_sources(file …): written or read once a run or a tile, and slow to optimise (JSON): -O1.
function(tuile_light_sources)
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-O1>)
endfunction()

function(tuile_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LINK" ${ARGN})
  add_library(tuile_${name} STATIC ${ARG_SOURCES})
  add_library(tuile::${name} ALIAS tuile_${name})
  target_include_directories(tuile_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
                                           PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_compile_features(tuile_${name} PUBLIC cxx_std_20)
  list(TRANSFORM ARG_DEPENDS PREPEND tuile_)
  target_link_libraries(tuile_${name} PUBLIC ${ARG_DEPENDS} PRIVATE $<BUILD_INTERFACE:tuile_flags> ${ARG_LINK})
  set_target_properties(tuile_${name} PROPERTIES EXPORT_NAME ${name})
  target_precompile_headers(tuile_${name} REUSE_FROM tuile_pch)
  set_property(GLOBAL APPEND PROPERTY TUILE_MODULES tuile_${name})
endfunction()

function(tuile_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPENDS;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  add_executable(test_${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_DEPENDS PREPEND tuile_)
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(test_${name} PRIVATE ${ARG_DEPENDS} tuile_flags ${ARG_LINK} GTest::gtest GTest::gtest_main)
  target_compile_definitions(test_${name} PRIVATE ${tuile_test_definitions})
  target_compile_options(test_${name} PRIVATE ${tuile_test_options})
  target_precompile_headers(test_${name} REUSE_FROM tuile_test_pch)
  # One ctest entry per executable: a process per test case would cost more than the tests.
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()
