#include "las/vlr.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "las/byte_reader.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

/// Reads what VLR and EVLR headers share; returns the length of the payload.
template <class Length>
std::uint64_t parse_record_header(ByteReader& in, Vlr& record) {
  record.reserved = in.get<std::uint16_t>();
  record.user_id = in.text(16);
  record.record_id = in.get<std::uint16_t>();
  const Length length = in.get<Length>();
  record.description = in.text(32);
  return length;
}

template <class Length>
std::vector<std::byte> serialize(const Vlr& record) {
  constexpr std::size_t head = 2 + 16 + 2 + sizeof(Length) + 32;
  std::vector<std::byte> out(head + record.data.size());
  store(out.data(), record.reserved);
  std::memcpy(out.data() + 2, record.user_id.data(), std::min<std::size_t>(16, record.user_id.size()));
  store(out.data() + 18, record.record_id);
  store(out.data() + 20, static_cast<Length>(record.data.size()));
  std::memcpy(out.data() + 20 + sizeof(Length), record.description.data(), std::min<std::size_t>(32, record.description.size()));
  std::copy(record.data.begin(), record.data.end(), out.begin() + head);
  return out;
}

}  // namespace

std::vector<Vlr> parse_vlrs(std::span<const std::byte> bytes, std::uint32_t count) {
  std::vector<Vlr> records;
  ByteReader in(bytes, "the list of " + std::to_string(count) + " VLRs between the header and the points");
  for (std::uint32_t i = 0; i < count; ++i) {
    Vlr record;
    const std::uint64_t length = parse_record_header<std::uint16_t>(in, record);
    const auto data = in.take(length);
    record.data.assign(data.begin(), data.end());
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<Vlr> read_evlrs(const source::ByteSource& source, const Header& header) {
  std::vector<Vlr> records;
  std::uint64_t at = header.evlr_offset;
  std::uint32_t count = header.evlr_count;
  // LAS 1.3 has one such record, the waveforms, where the header says that they are in this file.
  constexpr std::uint16_t internal_waveforms = 1U << 1;
  if (header.version_minor == 3 && (header.global_encoding & internal_waveforms) != 0 && header.waveform_offset != 0) {
    at = header.waveform_offset;
    count = 1;
  }
  constexpr std::uint32_t most_records = 100'000;
  if (count > most_records) {
    throw CorruptData("the header announces " + std::to_string(count) + " EVLRs, at most " + std::to_string(most_records) +
                      " are read; the file is damaged, copy it again");
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto fail = [&](std::uint64_t wanted) {
      throw CorruptData("EVLR " + std::to_string(i + 1) + " of " + std::to_string(count) + " needs " + std::to_string(wanted) +
                        " bytes at offset " + std::to_string(at) + " but the file ends at " + std::to_string(source.size()) +
                        "; the file is truncated or damaged, copy it again");
    };
    if (at < header.point_data_offset || at > source.size() || source.size() - at < evlr_header_size) fail(evlr_header_size);
    std::array<std::byte, evlr_header_size> head{};
    source.read(at, head);
    ByteReader in(head, "an EVLR header");
    Vlr record;
    const std::uint64_t length = parse_record_header<std::uint64_t>(in, record);
    at += evlr_header_size;
    if (length > source.size() - at) fail(length);
    source::append_bytes(source, at, length, record.data);
    at += length;
    records.push_back(std::move(record));
  }
  return records;
}

const Vlr* find_vlr(const std::vector<Vlr>& records, std::string_view user_id, std::uint16_t record_id) noexcept {
  for (const Vlr& record : records) {
    if (record.record_id == record_id && record.user_id == user_id) return &record;
  }
  return nullptr;
}

std::vector<std::byte> serialize_vlr(const Vlr& record) { return serialize<std::uint16_t>(record); }
std::vector<std::byte> serialize_evlr(const Vlr& record) { return serialize<std::uint64_t>(record); }

}  // namespace tuile::las
