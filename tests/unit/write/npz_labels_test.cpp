// Labels and the object table in NPZ files, read by NumPy; Python's UTF-8 decoder is the oracle of the texts.
#include <cstring>
#include <random>

#include "tuile/core/error.hpp"
#include "write/npz/npy.hpp"
#include "write_support.hpp"

using namespace tuile;
using namespace tuile::write;
using tuile::test::SampleTile;
using tuile::test::TemporaryFolder;

namespace {

constexpr const char* reader = R"(
import sys
try:
    import numpy as np
except ImportError:
    sys.exit(77)
import zipfile
path, raw, n, with_valid = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == '1'
def texts(name):
    data = open(raw + '.' + name, 'rb').read()
    values = []
    while data:
        size = int.from_bytes(data[:4], 'little')
        values.append(data[4:4 + size].decode('utf-8', 'replace')[:200])
        data = data[4 + size:]
    return values
ids, attributes = texts('ids'), texts('attributes')
names = [line for line in open(raw + '.names', encoding='utf-8').read().split('\n') if line]
assert zipfile.ZipFile(path).testzip() is None
data = np.load(path)
before = ['xyz', 'origin', 'features', 'feature_names', 'classification'] + (['valid'] if with_valid else [])
labels = ['labels', 'label_source', 'label_object', 'object_ids', 'object_layer']
assert data.files == before + labels + names, (data.files, names)
for name, dtype in [('labels', np.uint8), ('label_source', np.uint8), ('label_object', np.int32)]:
    expected = np.fromfile(raw + '.' + name, dtype)
    assert data[name].dtype == dtype and data[name].shape == (n,) and np.array_equal(data[name], expected), name
layer = np.fromfile(raw + '.object_layer', np.uint8)
assert data['object_layer'].dtype == np.uint8 and data['object_layer'].shape == (len(ids),) and np.array_equal(data['object_layer'], layer)
for name, values in [('object_ids', ids)] + [(name, attributes[j::len(names)]) for j, name in enumerate(names)]:
    array = data[name]
    assert array.dtype.kind == 'U' and array.shape == (len(ids),), (name, array.dtype, array.shape)
    assert array.dtype == np.array(values + ['x'], str).dtype, (name, array.dtype)
    assert list(array) == values, (name, list(array), values)
)";

template <class T>
void dump(const std::filesystem::path& path, const std::vector<T>& values) {
  test::write_file(path, std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

/// Each text with its length before it.
void dump_texts(const std::filesystem::path& path, const std::vector<std::string>& values) {
  std::string bytes;
  for (const std::string& value : values) {
    const auto size = static_cast<std::uint32_t>(value.size());
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes += value;
  }
  test::write_file(path, bytes);
}

/// Texts of every kind: sound, damaged at every place where UTF-8's rules change, empty, long.
std::vector<std::string> some_texts(std::size_t count, unsigned seed) {
  const std::string edges = "/a\x7F\x80\x8F\x90\x9F\xA0\xBD\xBF\xC1\xC2\xDF\xE0\xED\xEF\xF0\xF4\xF5\xFF";
  std::mt19937 random(seed);
  std::vector<std::string> texts{"BATIMENT0000000220003456", "Église de Saint-Étienne", "", "\U0001F3E0 été €", std::string(1000, 'x')};
  std::string long_text;
  for (int i = 0; i < 300; ++i) long_text += "é";
  texts.push_back(long_text);
  while (texts.size() < count) {
    std::string text;
    for (std::size_t length = random() % 9; text.size() < length;) text += edges[random() % edges.size()];
    texts.push_back(text);
  }
  texts.resize(count);
  return texts;
}

/// A tile with labels: the arrays that its blocks point into.
struct LabelledTile {
  SampleTile tile;
  std::vector<std::uint8_t> labels, label_source;
  std::vector<std::int32_t> label_object;

  LabelledTile(std::size_t points, bool valid, std::size_t objects, std::vector<std::string> attribute_names) : tile(points, 3, valid) {
    std::mt19937 random(11);
    for (std::size_t i = 0; i < points; ++i) {
      labels.push_back(static_cast<std::uint8_t>(random()));
      label_source.push_back(static_cast<std::uint8_t>(random()));
      label_object.push_back(static_cast<std::int32_t>(random() % (objects + 1)) - 1);
    }
    ObjectTable& table = tile.layout.objects;
    tile.layout.labels = true;
    table.ids = some_texts(objects, 1);
    for (std::size_t i = 0; i < objects; ++i) table.layer.push_back(static_cast<std::uint8_t>(1 + i % 9));
    table.attributes = some_texts(objects * attribute_names.size(), 2);
    table.attribute_names = std::move(attribute_names);
  }
  RowBlock rows(std::size_t first, std::size_t count) const {
    RowBlock block = tile.rows(first, count);
    block.labels = std::span(labels).subspan(first, count);
    block.label_source = std::span(label_source).subspan(first, count);
    block.label_object = std::span(label_object).subspan(first, count);
    return block;
  }
};

struct Case {
  std::size_t points, objects;
  bool valid;
  Compression compression;
  std::vector<std::string> attributes, arrays;
};

class NpzLabels : public ::testing::TestWithParam<Case> {};

}  // namespace

TEST_P(NpzLabels, NumpyReadsThemBack) {
  const Case& given = GetParam();
  const TemporaryFolder folder;
  const LabelledTile labelled(given.points, given.valid, given.objects, given.attributes);
  Executor executor(2);
  const std::unique_ptr<Sink> sink = make_npz_sink(folder / "a.npz", labelled.tile.layout, given.compression, executor);
  const std::size_t part = given.points / 3;
  sink->write(labelled.rows(2 * part, given.points - 2 * part));
  sink->write(labelled.rows(0, part));
  sink->write(labelled.rows(part, part));
  sink->finish();
  dump(folder / "raw.labels", labelled.labels);
  dump(folder / "raw.label_source", labelled.label_source);
  dump(folder / "raw.label_object", labelled.label_object);
  dump(folder / "raw.object_layer", labelled.tile.layout.objects.layer);
  dump_texts(folder / "raw.ids", labelled.tile.layout.objects.ids);
  dump_texts(folder / "raw.attributes", labelled.tile.layout.objects.attributes);
  std::string names;
  for (const std::string& name : given.arrays) names += name + "\n";
  test::write_file(folder / "raw.names", names);
  const int status = test::run_python(
      reader, (folder / "a.npz") + " " + (folder / "raw") + " " + std::to_string(given.points) + (given.valid ? " 1" : " 0"));
  if (status == 77) GTEST_SKIP() << "python3-numpy is not installed";
  EXPECT_EQ(status, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, NpzLabels,
    ::testing::Values(Case{100000, 5000, true, Compression::none, {"nature", "hauteur"}, {"object_nature", "object_hauteur"}},
                      Case{100000, 5000, false, Compression::deflate, {"nature", "hauteur"}, {"object_nature", "object_hauteur"}},
                      Case{70000, 0, false, Compression::none, {"nature"}, {"object_nature"}},
                      Case{70000, 0, true, Compression::deflate, {"nature"}, {"object_nature"}},
                      Case{10, 3, false, Compression::none, {}, {}}, Case{0, 0, true, Compression::none, {}, {}},
                      // Names that an archive cannot hold, that are taken, or not ASCII.
                      Case{10,
                           7,
                           false,
                           Compression::none,
                           {"ids", "layer", "a/b\\c:d", "été", "a_b_c_d"},
                           {"object_ids_", "object_layer_", "object_a_b_c_d", "object_été", "object_a_b_c_d_"}}));

TEST(NpzLabels, BytesDoNotDependOnBlocksOrThreads) {
  const TemporaryFolder folder;
  const LabelledTile labelled(150000, true, 40, {"nature"});
  const auto write = [&](const std::string& name, std::size_t block, int threads) {
    Executor executor(threads);
    const std::unique_ptr<Sink> sink = make_npz_sink(folder / name, labelled.tile.layout, Compression::none, executor);
    std::vector<std::size_t> starts;
    for (std::size_t start = 0; start < 150000; start += block) starts.insert(starts.begin(), start);
    for (const std::size_t start : starts) sink->write(labelled.rows(start, std::min<std::size_t>(block, 150000 - start)));
    return sink->finish().checksum;
  };
  const std::string whole = write("a.npz", 150000, 1);
  EXPECT_EQ(write("b.npz", 7001, 2), whole);
}

TEST(NpzLabels, BlocksWithoutThemAreRefused) {
  const TemporaryFolder folder;
  const LabelledTile labelled(100, false, 3, {});
  Executor executor(1);
  const std::unique_ptr<Sink> sink = make_npz_sink(folder / "a.npz", labelled.tile.layout, Compression::none, executor);
  for (const int missing : {0, 1, 2}) {
    RowBlock block = labelled.rows(0, 100);
    if (missing == 0) block.labels = {};
    if (missing == 1) block.label_source = block.label_source.first(99);
    if (missing == 2) block.label_object = {};
    EXPECT_THROW(sink->write(block), InvalidArgument) << missing;
  }
  sink->write(labelled.rows(0, 100));
  sink->finish();
  const SampleTile plain(100);
  const std::unique_ptr<Sink> unlabelled = make_npz_sink(folder / "b.npz", plain.layout, Compression::none, executor);
  RowBlock block = plain.rows(0, 100);
  block.labels = labelled.labels;
  EXPECT_THROW(unlabelled->write(block), InvalidArgument);
}

TEST(NpzLabels, TextsAreCutAtCharactersNotBytes) {
  std::string text;
  for (int i = 0; i < 201; ++i) text += "€";
  EXPECT_EQ(npy_texts({text}, 200).header, (NpyHeader{"<U200", {1}}));
  EXPECT_EQ(npy_texts({"€"}, 200).data, (std::vector<std::byte>{std::byte{0xAC}, std::byte{0x20}, std::byte{0}, std::byte{0}}));
  EXPECT_EQ(npy_texts({}, 200).header, (NpyHeader{"<U1", {0}}));
}
