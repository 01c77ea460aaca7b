"""Numbers: against a brute-force float64 oracle on real points, and the same whatever the tiling."""

import unittest

import numpy as np

from support import Folder, Tile, process, real_data, tuile, write_las

NEIGHBOURHOOD = ["normal_x", "normal_y", "normal_z", "eigenvalue_1", "eigenvalue_2", "eigenvalue_3", "sum_eigenvalues", "linearity", "planarity", "sphericity",
                 "anisotropy", "omnivariance", "eigenentropy", "curvature", "verticality", "horizontality", "wall_likelihood", "roof_likelihood", "wall_score",
                 "roof_score", "vertical_std", "vertical_range", "neighborhood_extent", "density", "num_points_2m"]


def neighbours(units, i, k, radius_units, cap):
    """Indices of the neighbours of point i: integer distances, ties by (x, y, z)."""
    d = units - units[i]
    squared = (d * d).sum(1)
    order = np.lexsort((units[:, 2], units[:, 1], units[:, 0], squared))
    if radius_units is None:
        return order[:k]
    return order[squared[order] <= radius_units**2][:cap]


def oracle(units, chosen, scale, k=20, radius=None, cap=200):
    """The features of the chosen points by definition: all pairs, numpy's symmetric eigen-solver."""
    out = {name: np.zeros(len(chosen)) for name in NEIGHBOURHOOD}
    gap = np.zeros(len(chosen))
    for row, i in enumerate(chosen):
        near = neighbours(units, i, k, None if radius is None else radius / scale, cap)
        points = (units[near] - units[i]) * scale
        n = len(points)
        values, vectors = np.linalg.eigh(np.cov(points.T, bias=True) if n > 1 else np.zeros((3, 3)))
        l3, l2, l1 = np.maximum(values, 0)
        normal = vectors[:, 0] if tuple(vectors[::-1, 0]) > (0, 0, 0) else -vectors[:, 0]
        distance = np.sqrt((points**2).sum(1).max())
        total = l1 + l2 + l3
        f = dict.fromkeys(NEIGHBOURHOOD, 0.0)
        if n >= 3 and l1 > 1e-12:
            p = np.array([l1, l2, l3]) / total
            f.update(normal_x=normal[0], normal_y=normal[1], normal_z=normal[2], linearity=(l1 - l2) / l1, planarity=(l2 - l3) / l1, sphericity=l3 / l1,
                     anisotropy=(l1 - l3) / l1, omnivariance=np.cbrt(l1 * l2 * l3), eigenentropy=-sum(x * np.log(x) for x in p if x > 0), curvature=l3 / total)
        else:
            f.update(normal_z=1.0)
        f.update(eigenvalue_1=l1, eigenvalue_2=l2, eigenvalue_3=l3, sum_eigenvalues=total, vertical_std=points[:, 2].std(),
                 vertical_range=np.ptp(points[:, 2]), neighborhood_extent=distance, density=n / (4 / 3 * np.pi * distance**3) if distance > 0 else 0.0)
        f["verticality"], f["horizontality"] = 1 - f["normal_z"], f["normal_z"]
        f["wall_score"], f["roof_score"] = f["verticality"] * f["planarity"], f["horizontality"] * f["planarity"]
        f["wall_likelihood"], f["roof_likelihood"] = np.sqrt(f["wall_score"]), np.sqrt(f["roof_score"])
        d = units - units[i]
        f["num_points_2m"] = ((d * d).sum(1) <= (2 / scale) ** 2 + 1e-6).sum()
        for name, value in f.items():
            out[name][row] = value
        gap[row] = l2 - l3
    out["gap"] = gap
    return out


class Oracle(Folder):
    def compare(self, path, bounds, arguments, **definition):
        process(path, self.folder / "out", "--features", ",".join(NEIGHBOURHOOD), "--bbox", ",".join(map(str, bounds)), "--halo", 15,
                "--set", "preprocess.exclude_classes=[]", *arguments)
        process(path, self.folder / "whole", "--features", "x,y,z", "--set", "preprocess.exclude_classes=[]")
        cut, whole = Tile(self.folder / "out", path.stem), Tile(self.folder / "whole", path.stem)
        units = whole.units()
        inside = np.flatnonzero((units[:, 0] * 0.01 >= bounds[0] - 1e-6) & (units[:, 0] * 0.01 <= bounds[2] + 1e-6) &
                                (units[:, 1] * 0.01 >= bounds[1] - 1e-6) & (units[:, 1] * 0.01 <= bounds[3] + 1e-6))
        np.testing.assert_array_equal(cut.units(), units[inside])
        rng = np.random.default_rng(1)
        rows = np.sort(rng.choice(len(inside), min(400, len(inside)), replace=False))
        near = np.flatnonzero(np.all((units[:, :2] >= units[inside, :2].min(0) - 1500) & (units[:, :2] <= units[inside, :2].max(0) + 1500), axis=1))
        position = {index: at for at, index in enumerate(near)}
        expected = oracle(units[near], [position[i] for i in inside[rows]], 0.01, **definition)
        for name in NEIGHBOURHOOD:
            got, want = cut.column(name)[rows].astype(np.float64), expected[name]
            compared = np.ones(len(rows), bool)
            if name.startswith("normal") or name in ("verticality", "horizontality", "wall_score", "roof_score", "wall_likelihood", "roof_likelihood"):
                compared = (expected["gap"] > 1e-6) & (expected["normal_z"] > 1e-3)
                allowed = np.full(len(rows), 2e-3 if "likelihood" in name else 1e-4)
            elif "eigenvalue" in name or name in ("omnivariance",):
                allowed = 1e-4 * np.abs(want) + 1e-7
            else:
                allowed = 1e-4 * np.maximum(1, np.abs(want))
            wrong = (np.abs(got - want) > allowed) & compared
            self.assertLessEqual(wrong.sum(), 0.001 * len(rows), f"{name}: {got[wrong][:3]} instead of {want[wrong][:3]}")
            self.assertGreater(compared.sum(), 100, name)

    def test_k_nearest_on_vegetation_and_ground(self):
        self.compare(real_data("lidarhd/2_67.laz"), (1060490, 6867490, 1060510, 6867510), ["--k", 20], k=20)

    def test_radius_on_a_building(self):
        self.compare(real_data("lidarhd/bat.laz"), (931140, 6449665, 931150, 6449675), ["--radius", 1.0], radius=1.0)

    def test_capped_radius(self):
        self.compare(real_data("lidarhd/bat.laz"), (931140, 6449665, 931150, 6449675), ["--radius", 1.0, "--set", "features.max_neighbors=25"], radius=1.0,
                     cap=25)


class Quarters(Folder):
    """The same area in one piece and cut into four: the same numbers bit for bit where the neighbourhood lies inside core and halo."""

    def compare(self, units, classification, *arguments):
        middle = np.median(units[:, :2], axis=0).astype(int)
        (self.folder / "quarters").mkdir()
        write_las(self.folder / "whole.las", units, classification)
        quarter = (units[:, 0] >= middle[0]) + 2 * (units[:, 1] >= middle[1])
        for q in range(4):
            write_las(self.folder / "quarters" / f"q{q}.las", units[quarter == q], classification[quarter == q])
        names = [n for n in NEIGHBOURHOOD] + ["height_above_ground"]
        arguments = ["--features", ",".join(names), "--set", "preprocess.exclude_classes=[]", *arguments]
        process(self.folder / "whole.las", self.folder / "out", *arguments)
        process(self.folder / "quarters", self.folder / "out", *arguments)
        whole = Tile(self.folder / "out", "whole")
        complete = whole.column("neighborhood_extent") <= 10  # then it lies inside core and halo wherever the point is
        self.assertGreater(complete.mean(), 0.99)
        self.assertLessEqual(whole.sidecar["points"]["truncated_neighbourhoods"], (~complete).sum())
        close = total = 0
        for q in range(4):
            part = Tile(self.folder / "out", f"q{q}")
            self.assertEqual(len(part.sidecar["halo"]["used"]), 3)
            rows = np.flatnonzero(quarter == q)
            np.testing.assert_array_equal(part.units(), whole.units()[rows])
            for name in NEIGHBOURHOOD:
                same = np.ascontiguousarray(part.column(name)).view(np.uint32) == np.ascontiguousarray(whole.column(name)[rows]).view(np.uint32)
                self.assertTrue(same[complete[rows]].all(), f"quarter {q}, {name}: {(~same[complete[rows]]).sum()} differ")
            difference = np.abs(part.column("height_above_ground") - whole.column("height_above_ground")[rows])
            close += (difference <= 0.05).sum()
            total += len(difference)
        self.assertGreaterEqual(close / total, 0.999)

    def test_real_crop(self):
        process(real_data("lidarhd/2_67.laz"), self.folder / "crop", "--features", "x")
        crop = Tile(self.folder / "crop", "2_67")
        self.compare(crop.units(), crop.classification)

    def test_real_crop_by_radius(self):
        process(real_data("lidarhd/test_data_77055_627760_LA93_IGN69.laz"), self.folder / "crop", "--features", "x")
        crop = Tile(self.folder / "crop", "test_data_77055_627760_LA93_IGN69")
        self.compare(crop.units(), crop.classification, "--radius", 1.5)

    def test_synthetic_town(self):
        tuile("synth", "-o", self.folder / "town", "--tiles", "1x1", "--size", 90, "--density", 12)
        process(self.folder / "town" / "tiles", self.folder / "crop", "--features", "x")
        crop = Tile(self.folder / "crop", "town_0_0")
        self.compare(crop.units(), crop.classification)

    def test_copies_change_nothing(self):
        rng = np.random.default_rng(3)
        units = rng.integers(0, 3000, (5000, 3)) // [1, 1, 30]
        left = units[:, 0] < 1500
        (self.folder / "copies").mkdir()
        write_las(self.folder / "a.las", units[left], 2)
        write_las(self.folder / "b.las", units[~left], 2)
        for name, mask in {"a": left, "b": ~left, "a_again": left, "b_again": ~left}.items():
            write_las(self.folder / "copies" / f"{name}.las", units[mask], 2)
        process([self.folder / "a.las", self.folder / "b.las"], self.folder / "once", "--features", "full")
        process(self.folder / "copies", self.folder / "twice", "--features", "full")
        for name in ("a", "b"):
            np.testing.assert_array_equal(Tile(self.folder / "once", name).features, Tile(self.folder / "twice", name).features)


class Ground(Folder):
    def test_planes_are_exact_however_large_the_hole(self):
        rng = np.random.default_rng(7)
        xy = rng.integers(0, 10_000, (40_000, 2))
        z = np.rint(0.3 * xy[:, 0] - 0.2 * xy[:, 1] + 5000).astype(int)
        centre = np.hypot(*(xy - 5000).T) < 3000
        units = np.column_stack([xy, z])
        units[centre, 2] += 800
        write_las(self.folder / "t.las", units, np.where(centre, 6, 2))
        process(self.folder / "t.las", self.folder / "out", "--features", "height_above_ground")
        height = Tile(self.folder / "out", "t").column("height_above_ground")
        self.assertLessEqual(np.abs(height[centre] - 8).max(), 0.0151, "1 cm, and half a unit of rounding in z")


if __name__ == "__main__":
    unittest.main()
