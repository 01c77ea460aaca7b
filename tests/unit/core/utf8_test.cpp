#include "tuile/core/utf8.hpp"

#include <random>

using namespace tuile;

namespace {

/// How many U+FFFD the text becomes, and nothing else.
int replacements(const std::string& text) {
  const std::u32string codes = utf8_decode(text, text.size());
  EXPECT_EQ(codes, std::u32string(codes.size(), U'\uFFFD')) << text;
  return static_cast<int>(codes.size());
}

}  // namespace

// Expected counts: the Unicode Standard 15.0, tables 3-8 to 3-11.
TEST(Utf8, DamagedCharactersAreReplacedByMaximalSubparts) {
  EXPECT_EQ(replacements("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"), 8);  // longer than need be: no byte begins anything
  EXPECT_EQ(replacements("\xED\xA0\x80\xED\xBF\xBF"), 6);          // surrogates
  EXPECT_EQ(replacements("\xF4\x91\x92\x93\xFF"), 5);              // above U+10FFFF
  EXPECT_EQ(replacements("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"), 4);  // cut off: what could have begun a character is one
  EXPECT_EQ(utf8_decode("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", 9), U"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA\uFFFD\uFFFDB");
}

TEST(Utf8, OneRuleForAllThatReadTexts) {
  EXPECT_EQ(clean_utf8("a\xE1\x80z"), "a\uFFFDz");
  EXPECT_EQ(clean_utf8("a\tb\x7F"), "a b ");
  EXPECT_EQ(clean_utf8("\u00C9glise \U0001F3E0"), "\u00C9glise \U0001F3E0");
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 8, '\0');
    for (char& c : bytes) c = static_cast<char>(0x20 + random() % 0xE0);
    std::erase(bytes, '\x7F');
    const std::string clean = clean_utf8(bytes);
    ASSERT_TRUE(is_utf8(clean));
    ASSERT_EQ(clean, utf8_encode(utf8_decode(bytes, bytes.size())));
    ASSERT_EQ(is_utf8(bytes), clean == bytes) << clean;
  }
}

TEST(Utf8, EveryCharacterComesBack) {
  for (char32_t code = 1; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, code);
    const Utf8Character character = utf8_character(text);
    ASSERT_TRUE(character.sound && character.code == code && character.length == text.size()) << static_cast<unsigned>(code);
  }
  for (const char32_t none : {U'\xD800', U'\xDFFF', static_cast<char32_t>(0x110000)}) {
    std::string text;
    append_utf8(text, none);
    EXPECT_EQ(text, "\uFFFD");
  }
}

TEST(Utf8, DecodesNoMoreThanAskedFor) { EXPECT_EQ(utf8_decode("\u00E9t\u00E9", 2), U"\u00E9t"); }
