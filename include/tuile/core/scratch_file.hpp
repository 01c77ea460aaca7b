#pragma once

#include <cstddef>
#include <string>

namespace tuile {

/// Maps `bytes` of a nameless temporary file in `folder`: memory that the kernel can write out where it runs short, and that does not count
/// as the process's own (anonymous) memory. The file's space is reserved before the function returns, so that on file
/// systems that keep such promises a full disk is an error here and not a signal at the first write; the file goes with the mapping,
/// however the process ends. Throws IoError (full disk: with the remedy), PermissionDenied, OutOfMemory.
void* map_scratch_file(const std::string& folder, std::size_t bytes);
void unmap_scratch_file(void* memory, std::size_t bytes) noexcept;

}  // namespace tuile
