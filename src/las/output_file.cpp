#include "las/output_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "tuile/core/error.hpp"

namespace tuile::las {

OutputFile::OutputFile(std::string path) : path_(std::move(path)), descriptor_(open_descriptor(path_, O_WRONLY | O_CREAT | O_TRUNC, 0666)) {
  if (!descriptor_) throw_errno(errno, "create", path_);
}

void OutputFile::append(std::span<const std::byte> bytes) {
  write_all_at(descriptor_.get(), size_, bytes, path_);
  size_ += bytes.size();
}

void OutputFile::patch(std::uint64_t offset, std::span<const std::byte> bytes) { write_all_at(descriptor_.get(), offset, bytes, path_); }

void OutputFile::close() {
  if (!descriptor_.close()) throw_errno(errno, "close", path_);
}

}  // namespace tuile::las
