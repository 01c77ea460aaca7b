#include "write/npz/npz_reader.hpp"

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"

namespace tuile::write {

namespace {

constexpr std::uint64_t max32 = 0xFFFFFFFFU;
constexpr std::uint64_t largest_directory = 1U << 20;  // ours have a dozen members of under 100 bytes
constexpr std::size_t largest_npy_header = 10 + 65535;

struct Member {
  std::string name;
  std::uint64_t method = 0, size = 0, stored_size = 0, header_offset = 0;
};

class NpzReader {
 public:
  explicit NpzReader(const std::filesystem::path& path) : path_(path.string()), file_(open_for_reading(path_)) {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) throw_errno(errno, "read the size of", path_);
    if (!S_ISREG(status.st_mode)) fail("it is not a file");
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  std::vector<NpzArray> arrays() {
    std::vector<NpzArray> result;
    for (const Member& member : directory()) {
      if (member.name.size() < 5 || member.name.substr(member.name.size() - 4) != ".npy")
        fail("member '" + member.name + "' is no .npy array");
      result.push_back({member.name.substr(0, member.name.size() - 4), array_header(member)});
    }
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw CorruptData(path_ + ": damaged NPZ file: " + what); }

  std::vector<std::byte> read(std::uint64_t offset, std::uint64_t count) const {
    if (offset > size_ || count > size_ - offset)
      fail("bytes " + std::to_string(offset) + " + " + std::to_string(count) + " lie beyond its " + std::to_string(size_));
    std::vector<std::byte> bytes(count);
    if (read_some(file_.get(), offset, bytes, path_) != count) fail("it ends early");
    return bytes;
  }

  /// Little-endian number of `width` bytes.
  std::uint64_t number(const std::vector<std::byte>& bytes, std::size_t offset, std::size_t width) const {
    if (offset > bytes.size() || width > bytes.size() - offset) fail("a record is cut short");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value |= static_cast<std::uint64_t>(bytes[offset + i]) << (8 * i);
    return value;
  }

  std::vector<Member> directory() {
    // Our archives have no comment: the end record is the last 22 bytes.
    if (size_ < 22) fail("it has only " + std::to_string(size_) + " bytes");
    const std::vector<std::byte> end = read(size_ - 22, 22);
    if (number(end, 0, 4) != 0x06054B50) fail("the end record of the archive is missing");
    std::uint64_t entries = number(end, 10, 2), size = number(end, 12, 4), offset = number(end, 16, 4);
    if (entries == 0xFFFF || size == max32 || offset == max32) {
      if (size_ < 22 + 20 + 56) fail("the ZIP64 end records are missing");
      const std::vector<std::byte> end64 = read(size_ - 22 - 20 - 56, 56);
      if (number(end64, 0, 4) != 0x06064B50) fail("the ZIP64 end record is missing");
      entries = number(end64, 32, 8);
      size = number(end64, 40, 8);
      offset = number(end64, 48, 8);
    }
    if (size > largest_directory) fail("its directory claims " + std::to_string(size) + " bytes");
    const std::vector<std::byte> bytes = read(offset, size);
    std::vector<Member> members;
    std::size_t at = 0;
    for (; at < bytes.size() && members.size() < entries;) members.push_back(member(bytes, at));
    if (members.size() != entries || at != bytes.size())
      fail("its directory does not have the " + std::to_string(entries) + " members it claims");
    return members;
  }

  Member member(const std::vector<std::byte>& bytes, std::size_t& at) const {
    if (number(bytes, at, 4) != 0x02014B50) fail("a directory record is missing");
    Member member;
    member.method = number(bytes, at + 10, 2);
    member.stored_size = number(bytes, at + 20, 4);
    member.size = number(bytes, at + 24, 4);
    member.header_offset = number(bytes, at + 42, 4);
    const std::size_t name = number(bytes, at + 28, 2), extra = number(bytes, at + 30, 2), comment = number(bytes, at + 32, 2);
    const std::size_t start = at + 46;
    if (name + extra + comment > bytes.size() - std::min(start, bytes.size())) fail("a directory record is cut short");
    member.name.assign(reinterpret_cast<const char*>(bytes.data()) + start, name);
    if (member.size == max32 || member.stored_size == max32 || member.header_offset == max32) {
      // Our ZIP64 field comes first and has all three numbers.
      const std::size_t field = start + name;
      if (extra < 28 || number(bytes, field, 2) != 1 || number(bytes, field + 2, 2) != 24)
        fail("member '" + member.name + "' lacks its ZIP64 field");
      member.size = number(bytes, field + 4, 8);
      member.stored_size = number(bytes, field + 12, 8);
      member.header_offset = number(bytes, field + 20, 8);
    }
    at = start + name + extra + comment;
    return member;
  }

  NpyHeader array_header(const Member& member) const {
    const std::vector<std::byte> local = read(member.header_offset, 30);
    if (number(local, 0, 4) != 0x04034B50) fail("member '" + member.name + "' is not where the directory says");
    const std::uint64_t start = member.header_offset + 30 + number(local, 26, 2) + number(local, 28, 2);
    if (start > size_ || member.stored_size > size_ - start) fail("member '" + member.name + "' passes the end of the file");
    std::vector<std::byte> bytes = read(start, std::min<std::uint64_t>(member.stored_size, largest_npy_header));
    if (member.method == 8)
      bytes = inflate_start(bytes, member.name);
    else if (member.method != 0 || member.size != member.stored_size)
      fail("member '" + member.name + "' is neither stored nor deflated");
    std::size_t length = 0;
    std::optional<NpyHeader> header = parse_npy_header(bytes, length);
    if (!header) fail("array '" + member.name + "' has no sound header");
    const std::uint64_t item = npy_item_size(header->descr);
    if (item == 0) fail("array '" + member.name + "' has elements of type '" + header->descr + "'");
    std::uint64_t data = item;
    for (const std::uint64_t extent : header->shape)
      if (__builtin_mul_overflow(data, extent, &data)) fail("array '" + member.name + "' claims more elements than there can be");
    if (member.size < length || data != member.size - length)
      fail("array '" + member.name + "' claims " + std::to_string(data) + " bytes, its member has " + std::to_string(member.size));
    return *header;
  }

  std::vector<std::byte> inflate_start(std::vector<std::byte>& bytes, const std::string& name) const {
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw OutOfMemory("cannot allocate the inflate state");
    const std::unique_ptr<z_stream, decltype(&inflateEnd)> guard(&stream, &inflateEnd);
    std::vector<std::byte> out(largest_npy_header);
    stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int result = inflate(&stream, Z_SYNC_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) fail("member '" + name + "' cannot be inflated");
    out.resize(stream.total_out);
    return out;
  }

  std::string path_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace

std::vector<NpzArray> read_npz_headers(const std::filesystem::path& path) { return NpzReader(path).arrays(); }

}  // namespace tuile::write
