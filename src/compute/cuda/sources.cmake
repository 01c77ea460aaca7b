# The files of the CUDA backend: for the library where a toolkit was found, and for the tests, which compile the same files for the host.
set(TUILE_CUDA_SOURCES
  attributes.cu
  cuda_error.cpp
  heights.cu)
list(TRANSFORM TUILE_CUDA_SOURCES PREPEND "${CMAKE_CURRENT_LIST_DIR}/")
