# The files of the CUDA backend: for the library where a toolkit was found, and for the tests, which compile the same files for the host.
set(TUILE_CUDA_SOURCES
  attributes.cu
  batch_plan.cpp
  busy_time.cpp
  cuda_error.cpp
  device.cpp
  device_clock.cpp
  device_memory.cpp
  heights.cu
  lane.cpp
  lanes.cpp
  pinned_memory.cpp)
list(TRANSFORM TUILE_CUDA_SOURCES PREPEND "${CMAKE_CURRENT_LIST_DIR}/")
