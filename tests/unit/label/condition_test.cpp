#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "tuile/core/error.hpp"
#include "tuile/label/label.hpp"

namespace tuile::label {
namespace {

using features::Feature;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Whether `text` holds for h, planarity and verticality of these values.
bool holds(const std::string& text, float h, float planarity = 0, float verticality = 0) {
  const Condition condition(text);
  std::vector<float> values;
  for (const Feature feature : condition.needs()) {
    switch (feature) {
      case Feature::height_above_ground: values.push_back(h); break;
      case Feature::planarity: values.push_back(planarity); break;
      case Feature::verticality: values.push_back(verticality); break;
      default: ADD_FAILURE() << "unexpected feature " << features::info(feature).name;
    }
  }
  return condition.holds(values);
}

std::string error_of(const std::string& text) {
  try {
    const Condition condition(text);
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "no error";
}

TEST(Condition, OperatorsEitherWayRound) {
  struct Case {
    const char *right, *left;
    bool below, equal, above;
  };
  for (const Case& c :
       {Case{"h < 2", "2 > h", true, false, false}, Case{"h <= 2", "2 >= h", true, true, false}, Case{"h > 2", "2 < h", false, false, true},
        Case{"h >= 2", "2 <= h", false, true, true}, Case{"h = 2", "2 = h", false, true, false},
        Case{"h == 2", "2 == h", false, true, false}, Case{"h != 2", "2 != h", true, false, true}}) {
    for (const char* text : {c.right, c.left}) {
      EXPECT_EQ(holds(text, 1), c.below) << text;
      EXPECT_EQ(holds(text, 2), c.equal) << text;
      EXPECT_EQ(holds(text, 3), c.above) << text;
      EXPECT_FALSE(holds(text, nan)) << text;
    }
  }
  EXPECT_TRUE(holds("planarity < verticality", 0, 1, 2));
  EXPECT_FALSE(holds("planarity < verticality", 0, 2, 1));
  EXPECT_FALSE(holds("planarity != verticality", 0, 2, nan));
  EXPECT_TRUE(holds("1 < 2", nan));
  EXPECT_FALSE(holds("1 >= 2", nan));
}

TEST(Condition, NaNMakesComparisonsFalseAndNotTurnsThem) {
  EXPECT_TRUE(holds("not h < 1", nan));
  EXPECT_TRUE(holds("not (h != 1)", nan));
  EXPECT_FALSE(holds("-1 <= h <= 1", nan));
  EXPECT_TRUE(holds("h < 1 or planarity > 0", nan, 1));
}

TEST(Condition, NumbersAreFloat32) {
  EXPECT_TRUE(holds("h >= 0.2", 0.2F));
  EXPECT_TRUE(holds("h <= 0.2", 0.2F));
  EXPECT_TRUE(holds("h = -.5", -0.5F));
  EXPECT_TRUE(holds("h = +1.5e1", 15));
  EXPECT_TRUE(holds("h=-2", -2));
  EXPECT_TRUE(holds("h = - 2", -2));
  EXPECT_TRUE(holds("h > -3e38", 0));
}

TEST(Condition, ChainsMeanBoth) {
  for (const float h : {-0.4F, -0.3F, 0.5F, 1.0F, 1.1F}) {
    EXPECT_EQ(holds("-0.3 <= h <= 1.0", h), h >= -0.3F && h <= 1.0F) << h;
    EXPECT_EQ(holds("not -0.3 <= h <= 1.0", h), !(h >= -0.3F && h <= 1.0F)) << h;
    EXPECT_EQ(holds("1 > h > -0.3 or planarity > 2", h), 1 > h && h > -0.3F) << h;
  }
  EXPECT_TRUE(holds("0 < h < planarity < verticality", 1, 2, 3));
  EXPECT_FALSE(holds("0 < h < planarity < verticality", 1, 2, 2));
  EXPECT_FALSE(holds("0 < h < planarity < verticality", 2, 2, 3));
}

TEST(Condition, PrecedenceAgreesWithItsTruthTable) {
  struct Case {
    const char* text;
    bool (*expected)(bool a, bool b, bool c);
  };
  // a: h = 1, b: planarity = 1, c: verticality = 1
  for (const Case& t : {Case{"h=1 or planarity=1 and verticality=1", [](bool a, bool b, bool c) { return a || (b && c); }},
                        Case{"h=1 and planarity=1 or verticality=1", [](bool a, bool b, bool c) { return (a && b) || c; }},
                        Case{"(h=1 or planarity=1) and verticality=1", [](bool a, bool b, bool c) { return (a || b) && c; }},
                        Case{"not h=1 and planarity=1 or verticality=1", [](bool a, bool b, bool c) { return (!a && b) || c; }},
                        Case{"not (h=1 and planarity=1) or verticality=1", [](bool a, bool b, bool c) { return !(a && b) || c; }},
                        Case{"NOT Not h=1 And(planarity=1 OR nOT verticality=1)", [](bool a, bool b, bool c) { return a && (b || !c); }},
                        Case{"h=1 or(planarity=1)and not((verticality=1))", [](bool a, bool b, bool c) { return a || (b && !c); }}}) {
    for (int bits = 0; bits < 8; ++bits) {
      const bool a = (bits & 1) != 0, b = (bits & 2) != 0, c = (bits & 4) != 0;
      EXPECT_EQ(holds(t.text, a ? 1 : 0, b ? 1 : 0, c ? 1 : 0), t.expected(a, b, c)) << t.text << " " << bits;
    }
  }
}

TEST(Condition, EmptyIsAlwaysTrueAndNeedsNothing) {
  for (const char* text : {"", " ", "\t\n "}) {
    const Condition condition{std::string(text)};
    EXPECT_TRUE(condition.always());
    EXPECT_TRUE(condition.holds({}));
    EXPECT_TRUE(condition.needs().empty());
  }
  EXPECT_TRUE(Condition().always());
  EXPECT_FALSE(Condition("h < 1").always());
}

TEST(Condition, NeedsEachFeatureOnce) {
  const Condition condition("h > 1 and planarity < 0.5 or height_above_ground < 0 and planarity > linearity");
  EXPECT_EQ(condition.needs(), (std::vector{Feature::height_above_ground, Feature::planarity, Feature::linearity}));
}

TEST(Condition, ErrorsNameThePlaceAndWhatWasExpected) {
  EXPECT_EQ(error_of("h > 1 and planarty < 2"),
            "condition 'h > 1 and planarty < 2': at column 11 'planarty' stands where a feature was expected; the nearest valid name is "
            "'planarity'");
  EXPECT_NE(error_of("Planarity < 2").find("the nearest valid name is 'planarity'"), std::string::npos);
  EXPECT_NE(error_of("H < 2").find("the nearest valid name is 'h'"), std::string::npos);
  EXPECT_NE(error_of("something_else_altogether < 2").find("valid names are h, x, y, z, intensity"), std::string::npos);
  EXPECT_EQ(error_of("h"), "condition 'h': at column 2 the text ends where one of < <= > >= = != was expected");
  EXPECT_EQ(error_of("h 3"), "condition 'h 3': at column 3 '3' stands where one of < <= > >= = != was expected");
  EXPECT_EQ(error_of("h <"), "condition 'h <': at column 4 the text ends where a feature or a number was expected");
  EXPECT_EQ(error_of("h < 3 h"), "condition 'h < 3 h': at column 7 'h' stands where 'and', 'or' or the end was expected");
  EXPECT_EQ(error_of("(h < 3"), "condition '(h < 3': at column 7 the text ends where 'and', 'or' or ')' was expected");
  EXPECT_EQ(error_of("h < 3)"), "condition 'h < 3)': at column 6 ')' stands where 'and', 'or' or the end was expected");
  EXPECT_EQ(error_of("h < 3 and"),
            "condition 'h < 3 and': at column 10 the text ends where a feature, a number, 'not' or '(' was expected");
  EXPECT_EQ(error_of("h ≥ 0.2"), "condition 'h ≥ 0.2': at column 3 '≥' stands where one of < <= > >= = != was expected");
  EXPECT_EQ(error_of("h < - x"), "condition 'h < - x': at column 7 'x' stands where a number was expected");
  EXPECT_EQ(error_of("h < -nan"), "condition 'h < -nan': at column 6 'nan' stands where a number was expected");
  EXPECT_NE(error_of("h < inf").find("a feature was expected"), std::string::npos);
  EXPECT_EQ(error_of("h < 1e99"), "condition 'h < 1e99': at column 5 '1' stands where a number from 1e-38 to 3e38, or 0, was expected");
  EXPECT_NE(error_of("h < ."), "no error");
  EXPECT_NE(error_of("(h) < 1"), "no error");
  EXPECT_NE(error_of("and"), "no error");
  EXPECT_NE(error_of("h ! 1"), "no error");
  EXPECT_NE(error_of("h =< 1"), "no error");
  EXPECT_EQ(error_of(std::string("h <\0\n1", 6)),
            "condition 'h <\\x00\\x0A1': at column 4 '\\x00' stands where a feature or a number was expected");
}

TEST(Condition, SizeIsBounded) {
  std::string joined = "h > 0";
  for (int i = 1; i < 32; ++i) joined += " and h > " + std::to_string(i);
  EXPECT_TRUE(holds(joined, 32));  // 32 comparisons, 31 joins
  EXPECT_FALSE(holds(joined, 31));
  EXPECT_NE(error_of(joined + " and h > 32").find("at most 64"), std::string::npos);
  const auto nested = [](std::size_t levels) { return std::string(levels, '(') + "h > 0" + std::string(levels, ')'); };
  EXPECT_TRUE(holds(nested(31), 1));
  EXPECT_NE(error_of(nested(32)).find("at most 32 levels"), std::string::npos);
  EXPECT_NE(error_of(std::string(1000000, '(')).find("at most 32 levels"), std::string::npos);
  // Every truth waits for the last one.
  std::string deep, closing;
  for (int i = 0; i < 31; ++i) {
    deep += "h > 0 and (";
    closing += ")";
  }
  EXPECT_TRUE(holds(deep + "h > 0" + closing, 1));
  EXPECT_FALSE(holds(deep + "h > 1" + closing, 1));
}

TEST(Condition, DamagedTextsNeverCrash) {
  const std::vector<std::string> pieces{"h", "planarity", "and", "or",           "not",  "(", ")",    "<",   "<=",
                                        ">", ">=",        "=",   "!=",           "==",   "1", "-0.5", "1e9", " ",
                                        ".", "-",         "+",   "\xE2\x89\xA5", "\xFF", "e", "_",    "0x",  std::string(1, '\0')};
  std::mt19937 random(7);
  std::size_t right = 0, wrong = 0;
  for (int trial = 0; trial < 30000; ++trial) {
    std::string text = trial % 2 == 0 ? "-0.3 <= h <= 1.0 and not (planarity < 0.5 or verticality = 0)" : "";
    const int changes = 1 + static_cast<int>(random() % (trial % 2 == 0 ? 3 : 12));
    for (int i = 0; i < changes; ++i) {
      if (trial % 2 == 1) {
        text += pieces[random() % pieces.size()] + (random() % 2 ? " " : "");
      } else if (!text.empty()) {
        const std::size_t at = random() % text.size();
        switch (random() % 3) {
          case 0: text[at] = static_cast<char>(random()); break;
          case 1: text.erase(at, 1 + random() % 5); break;
          default: text.insert(at, pieces[random() % pieces.size()]);
        }
      }
    }
    try {
      const Condition condition(text);
      const std::vector<float> values(condition.needs().size(), 1.0F);
      condition.holds(values);
      ++right;
    } catch (const InvalidArgument& error) {
      EXPECT_NE(std::string(error.what()).find("at column "), std::string::npos);
      ++wrong;
    }
  }
  EXPECT_GT(right, 200U);
  EXPECT_GT(wrong, 10000U);
}

}  // namespace
}  // namespace tuile::label
