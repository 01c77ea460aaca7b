#include "tuile/source/byte_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "source/short_read.hpp"
#include "source/traffic_meter.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"

namespace tuile::source {

void throw_short(const std::string& name, std::uint64_t offset, std::size_t wanted, std::uint64_t have) {
  throw CorruptData("cannot read " + std::to_string(wanted) + " bytes at offset " + std::to_string(offset) + " of " + name +
                    ": it ends at " + std::to_string(have) +
                    " bytes; the file is truncated or was changed while it was read, copy it again");
}

namespace {

/// pread, not mmap: a file that shrinks while it is read must be an error, not a SIGBUS.
class FileSource final : public ByteSource {
 public:
  // O_NONBLOCK: opening a FIFO would wait for its writer. It means nothing to a regular file.
  explicit FileSource(const std::string& path) : name_(path), descriptor_(open_descriptor(path, O_RDONLY | O_NONBLOCK)) {
    if (!descriptor_) throw_errno(errno, "open", path);
    struct stat status {};
    if (::fstat(descriptor_.get(), &status) != 0) throw_errno(errno, "stat", path);
    if (!S_ISREG(status.st_mode)) {
      throw InvalidArgument("cannot read " + path + ": it is " + (S_ISDIR(status.st_mode) ? "a folder" : "not a regular file") +
                            "; a LAS or LAZ file is expected");
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
    modified_ns_ = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
  }
  const std::string& name() const noexcept override { return name_; }
  std::uint64_t size() const noexcept override { return size_; }

  std::int64_t modified_ns() const noexcept override { return modified_ns_; }
  Traffic traffic() const noexcept override { return meter_.traffic(); }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    const TrafficMeter::Timer timer(meter_);
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = ::pread(descriptor_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (got < 0) {
        if (errno == EINTR) continue;
        throw_errno(errno, "read", name_);
      }
      if (got == 0) throw_short(name_, offset, out.size(), offset + done);
      done += static_cast<std::size_t>(got);
      meter_.add(static_cast<std::uint64_t>(got));
    }
  }

 private:
  std::string name_;
  Descriptor descriptor_;
  std::uint64_t size_ = 0;
  std::int64_t modified_ns_ = 0;
  mutable TrafficMeter meter_;
};

class MemorySource final : public ByteSource {
 public:
  MemorySource(std::span<const std::byte> bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}
  const std::string& name() const noexcept override { return name_; }
  std::uint64_t size() const noexcept override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) throw_short(name_, offset, out.size(), bytes_.size());
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  }

 private:
  std::span<const std::byte> bytes_;
  std::string name_;
};

}  // namespace

std::unique_ptr<ByteSource> open_file(const std::string& path) { return std::make_unique<FileSource>(path); }

std::unique_ptr<ByteSource> from_memory(std::span<const std::byte> bytes, std::string name) {
  return std::make_unique<MemorySource>(bytes, std::move(name));
}

void append_bytes(const ByteSource& source, std::uint64_t offset, std::uint64_t size, std::vector<std::byte>& bytes) {
  constexpr std::uint64_t piece = std::uint64_t{16} << 20;
  for (std::uint64_t done = 0; done < size;) {
    const std::size_t before = bytes.size();
    const auto count = static_cast<std::size_t>(std::min(piece, size - done));
    bytes.resize(before + count);
    source.read(offset + done, std::span(bytes).subspan(before));
    done += count;
  }
}

Buffer<std::byte> read_all(const ByteSource& source) {
  Buffer<std::byte> bytes(source.size());
  if (!bytes.empty()) source.read(0, bytes.span());
  return bytes;
}

}  // namespace tuile::source
