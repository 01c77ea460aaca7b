"""Preprocessing: every filter against numpy, and the same whatever the tiling."""

import unittest

import numpy as np

from support import Folder, Tile, process, same_files, tuile, write_las

STATISTICAL = ["--set", "preprocess.statistical_outliers.enabled=true"]
RADIUS = ["--set", "preprocess.radius_outliers.enabled=true"]
VOXEL = ["--set", "preprocess.voxel.enabled=true"]
NONE_EXCLUDED = ["--set", "preprocess.exclude_classes=[]"]
STEPS = ["exclude_classes", "statistical_outliers", "radius_outliers", "voxel"]


def sparse_cloud(count, seed, side=1500):
    """Two metres of undergrowth over a slope, and points far from all others; units of 1 cm."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, side, (2, count))
    z = x // 10 + (rng.exponential(40, count)).astype(int)
    z[rng.random(count) < 0.01] += 4000
    return np.column_stack([x, y, z])


def squared_distances(units, rows):
    return ((units[rows][:, None, :] - units[None, :, :]) ** 2).sum(2)


def first_of_cells(units, size):
    """Positions of the smallest (x, y, z) of each cell; of equal ones the first."""
    order = np.lexsort((np.arange(len(units)), units[:, 2], units[:, 1], units[:, 0]))
    _, first = np.unique(np.floor_divide(units[order], size), axis=0, return_index=True)
    return order[first]


class AgainstNumpy(Folder):
    def marks(self, units, *arguments, classification=None):
        write_las(self.folder / "cloud.las", units, classification)
        process(self.folder / "cloud.las", self.folder / "out", "--features", "x,planarity", "--overwrite", *arguments)
        tile = Tile(self.folder / "out", "cloud")
        np.testing.assert_array_equal(tile.units(), units)
        return tile.npz["valid"]

    def test_statistical_outliers(self):
        units = sparse_cloud(2500, 1)
        squared = np.sort(squared_distances(units, np.arange(len(units))), axis=1)
        for k, std in ((12, 2.0), (3, 0.7)):
            sums = np.floor(256 * np.sqrt(squared[:, 1 : k + 1])).sum(1)
            expected = sums <= sums.mean() + std * sums.std()
            self.assertGreater((~expected).sum(), 10)
            settings = ["--set", f"preprocess.statistical_outliers.k={k}", "--set", f"preprocess.statistical_outliers.std={std}"]
            np.testing.assert_array_equal(self.marks(units, *STATISTICAL, *settings), expected)

    def test_radius_outliers(self):
        units = sparse_cloud(2500, 2)
        counts = (squared_distances(units, np.arange(len(units))) <= 60 * 60).sum(1) - 1
        settings = ["--set", "preprocess.radius_outliers.radius=0.6", "--set", "preprocess.radius_outliers.min_neighbors=3"]
        np.testing.assert_array_equal(self.marks(units, *RADIUS, *settings), counts >= 3)

    def test_voxels_after_excluded_classes(self):
        units = np.concatenate([sparse_cloud(6000, 3), sparse_cloud(200, 3)])  # some twice
        units[:, :2] += (93_000_000 - 7, -40)
        classification = np.where(np.arange(len(units)) % 11 == 0, 7, 2)
        left = np.flatnonzero(classification != 7)
        expected = np.zeros(len(units), bool)
        expected[left[first_of_cells(units[left], 70)]] = True
        got = self.marks(units, *VOXEL, "--set", "preprocess.voxel.size=0.7", "--set", "preprocess.exclude_classes=[7]", classification=classification)
        np.testing.assert_array_equal(got, expected)

    def test_off_by_default_and_refused_nowhere(self):
        self.assertEqual(self.marks(sparse_cloud(500, 4)).sum(), 500)
        process(self.folder / "cloud.las", self.folder / "none", *NONE_EXCLUDED)
        tile = Tile(self.folder / "none", "cloud")
        self.assertNotIn("valid", tile.npz)
        self.assertIsNone(tile.sidecar["preprocess"])


class Quarters(Folder):
    """Radius and voxel filters do not depend on the tiling: the halo is read as much wider as they look."""

    def test_whole_and_quarters(self):
        units = sparse_cloud(40_000, 5, 6000)
        middle = 3011
        (self.folder / "quarters").mkdir()
        write_las(self.folder / "whole.las", units)
        quarter = (units[:, 0] >= middle) + 2 * (units[:, 1] >= middle)
        for q in range(4):
            write_las(self.folder / "quarters" / f"q{q}.las", units[quarter == q])
        arguments = [*RADIUS, *VOXEL, "--set", "preprocess.radius_outliers.radius=0.9", "--halo", 3, "--features", "planarity,neighborhood_extent"]
        process(self.folder / "whole.las", self.folder / "out", *arguments)
        process(self.folder / "quarters", self.folder / "out", *arguments)
        whole = Tile(self.folder / "out", "whole")
        counts = dict.fromkeys(STEPS, 0)
        for q in range(4):
            part, rows = Tile(self.folder / "out", f"q{q}"), np.flatnonzero(quarter == q)
            self.assertEqual(part.sidecar["halo"]["width"], 3)
            np.testing.assert_array_equal(part.npz["valid"], whole.npz["valid"][rows])
            near = whole.column("neighborhood_extent")[rows] <= 3
            np.testing.assert_array_equal(part.features[near], whole.features[rows][near])
            for step in STEPS:
                counts[step] += part.sidecar["preprocess"][step]
        self.assertEqual(counts, whole.sidecar["preprocess"])
        self.assertGreater(counts["radius_outliers"], 0)
        self.assertGreater(counts["voxel"], 0)


class Town(Folder):
    def setUp(self):
        super().setUp()
        self.tiles = self.folder / "town" / "tiles"
        tuile("synth", "-o", self.folder / "town", "--tiles", "2x2", "--size", 100, "--density", 15, "--format", 8, "--seed", 3)

    def test_all_filters(self):
        arguments = [*STATISTICAL, *RADIUS, *VOXEL]
        summary = process(self.tiles, self.folder / "out", *arguments, "--formats", "npz,laz")
        self.assertEqual(summary["tiles"]["done"], 4)
        self.assertIn("all sound", tuile("verify", self.folder / "out").stdout)
        total = dict.fromkeys(STEPS, 0)
        for path in self.tiles.glob("*.laz"):
            tile = Tile(self.folder / "out", path.stem)
            valid, counts = tile.npz["valid"], tile.sidecar["preprocess"]
            self.assertEqual(list(counts), STEPS)
            self.assertEqual(sum(counts.values()), (~valid).sum())
            self.assertEqual(tile.sidecar["points"]["invalid"], (~valid).sum())
            self.assertEqual(counts["exclude_classes"], np.isin(tile.classification, [65, 66]).sum())
            computed = [tile.names.index(n) for n in ("normal_z", "planarity", "linearity", "height_above_ground", "verticality")]
            self.assertTrue(np.isnan(tile.features[~valid][:, computed]).all())
            self.assertFalse(np.isnan(tile.features[valid]).any())
            self.assertFalse(np.isnan(tile.column("x")).any())
            # One point in each cell at most.
            cells = np.floor_divide(tile.units()[valid], 50)
            self.assertEqual(len(np.unique(cells, axis=0)), len(cells))
            for step in STEPS:
                total[step] += counts[step]
        for step in STEPS:
            self.assertGreater(total[step], 0, step)
        others = {"threads": ["--threads", 3, "--no-async"], "batch": ["--batch", 3, "--workers", 3], "budget": ["--memory", "64MiB"]}
        for name, more in others.items():
            process(self.tiles, self.folder / name, *arguments, "--formats", "npz,laz", *more)
            self.assertEqual(same_files(self.folder / "out", self.folder / name), [], name)
        for shard in ("0/3", "1/3", "2/3"):
            process(self.tiles, self.folder / "shards", *arguments, "--formats", "npz,laz", "--shard", shard)
        self.assertEqual(same_files(self.folder / "out", self.folder / "shards"), [])

    def test_noise_is_an_outlier(self):
        process(self.tiles, self.folder / "out", *STATISTICAL, *NONE_EXCLUDED, "--features", "minimal")
        noise = found = points = marked = 0
        for path in self.tiles.glob("*.laz"):
            tile = Tile(self.folder / "out", path.stem)
            valid, is_noise = tile.npz["valid"], tile.classification == 65
            noise += is_noise.sum()
            found += (is_noise & ~valid).sum()
            points += len(valid)
            marked += (~valid).sum()
        self.assertGreater(noise, 3)
        self.assertEqual(found, noise)
        self.assertLess(marked, 0.05 * points)


if __name__ == "__main__":
    unittest.main()
