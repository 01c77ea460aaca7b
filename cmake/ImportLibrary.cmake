# For libraries that come without CMake package files. Also installed, for who links the static libraries of tuile.

# Makes the imported target `target` from a header and a library, and sets <target>_FOUND.
macro(tuile_import_library target header library)
  string(TOUPPER ${target} tuile_prefix)
  find_path(${tuile_prefix}_INCLUDE_DIR ${header})
  find_library(${tuile_prefix}_LIBRARY ${library})
  mark_as_advanced(${tuile_prefix}_INCLUDE_DIR ${tuile_prefix}_LIBRARY)
  set(${target}_FOUND FALSE)
  if(${tuile_prefix}_INCLUDE_DIR AND ${tuile_prefix}_LIBRARY)
    set(${target}_FOUND TRUE)
    if(NOT TARGET ${target})
      add_library(${target} SHARED IMPORTED)
      set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${tuile_prefix}_LIBRARY}
                            INTERFACE_INCLUDE_DIRECTORIES ${${tuile_prefix}_INCLUDE_DIR})
    endif()
  endif()
endmacro()
