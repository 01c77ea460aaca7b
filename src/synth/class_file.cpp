#include "synth/class_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "tuile/core/error.hpp"

namespace tuile::synth {

namespace {

constexpr std::size_t header_length = 128;  ///< a multiple of 64, as NumPy aligns its data; room for any count

}  // namespace

ClassFile::ClassFile(std::string path) : path_(std::move(path)), file_(open_descriptor(path_, O_WRONLY | O_TRUNC)) {
  if (!file_) throw_errno(errno, "open", path_);
  write_all(file_.get(), bytes_of(std::string(header_length, '\0')), path_);
}

void ClassFile::write(std::span<const std::uint8_t> classes) {
  write_all(file_.get(), std::as_bytes(classes), path_);
  count_ += classes.size();
}

void ClassFile::finish() {
  constexpr std::size_t prefix = 10;  // magic, version and the length of what follows
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(header_length - prefix);
  header += '\0';
  header += "{'descr': '|u1', 'fortran_order': False, 'shape': (" + std::to_string(count_) + ",), }";
  header.resize(header_length - 1, ' ');
  header += '\n';
  write_all_at(file_.get(), 0, bytes_of(header), path_);
  if (!file_.close()) throw_errno(errno, "close", path_);
}

}  // namespace tuile::synth
