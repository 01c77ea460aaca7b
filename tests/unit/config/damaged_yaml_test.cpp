// Damaged YAML of any kind gives a configuration or a ConfigError, never a crash or another exception.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tuile/config/load.hpp"
#include "tuile/core/error.hpp"

namespace tuile::config {
namespace {

/// 1: taken, 0: refused with a ConfigError. Anything else fails the test.
int outcome(const std::string& yaml) {
  try {
    parse_config(yaml);
    return 1;
  } catch (const ConfigError&) {
    return 0;
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what() << "\nfor: " << yaml.substr(0, 2000);
  }
  return -1;
}

TEST(DamagedYaml, RandomDamage) {
  std::mt19937 random(1);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  const std::vector<std::string> pieces{
      "{",           "}",     "[",     "]",     ":",  ": ", "- ",  "? ",         "\n",   "\n  ", "\t",
      "#",           "&a ",   "*a",    "!!x ",  "!<", "|",  ">",   "'",          "\"",   "\\",   "%",
      "%YAML 1.2\n", "---\n", "...\n", "@",     "`",  ",",  "~",   "null",       "\xff", "\xc3", "\xEF\xBB\xBF",
      "\xFE\xFF",    "\r",    "<<: ",  "1e400", "-0", "0x", "\\u", "\\UFFFFFFFF"};
  std::vector<std::string> seeds{effective_yaml(Config{})};
  for (const Preset& preset : presets()) seeds.emplace_back(preset.yaml);
  seeds.emplace_back(
      "features: {set: [x, y, \"density\"], scales: [{k: 50}, {radius: 2}]}\nmemory: {budget: 4GiB}\noutput: 'a b'\ntrace: "
      "\"t\\n\\x41\"\ninput:\n- >\n  folded\n- |\n  kept\n");
  int taken = 0, refused = 0;
  for (int round = 0; round < 30000; ++round) {
    std::string yaml = seeds[below(seeds.size())];
    for (std::size_t change = 0, changes = 1 + below(4); change < changes && !yaml.empty(); ++change) {
      const std::size_t at = below(yaml.size());
      switch (below(5)) {
        case 0: yaml[at] = static_cast<char>(1 + below(255)); break;
        case 1: yaml.insert(at, pieces[below(pieces.size())]); break;
        case 2: yaml.erase(at, 1 + below(8)); break;
        case 3: yaml.resize(at); break;
        default: yaml.insert(below(yaml.size()), yaml.substr(at, 1 + below(40))); break;
      }
    }
    const int result = outcome(yaml);
    ASSERT_NE(result, -1);
    (result == 1 ? taken : refused) += 1;
  }
  EXPECT_GT(taken, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(DamagedYaml, RandomBytes) {
  std::mt19937 random(2);
  for (int round = 0; round < 5000; ++round) {
    std::string yaml(std::uniform_int_distribution<std::size_t>(1, 200)(random), ' ');
    for (char& c : yaml) c = static_cast<char>(random());
    ASSERT_NE(outcome(yaml), -1);
  }
}

TEST(DamagedYaml, DeepNestingDoesNotRecurse) {
  const auto repeat = [](const std::string& piece, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += piece;
    return out;
  };
  for (const char* piece : {"[", "{", "{a: ", "[{", "- ", "? ", "a: [", "[? ", "{? ", "- - ? ", "!a ", "&a ", "[a: "}) {
    for (const std::size_t times : {100U, 20000U, 200000U}) EXPECT_EQ(outcome(repeat(piece, times)), 0) << piece << " " << times;
  }
  std::string block;
  for (std::size_t depth = 0; depth < 1000; ++depth) block += std::string(depth, ' ') + "a:\n";
  EXPECT_EQ(outcome(block), 0);
}

TEST(DamagedYaml, AliasesDoNotMultiply) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string name = std::to_string(i), alias = std::to_string(i - 1);
    bomb.append("a").append(name).append(": &a").append(name).append(" [*a").append(alias);
    for (int j = 1; j < 9; ++j) bomb.append(", *a").append(alias);
    bomb += "]\n";
  }
  EXPECT_EQ(outcome(bomb), 0);
}

TEST(DamagedYaml, SizeIsBounded) {
  const std::string comment = "#" + std::string((std::size_t{1} << 20) - 2, 'x') + "\n";
  ASSERT_EQ(comment.size(), std::size_t{1} << 20);
  EXPECT_EQ(outcome(comment), 1);
  EXPECT_EQ(outcome(comment + "\n"), 0);
  std::string many_keys;
  for (int i = 0; many_keys.size() < 900000; ++i) many_keys += "key" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(outcome(many_keys), 0);
  EXPECT_EQ(outcome("input: [" + std::string(500000, 'x') + "]"), 1);
  std::string long_key(900000, 'k');
  long_key += ": 1";
  EXPECT_EQ(outcome(long_key), 0);
}

}  // namespace
}  // namespace tuile::config
