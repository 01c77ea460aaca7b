#include "tuile/core/scratch_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <vector>

#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"

namespace tuile {

namespace {

Descriptor open_nameless(const std::string& folder) {
  Descriptor nameless = open_descriptor(folder, O_TMPFILE | O_RDWR, 0600);
  if (nameless) return nameless;
  // File systems without nameless files say so in several ways; where the name is made and taken away, it is the same.
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT) return Descriptor();
  static std::atomic<unsigned> count{0};
  const std::string name = folder + "/.tuile-scratch-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
  Descriptor named = open_descriptor(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (named) (void)::unlink(name.c_str());
  return named;
}

/// Space for `bytes`: where the file system cannot promise it, by writing.
bool take_space(int descriptor, std::size_t bytes) {
  int result = 0;
  do result = ::fallocate(descriptor, 0, 0, static_cast<off_t>(bytes));
  while (result != 0 && errno == EINTR);
  if (result == 0) return true;
  if (errno != EOPNOTSUPP && errno != ENOSYS) return false;
  const std::vector<char> zeros(std::size_t{1} << 20);
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t count = ::pwrite(descriptor, zeros.data(), std::min(zeros.size(), bytes - done), static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace

void* map_scratch_file(const std::string& folder, std::size_t bytes) {
  const std::string what = std::to_string(bytes >> 20) + " MiB of a temporary file in";
  const Descriptor file = open_nameless(folder);
  if (!file) throw_errno(errno, ("create " + what).c_str(), folder);
  if (!take_space(file.get(), bytes)) throw_errno(errno, ("reserve " + what).c_str(), folder);
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) throw OutOfMemory("cannot map " + what + " " + folder + "; raise the limit of address space (ulimit -v)");
  return memory;
}

void unmap_scratch_file(void* memory, std::size_t bytes) noexcept { (void)::munmap(memory, bytes); }

}  // namespace tuile
