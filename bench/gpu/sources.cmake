# The program gpu_check: for a machine with a card (CMakeLists.txt here), and with the fake CUDA for the tests.
set(TUILE_GPU_CHECK_SOURCES backend_runs.cpp card.cpp conformance.cpp large_cases.cpp main.cpp report.cpp resident.cpp town.cpp)
list(TRANSFORM TUILE_GPU_CHECK_SOURCES PREPEND "${CMAKE_CURRENT_LIST_DIR}/")
