#include "truth/feature_codec.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace tuile::truth {
namespace {

const std::string key = "4:fake3:key";

FetchResult sample() {
  FetchResult result;
  result.outcome = Outcome::data;
  result.invalid = 300;
  result.features.push_back(
      {"BATIMENT1", std::string("\x01\x00\xff\x80wkb", 7), {{"hauteur", 3.25}, {"étages", std::int64_t{-7}}, {"NUL", std::monostate{}}}});
  result.features.push_back({"", "", {}});
  result.features.push_back({std::string("B\0C", 3),
                             std::string(300, 'g'),
                             {{"hauteur", std::string()},
                              {"yes", true},
                              {"no", false},
                              {"", std::string("\xff\xfe", 2)},
                              {"least", std::numeric_limits<std::int64_t>::min()},
                              {"most", std::numeric_limits<std::int64_t>::max()},
                              {"tiny", std::numeric_limits<double>::denorm_min()},
                              {"-0", -0.0},
                              {"inf", -std::numeric_limits<double>::infinity()}}});
  return result;
}

void expect_same(const FetchResult& a, const FetchResult& b) {
  EXPECT_EQ(a.outcome, b.outcome);
  EXPECT_EQ(a.invalid, b.invalid);
  ASSERT_EQ(a.features.size(), b.features.size());
  for (std::size_t i = 0; i < a.features.size(); ++i) {
    EXPECT_EQ(a.features[i].id, b.features[i].id);
    EXPECT_EQ(a.features[i].geometry, b.features[i].geometry);
    EXPECT_EQ(a.features[i].attributes, b.features[i].attributes);
  }
}

TEST(FeatureCodec, gives_back_what_it_took) {
  const CacheEntry entry = decode_entry(encode_entry(key, -123456789, sample()), key);
  EXPECT_EQ(entry.written, -123456789);
  expect_same(entry.result, sample());
  EXPECT_TRUE(std::signbit(std::get<double>(entry.result.features[2].attributes[7].second)));

  FetchResult nothing;
  nothing.outcome = Outcome::confirmed_empty;
  expect_same(decode_entry(encode_entry("", 0, nothing), "").result, nothing);

  FetchResult nan = sample();
  nan.features[0].attributes[0].second = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(std::get<double>(decode_entry(encode_entry(key, 0, nan), key).result.features[0].attributes[0].second)));
}

TEST(FeatureCodec, refuses_what_it_cannot_keep) {
  for (const Outcome outcome : {Outcome::failed, Outcome::truncated, Outcome::not_requested}) {
    FetchResult result = sample();
    result.outcome = outcome;
    EXPECT_THROW(encode_entry(key, 0, result), Unsupported);
  }
  FetchResult result = sample();
  result.features[0].attributes[0].first = std::string(255, 'n');
  expect_same(decode_entry(encode_entry(key, 0, result), key).result, result);
  result.features[0].attributes[0].first += 'n';
  EXPECT_THROW(encode_entry(key, 0, result), Unsupported);
}

TEST(FeatureCodec, every_damaged_byte_and_every_cut_is_seen) {
  const std::string whole = encode_entry(key, 5, sample());
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_THROW(decode_entry(whole.substr(0, size), key), CorruptData) << size;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      EXPECT_THROW(decode_entry(damaged, key), CorruptData) << at;
    }
  }
  EXPECT_THROW(decode_entry(whole + '\0', key), CorruptData);
  EXPECT_THROW(decode_entry(whole, key + "x"), CorruptData);
  EXPECT_THROW(decode_entry(whole, ""), CorruptData);
}

TEST(FeatureCodec, no_bytes_at_all_do_harm) {
  // What the checksum would have refused, walked over all the same: cuts, changed bytes, large counts, parts doubled and dropped.
  const std::string body = encode_entry(key, 5, sample()).substr(16);
  std::mt19937 random(7);
  int refused = 0, taken = 0;
  for (int round = 0; round < 60000; ++round) {
    std::string bytes = body;
    for (std::size_t changes = 1 + random() % 3; changes-- > 0;) {
      const std::size_t at = random() % (bytes.size() + 1);
      switch (random() % 5) {
        case 0: bytes.resize(at); break;
        case 1: bytes.insert(at, 1 + random() % 9, static_cast<char>(0xFF)); break;
        case 2: bytes.erase(at, random() % 20); break;
        case 3: bytes.insert(at, bytes.substr(random() % (bytes.size() + 1), random() % 40)); break;
        default:
          if (at < bytes.size()) bytes[at] = static_cast<char>(random());
      }
      if (bytes.empty()) bytes.push_back(0);
    }
    try {
      const CacheEntry entry = decode_checked_entry(bytes, key);
      EXPECT_TRUE(is_sound(entry.result.outcome));
      ++taken;
    } catch (const CorruptData&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
  EXPECT_GT(taken, 100);
}

}  // namespace
}  // namespace tuile::truth
