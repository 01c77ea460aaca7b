# cmake --install: headers, static libraries, CMake package files, the binary, its man pages and shell completions.
include(CMakePackageConfigHelpers)

get_property(tuile_modules GLOBAL PROPERTY TUILE_MODULES)
add_library(tuile_all INTERFACE)
add_library(tuile::tuile ALIAS tuile_all)
target_link_libraries(tuile_all INTERFACE ${tuile_modules})
set_target_properties(tuile_all PROPERTIES EXPORT_NAME tuile)

set(tuile_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tuile)
install(TARGETS ${tuile_modules} tuile_all EXPORT tuileTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT tuileTargets NAMESPACE tuile:: DESTINATION ${tuile_package_dir})
install(DIRECTORY include/tuile DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# Where there is a CUDA backend, the runtime that it was built with comes along as tuile::cudart.
set(TUILE_CUDART)
if(TUILE_CUDA_FOUND)
  set(TUILE_CUDART libtuile_cudart.a)
  find_library(tuile_cudart_static cudart_static HINTS ${CUDAToolkit_LIBRARY_DIR} REQUIRED NO_CACHE)
  install(FILES ${tuile_cudart_static} DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME ${TUILE_CUDART})
endif()

# What the static libraries link with must be found again by who uses them: the package of a target is what stands before its "::".
set(TUILE_LINKED_PACKAGES)
foreach(module ${tuile_modules})
  get_target_property(libraries ${module} LINK_LIBRARIES)
  list(FILTER libraries INCLUDE REGEX "^[A-Za-z0-9_-]+::")
  list(TRANSFORM libraries REPLACE "::.*" "")
  list(APPEND TUILE_LINKED_PACKAGES ${libraries})
endforeach()
list(REMOVE_DUPLICATES TUILE_LINKED_PACKAGES)
list(JOIN TUILE_LINKED_PACKAGES " " TUILE_LINKED_PACKAGES)
configure_package_config_file(cmake/tuileConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/tuileConfig.cmake INSTALL_DESTINATION ${tuile_package_dir}
                              PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tuileConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tuileConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/tuileConfigVersion.cmake cmake/ImportLibrary.cmake
        DESTINATION ${tuile_package_dir})

if(TARGET tuile)
  install(TARGETS tuile RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
install(FILES docs/completions/tuile.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME tuile)
install(FILES docs/completions/_tuile DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES docs/completions/tuile.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES LICENSE README.md docs/configuration.md docs/features.md docs/outputs.md docs/cpp.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
