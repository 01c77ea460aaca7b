#include "synth/class_file.hpp"

#include <cerrno>
#include <utility>

#include "tuile/core/error.hpp"

namespace tuile::synth {

namespace {

constexpr std::size_t header_length = 128;  ///< a multiple of 64, as NumPy aligns its data; room for any count

}  // namespace

ClassFile::ClassFile(std::string path) : path_(std::move(path)), file_(path_, std::ios::binary | std::ios::trunc) {
  check();
  file_ << std::string(header_length, '\0');
  check();
}

void ClassFile::write(std::span<const std::uint8_t> classes) {
  file_.write(reinterpret_cast<const char*>(classes.data()), static_cast<std::streamsize>(classes.size()));
  check();
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
  file_.seekp(0);
  file_ << header;
  file_.close();
  check();
}

void ClassFile::check() const {
  if (!file_) throw_errno(errno != 0 ? errno : EIO, "write", path_);
}

}  // namespace tuile::synth
