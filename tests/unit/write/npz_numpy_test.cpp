// NPZ files read by their intended reader.
#include "tuile/core/error.hpp"
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
import struct, zipfile
path, raw, n, f, with_valid, stored = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == '1', sys.argv[6] == '1'
assert zipfile.ZipFile(path).testzip() is None
data = np.load(path)
assert data.files == ['xyz', 'origin', 'features', 'feature_names', 'classification'] + (['valid'] if with_valid else []), data.files
units = np.fromfile(raw + '.units', np.int32).reshape(n, 3)
assert data['xyz'].dtype == np.float32 and data['xyz'].shape == (n, 3)
assert np.array_equal(data['xyz'], (units * 0.01).astype(np.float32))
assert data['origin'].dtype == np.float64 and np.array_equal(data['origin'], [77000000 * 0.01, 627700000 * 0.01, 1000 * 0.01])
features = np.fromfile(raw + '.features', np.float32).reshape(n, f)
assert data['features'].dtype == np.float32 and np.array_equal(data['features'], features, equal_nan=True) and data['features'].shape == (n, f)
assert list(data['feature_names']) == ['feature_%d' % j for j in range(f)] and data['feature_names'].shape == (f,)
assert data['classification'].dtype == np.uint8 and np.array_equal(data['classification'], np.fromfile(raw + '.classification', np.uint8))
if with_valid:
    assert data['valid'].dtype == np.bool_ and np.array_equal(data['valid'], np.fromfile(raw + '.valid', np.uint8).astype(bool))
for info in zipfile.ZipFile(path).infolist():
    assert info.date_time == (1980, 1, 1, 0, 0, 0), info
    if not stored:
        continue
    with open(path, 'rb') as file:
        file.seek(info.header_offset + 26)
        start = info.header_offset + 30 + sum(struct.unpack('<HH', file.read(4)))
        file.seek(start)
        version = np.lib.format.read_magic(file)
        shape, order, dtype = np.lib.format.read_array_header_1_0(file)
        offset = file.tell()
    assert offset % 64 == 0, (info.filename, offset)
    if int(np.prod(shape)) > 0:
        mapped = np.memmap(path, dtype, 'r', offset, shape)
        assert np.array_equal(mapped, data[info.filename[:-4]], equal_nan=dtype.kind == 'f'), info.filename
)";

template <class T>
void dump(const std::string& path, const std::vector<T>& values) {
  test::write_file(path, std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

struct Case {
  std::size_t points, columns;
  bool valid;
  Compression compression;
};

class NpzNumpy : public ::testing::TestWithParam<Case> {};

}  // namespace

TEST_P(NpzNumpy, ReadsBackEqual) {
  const auto [points, columns, valid, compression] = GetParam();
  const TemporaryFolder folder;
  const SampleTile tile(points, columns, valid);
  Executor executor(2);
  const std::unique_ptr<Sink> sink = make_npz_sink(folder / "sub/a.npz", tile.layout, compression, executor);
  const std::size_t half = points / 3;
  sink->write(tile.rows(half, points - half));
  sink->write(tile.rows(0, half));
  sink->finish();
  dump((folder / "raw.units"), tile.units);
  dump((folder / "raw.features"), tile.features);
  dump((folder / "raw.classification"), tile.classification);
  dump((folder / "raw.valid"), tile.valid);
  const int status =
      test::run_python(reader, (folder / "sub/a.npz") + " " + (folder / "raw") + " " + std::to_string(points) + " " +
                                   std::to_string(columns) + (valid ? " 1" : " 0") + (compression == Compression::none ? " 1" : " 0"));
  if (status == 77) GTEST_SKIP() << "python3-numpy is not installed";
  EXPECT_EQ(status, 0);
}

INSTANTIATE_TEST_SUITE_P(Cases, NpzNumpy,
                         ::testing::Values(Case{100000, 3, true, Compression::none}, Case{100000, 3, true, Compression::deflate},
                                           Case{1, 12, false, Compression::none}, Case{0, 12, true, Compression::none},
                                           Case{0, 12, true, Compression::deflate}, Case{70000, 0, false, Compression::none},
                                           Case{70000, 0, false, Compression::deflate}, Case{300001, 36, true, Compression::none}));
