# tuile_cuda_on_host()   the object library tuile_cuda_on_host: the sources of the CUDA backend (src/compute/cuda/sources.cmake), compiled for
#                        the host against the fake CUDA; with it a test has the backend "cuda" whatever the machine and the build. Its
#                        objects win over the archive tuile_compute, which has the real backend or the one that says why there is none.
#                        And tuile_on_fake_cuda, the command line with that backend (TUILE_FAKE_CUDA says which devices there are).
function(tuile_cuda_on_host)
  include(${CMAKE_SOURCE_DIR}/src/compute/cuda/sources.cmake)
  add_library(tuile_cuda_on_host OBJECT ${TUILE_CUDA_SOURCES})
  set_source_files_properties(${TUILE_CUDA_SOURCES} PROPERTIES LANGUAGE CXX)
  target_include_directories(tuile_cuda_on_host PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(tuile_cuda_on_host PUBLIC tuile_fake_cuda tuile_compute PRIVATE tuile_flags
                        INTERFACE $<TARGET_OBJECTS:tuile_fake_cuda>)
  # Emulated kernels are slow enough without being compiled for debugging. The pragmas are nvcc's.
  target_compile_options(tuile_cuda_on_host PRIVATE -O2 -Wno-unknown-pragmas)

  add_executable(tuile_on_fake_cuda ${CMAKE_SOURCE_DIR}/apps/tuile/main.cpp)
  target_link_libraries(tuile_on_fake_cuda PRIVATE tuile_cuda_on_host tuile_command tuile_flags)
endfunction()
