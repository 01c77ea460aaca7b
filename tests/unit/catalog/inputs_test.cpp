#include "tuile/catalog/inputs.hpp"

#include <filesystem>

#include "support/temporary_folder.hpp"
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

TEST(Inputs, UrlsAreNamedByTheirPath) {
  const test::TemporaryFolder folder;
  const std::string list = folder.write("list.txt", "https://h.example/q/c.LAZ?key=1/2 # the last\nHTTP://h.example/a.copc.laz#part\n");
  const std::vector<InputFile> files =
      expand_inputs({"http://h.example:8080/x%20y%c3%a9.laz", "@" + list, "https://h.example/q/c.LAZ?key=1/2"});
  ASSERT_EQ(files.size(), 3U) << "the one that was named twice counts once";
  EXPECT_EQ(files[0].path, "HTTP://h.example/a.copc.laz");
  EXPECT_EQ(files[0].name, "a");
  EXPECT_EQ(files[1].path, "http://h.example:8080/x%20y%c3%a9.laz");
  EXPECT_EQ(files[1].name, "x y\xc3\xa9");
  EXPECT_EQ(files[2].path, "https://h.example/q/c.LAZ?key=1/2");
  EXPECT_EQ(files[2].name, "c");
}

TEST(Inputs, TheNameOfAUrlStaysInTheOutputFolder) {
  EXPECT_EQ(tile_name("http://h.example/..%2F..%2Fa.laz"), "..%2F..%2Fa");
  EXPECT_EQ(tile_name("http://h.example/a%00b.laz"), "a%00b");
  EXPECT_EQ(tile_name("http://h.example/100%.laz"), "100%");
  EXPECT_EQ(tile_name("http://h.example/%2e%2e"), "%2e%2e");
  for (const char* nowhere : {"http://h.example", "http://h.example/", "http://h.example/tiles/?f=a.laz", "http://h.example/tiles/.."})
    EXPECT_THROW(expand_inputs({nowhere}), ConfigError) << nowhere;
}

TEST(Inputs, PasswordsAreNotTakenAndNotRepeated) {
  for (const char* url : {"https://me:secret@h.example/a.laz", "https://secret@h.example/a.laz?b"}) {
    try {
      expand_inputs({url});
      FAIL() << url;
    } catch (const ConfigError& error) {
      EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(".netrc"), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(expand_inputs({"https://h.example/a@b.laz"}).size(), 1U);
}

TEST(Inputs, WhatLeadsNowhereIsAnError) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(expand_inputs({folder / "absent.laz"}), ConfigError);
  EXPECT_THROW(expand_inputs({folder / "no*.laz"}), ConfigError);
  EXPECT_THROW(expand_inputs({"@" + (folder / "absent.txt")}), ConfigError);
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
