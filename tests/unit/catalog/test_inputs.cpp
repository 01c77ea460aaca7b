#include <filesystem>

#include "support/temporary_folder.hpp"
#include "tuile/catalog/inputs.hpp"
#include "tuile/core/error.hpp"

namespace fs = std::filesystem;

namespace tuile::catalog {
namespace {

std::vector<std::string> names(const std::vector<InputFile>& files) {
  std::vector<std::string> out;
  for (const InputFile& file : files) out.push_back(file.name);
  return out;
}

TEST(Inputs, TileNames) {
  EXPECT_EQ(tile_name("a/b/T.laz"), "T");
  EXPECT_EQ(tile_name("T.copc.laz"), "T");
  EXPECT_EQ(tile_name("T.COPC.LAZ"), "T");
  EXPECT_EQ(tile_name("T.v2.LAS"), "T.v2");
}

TEST(Inputs, FoldersAreSearchedAndKeepTheirSubPath) {
  const test::TemporaryFolder folder;
  folder.write("t/a.laz", "");
  folder.write("t/deep/er/b.LAS", "");
  folder.write("t/notes.txt", "");
  folder.write("t/.hidden.laz", "");
  EXPECT_EQ(names(expand_inputs({folder / "t"})), (std::vector<std::string>{"a", "deep/er/b"}));
}

TEST(Inputs, AFolderNamedLikeATileIsKeptForItsError) {
  const test::TemporaryFolder folder;
  folder.write("t/x.laz/inner.laz", "");
  folder.write("t/y.laz", "");
  EXPECT_EQ(names(expand_inputs({folder / "t"})), (std::vector<std::string>{"x", "y"}));
}

TEST(Inputs, GlobsAndListsAndRepeats) {
  const test::TemporaryFolder folder;
  folder.write("a1.laz", "");
  folder.write("a2.laz", "");
  folder.write("b.laz", "");
  EXPECT_EQ(names(expand_inputs({folder / "a*.laz"})), (std::vector<std::string>{"a1", "a2"}));
  const std::string list = folder.write("list.txt", "# tiles\n  b.laz  # relative to the list\r\n\na1.laz\n");
  EXPECT_EQ(names(expand_inputs({"@" + list, folder / "a1.laz"})), (std::vector<std::string>{"a1", "b"}));
}

TEST(Inputs, LinksThatLeadBackUpAreFollowedOnce) {
  const test::TemporaryFolder folder;
  folder.write("t/a/x.laz", "");
  fs::create_directory_symlink("..", folder / "t/a/up");
  fs::create_symlink("loop.laz", folder / "t/loop.laz");
  EXPECT_EQ(names(expand_inputs({folder / "t"})), (std::vector<std::string>{"a/x", "loop"})) << "the loop is kept for its error";
}

TEST(Inputs, TheOutputFolderBelowAnInputIsLeftOut) {
  const test::TemporaryFolder folder;
  folder.write("t/x.laz", "");
  folder.write("t/out/x.laz", "");
  EXPECT_EQ(names(expand_inputs({folder / "t"}, folder / "t/out")), (std::vector<std::string>{"x"}));
  EXPECT_EQ(names(expand_inputs({folder / "t"}, folder / "t")), (std::vector<std::string>{"out/x", "x"}));
  EXPECT_EQ(names(expand_inputs({folder / "t/out"}, folder / "t/out")), (std::vector<std::string>{"x"}));
}

TEST(Inputs, WhatLeadsNowhereIsAnError) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(expand_inputs({folder / "absent.laz"}), ConfigError);
  EXPECT_THROW(expand_inputs({folder / "no*.laz"}), ConfigError);
  EXPECT_THROW(expand_inputs({"@" + (folder / "absent.txt")}), ConfigError);
  EXPECT_THROW(expand_inputs({"https://example.org/a.laz"}), ConfigError);
  fs::create_directories(folder / "empty");
  EXPECT_THROW(expand_inputs({folder / "empty"}), ConfigError);
  EXPECT_THROW(expand_inputs({}), ConfigError);
  EXPECT_THROW(expand_inputs({"@" + folder.write("nothing.txt", "# nothing\n")}), ConfigError);
  const std::string inner = folder.write("inner.txt", "x.laz\n");
  const std::string outer = folder.write("outer.txt", "@inner.txt\n");
  EXPECT_THROW(expand_inputs({"@" + outer}), ConfigError);
}

}  // namespace
}  // namespace tuile::catalog
