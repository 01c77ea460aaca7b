#include <gtest/gtest.h>

#include <random>

#include "recorded.hpp"
#include "truth/wfs.hpp"
#include "truth/wkb_bounds.hpp"

namespace tuile::test {
namespace {

/// Whether the bytes are UTF-8 without control characters of C, by a reading of RFC 3629's table.
bool is_utf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&](std::size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
    const auto tail = [&](std::size_t k) { return at(k) >= 0x80 && at(k) <= 0xBF; };
    const unsigned a = at(0), b = at(1);
    std::size_t length = 0;
    if (a > 0 && a <= 0x7F) length = 1;
    if (a >= 0xC2 && a <= 0xDF && tail(1)) length = 2;
    if (((a == 0xE0 && b >= 0xA0 && b <= 0xBF) || (a >= 0xE1 && a <= 0xEF && a != 0xED && tail(1)) ||
         (a == 0xED && b >= 0x80 && b <= 0x9F)) &&
        tail(2))
      length = 3;
    if (((a == 0xF0 && b >= 0x90 && b <= 0xBF) || (a >= 0xF1 && a <= 0xF3 && tail(1)) || (a == 0xF4 && b >= 0x80 && b <= 0x8F)) &&
        tail(2) && tail(3))
      length = 4;
    if (length == 0) return false;
    i += length;
  }
  return true;
}

/// What must hold of every answer that is taken.
void expect_sound(const truth::GeoJsonPage& page) {
  ASSERT_EQ(page.features.size() + page.invalid, page.entries);
  for (const truth::Feature& feature : page.features) {
    ASSERT_FALSE(feature.id.empty());
    ASSERT_TRUE(is_utf8(feature.id));
    const Bounds box = truth::wkb_bounds(feature.geometry);
    ASSERT_FALSE(box.empty());
    ASSERT_LE(std::max({-box.min_x, -box.min_y, box.max_x, box.max_y}), 1e9);  // unreadable WKB would give infinities
    for (const auto& [name, value] : feature.attributes) {
      ASSERT_TRUE(is_utf8(name));
      if (const auto* text = std::get_if<std::string>(&value)) {
        ASSERT_TRUE(is_utf8(*text));
      }
    }
  }
}

std::string mutated(std::string text, std::mt19937& random) {
  const auto place = [&] { return random() % (text.size() + 1); };
  const std::string marks = "{}[]\",:\\0123456789.eE+-ntfNI \xC3\xA9\xFF";
  for (unsigned changes = 1 + random() % 4; changes > 0 && !text.empty(); --changes) {
    const std::size_t at = std::min(place(), text.size() - 1);
    switch (random() % 7) {
      case 0: text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1u << random() % 8)); break;
      case 1: text[at] = marks[random() % marks.size()]; break;
      case 2: text.insert(at, 1, marks[random() % marks.size()]); break;
      case 3: text.erase(at, 1 + random() % 40); break;
      case 4: text.resize(at); break;
      case 5: text.insert(at, text.substr(place(), random() % 100)); break;
      default: text[at] = static_cast<char>(random()); break;
    }
  }
  return text;
}

std::vector<std::string> seeds() {
  std::vector<std::string> texts{
      R"({"type":"FeatureCollection","numberMatched":"3","crs":{"type":"name","properties":{"name":"EPSG:2154"}},"features":[)"
      R"({"type":"Feature","id":1,"geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":["1",2,NaN]},)"
      R"({"type":"Polygon","coordinates":[[[0,0,1],[1,0,1],[1,1,1e2]]]}]},"properties":{"a":{"b":[null,true,-1.5e-3]},"c":"\u00e9\ud83d\ude00\""}}]})",
      // Mostly text: most of what happens to it leaves it readable.
      R"({"type":"FeatureCollection","features":[{"type":"Feature","id":"batiment.1","geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]},)"
      R"("properties":{"cleabs":"BATIMENT0000000000000001","toponyme":")" +
          std::string(600, 'a') + R"("}}]})",
      R"({"version":"2.0.0","exceptions":[{"code":"NoApplicableCode","locator":"noLocator","text":"a"}]})",
      R"(<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><ows:ExceptionReport xmlns:ows="o"><!-- c --><ows:Exception exceptionCode="X" locator='y'>)"
      R"(<ows:ExceptionText>a &lt; &#233; <![CDATA[b]]></ows:ExceptionText></ows:Exception></ows:ExceptionReport>)",
      R"(<ServiceExceptionReport><ServiceException code="a">b</ServiceException></ServiceExceptionReport>)"};
  for (const auto& path : recorded_answers()) {
    std::string text = read_text(path);
    if (text.size() < 12'000) texts.push_back(std::move(text));
  }
  return texts;
}

TEST(GeoJsonDamage, MutatedAnswersAreReadOrRefused) {
  std::mt19937 random(20261123);
  int read = 0, refused = 0;
  for (const std::string& seed : seeds()) {
    for (int i = 0; i < 3000; ++i) {
      const std::string text = mutated(seed, random);
      try {
        const truth::GeoJsonPage page = truth::parse_geojson(text, "cleabs");
        ++read;
        ASSERT_NO_FATAL_FAILURE(expect_sound(page)) << text;
      } catch (const CorruptData&) {
        ++refused;
      }
      ASSERT_TRUE(is_utf8(truth::exception_text(text))) << text;
    }
  }
  EXPECT_GT(read, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(GeoJsonDamage, EveryTruncationIsRefused) {
  for (const std::string& seed : seeds()) {
    if (seed.find("FeatureCollection") == std::string::npos) continue;
    const std::size_t end = seed.find_last_of('}');
    const std::size_t step = seed.size() > 2000 ? 7 : 1;
    for (std::size_t length = 0; length <= end; length += step) {
      EXPECT_THROW(truth::parse_geojson(std::string_view(seed).substr(0, length), "cleabs"), CorruptData) << length;
    }
  }
}

TEST(GeoJsonDamage, ExceptionsOfEveryLength) {
  for (const std::string& seed : seeds()) {
    for (std::size_t length = 0; length <= std::min<std::size_t>(seed.size(), 2000); ++length) {
      const std::string text = truth::exception_text(std::string_view(seed).substr(0, length));
      EXPECT_TRUE(is_utf8(text));
      EXPECT_TRUE(seed.find("xception") != std::string::npos || text.empty());
    }
  }
}

TEST(GeoJsonDamage, LargeAnswersTakeLinearTime) {
  // Three megabytes of each shape that makes careless readers quadratic: the test would not end within its time-out.
  const auto repeated = [](const std::string& piece, std::size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += piece;
    return text;
  };
  const std::size_t bytes = 3'000'000;
  const std::string head = R"({"type":"FeatureCollection","features":[{"geometry":)", point = R"({"type":"Point","coordinates":[1,2]})";
  EXPECT_EQ(
      truth::parse_geojson(head + point + R"(,"properties":{)" + repeated("\"a\":1,", bytes) + "\"b\":2}}]}", "cleabs").features.size(),
      1u);
  EXPECT_EQ(truth::parse_geojson(head + R"({"type":"LineString","coordinates":[)" + repeated("[1,2],", bytes) + "[3,4]]}}]}", "b")
                .features.size(),
            1u);
  EXPECT_EQ(
      truth::parse_geojson(head + R"({"type":"MultiPoint","coordinates":[)" + repeated("[],", bytes) + "[3,4]]}}]}", "b").features.size(),
      1u);
  EXPECT_GT(truth::parse_geojson(head + point + "}," + repeated("0,", bytes) + "0]}", "b").invalid, bytes / 2 - 1);
  EXPECT_FALSE(truth::exception_text("<ExceptionReport><ExceptionText>" + repeated("&", bytes)).empty());
  EXPECT_FALSE(truth::exception_text("<ExceptionReport>" + repeated("<a b='", bytes)).empty());
  EXPECT_FALSE(truth::exception_text("<ExceptionReport>" + repeated("<![CDATA[", bytes)).empty());
  EXPECT_TRUE(truth::exception_text(repeated("<!--", bytes)).empty());
}

}  // namespace
}  // namespace tuile::test
