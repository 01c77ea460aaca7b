#include "truth/feature_codec.hpp"

#include <xxhash.h>

#include <bit>
#include <cstring>
#include <type_traits>
#include <unordered_map>

namespace tuile::truth {

namespace {

static_assert(std::endian::native == std::endian::little, "cache entries are little-endian; a big-endian host is not supported");

constexpr std::string_view magic = "TUILETRU";
constexpr std::size_t longest_name = 255;  ///< bytes; bounds what a small damaged entry can make of itself

enum class ValueType : std::uint8_t { null, no, yes, integer, number, text };

class Writer {
 public:
  void raw(std::string_view bytes) { out_ += bytes; }
  template <class T>
  void fixed(T value) {
    static_assert(std::is_arithmetic_v<T>);
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out_.append(bytes, sizeof(T));
  }
  void count(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }
  void text(std::string_view value) {
    count(value.size());
    out_ += value;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::string_view raw(std::uint64_t size) {
    if (size > rest_.size()) fail("is cut short");
    const std::string_view part = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(part.size());
    return part;
  }
  template <class T>
  T fixed() {
    static_assert(std::is_arithmetic_v<T>);
    T value;
    std::memcpy(&value, raw(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = fixed<std::uint8_t>();
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail("holds a number beyond 64 bits");
  }
  /// The number of things to come, each of which takes `smallest` bytes or more: so no more is reserved than the bytes can hold.
  std::size_t count(std::size_t smallest) {
    const std::uint64_t value = number();
    if (value > rest_.size() / smallest) fail("counts more than it holds");
    return static_cast<std::size_t>(value);
  }
  std::string_view text() { return raw(number()); }
  void end() const {
    if (!rest_.empty()) fail("has bytes after its end");
  }
  [[noreturn]] static void fail(const char* what) { throw CorruptData(std::string("the cache entry ") + what + "; it is fetched anew"); }

 private:
  std::string_view rest_;
};

std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) noexcept { return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1))); }

struct WriteValue {
  Writer& out;
  void type(ValueType value) const { out.fixed(static_cast<std::uint8_t>(value)); }
  void operator()(std::monostate) const { type(ValueType::null); }
  void operator()(bool value) const { type(value ? ValueType::yes : ValueType::no); }
  void operator()(std::int64_t value) const {
    type(ValueType::integer);
    out.count(zigzag(value));
  }
  void operator()(double value) const {
    type(ValueType::number);
    out.fixed(value);
  }
  void operator()(const std::string& value) const {
    type(ValueType::text);
    out.text(value);
  }
};

AttributeValue read_value(Reader& in) {
  switch (static_cast<ValueType>(in.fixed<std::uint8_t>())) {
    case ValueType::null: return std::monostate{};
    case ValueType::no: return false;
    case ValueType::yes: return true;
    case ValueType::integer: return unzigzag(in.number());
    case ValueType::number: return in.fixed<double>();
    case ValueType::text: return std::string(in.text());
  }
  Reader::fail("holds a value of no known type");
}

/// The attributes' names, each once, and their numbers: most features of a layer have the same.
class Names {
 public:
  explicit Names(const std::vector<Feature>& features) {
    for (const Feature& feature : features) {
      for (const auto& [name, value] : feature.attributes) {
        if (name.size() > longest_name)
          throw Unsupported("an attribute's name has " + std::to_string(name.size()) + " bytes; at most " + std::to_string(longest_name) +
                            " can be cached, so this answer is fetched every time");
        if (numbers_.try_emplace(name, names_.size()).second) names_.push_back(name);
      }
    }
  }
  const std::vector<std::string_view>& names() const noexcept { return names_; }
  std::size_t number(const std::string& name) const { return numbers_.at(name); }

 private:
  std::vector<std::string_view> names_;
  std::unordered_map<std::string_view, std::size_t> numbers_;
};

Feature read_feature(Reader& in, const std::vector<std::string>& names) {
  Feature feature;
  feature.id = in.text();
  feature.geometry = in.text();
  feature.attributes.resize(in.count(2));
  for (auto& [name, value] : feature.attributes) {
    const std::uint64_t number = in.number();
    if (number >= names.size()) Reader::fail("names an attribute that it does not list");
    name = names[static_cast<std::size_t>(number)];
    value = read_value(in);
  }
  return feature;
}

}  // namespace

std::string encode_entry(const std::string& key, std::int64_t written, const FetchResult& result) {
  if (!is_sound(result.outcome))
    throw Unsupported(std::string("an answer whose outcome is '") + to_string(result.outcome) + "' is not kept; only complete ones are");
  const Names names(result.features);
  Writer out;
  out.fixed(entry_version);
  out.fixed(written);
  out.text(key);
  out.fixed(static_cast<std::uint8_t>(result.outcome));
  out.count(result.invalid);
  out.count(names.names().size());
  for (const std::string_view name : names.names()) out.text(name);
  out.count(result.features.size());
  for (const Feature& feature : result.features) {
    out.text(feature.id);
    out.text(feature.geometry);
    out.count(feature.attributes.size());
    for (const auto& [name, value] : feature.attributes) {
      out.count(names.number(name));
      std::visit(WriteValue{out}, value);
    }
  }
  const std::string body = out.take();
  Writer entry;
  entry.raw(magic);
  entry.fixed(static_cast<std::uint64_t>(XXH3_64bits(body.data(), body.size())));
  entry.raw(body);
  return entry.take();
}

CacheEntry decode_entry(std::string_view bytes, const std::string& key) {
  Reader in(bytes);
  if (in.raw(magic.size()) != magic) Reader::fail("does not begin as one");
  const auto checksum = in.fixed<std::uint64_t>();
  const std::string_view body = bytes.substr(magic.size() + sizeof(checksum));
  if (XXH3_64bits(body.data(), body.size()) != checksum) Reader::fail("does not match its checksum");
  return decode_checked_entry(body, key);
}

CacheEntry decode_checked_entry(std::string_view bytes, const std::string& key) {
  Reader in(bytes);
  CacheEntry entry;
  if (in.fixed<std::uint32_t>() != entry_version) Reader::fail("is of another version");
  entry.written = in.fixed<std::int64_t>();
  if (in.text() != key) Reader::fail("is of another key");
  entry.result.outcome = static_cast<Outcome>(in.fixed<std::uint8_t>());
  if (!is_sound(entry.result.outcome)) Reader::fail("holds an answer that is not complete");
  entry.result.invalid = in.number();
  std::vector<std::string> names(in.count(1));
  for (std::string& name : names) {
    name = in.text();
    if (name.size() > longest_name) Reader::fail("holds an attribute's name that is too long");
  }
  const std::size_t features = in.count(3);
  entry.result.features.reserve(features);
  for (std::size_t i = 0; i < features; ++i) entry.result.features.push_back(read_feature(in, names));
  in.end();
  return entry;
}

}  // namespace tuile::truth
