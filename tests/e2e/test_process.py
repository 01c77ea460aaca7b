"""The main job on the synthetic town and on real tiles."""

import json
import subprocess
import unittest

import numpy as np

from support import BINARY, Folder, Tile, process, real_data, same_files, tuile

LOD2 = ["x", "y", "z", "normal_z", "planarity", "linearity", "height_above_ground", "verticality", "red", "green", "blue", "ndvi"]


class Town(Folder):
    def setUp(self):
        super().setUp()
        self.tiles = self.folder / "town" / "tiles"
        tuile("synth", "-o", self.folder / "town", "--tiles", "2x2", "--size", 60, "--density", 12, "--format", 8, "--seed", 5)

    def test_lod2_of_every_tile(self):
        summary = process(self.tiles, self.folder / "out", "--formats", "npz,laz")
        self.assertEqual(summary["tiles"], {"total": 4, "done": 4, "failed": 0, "skipped": 0, "not_begun": 0})
        self.assertIn("all sound", tuile("verify", self.folder / "out").stdout)
        for path in self.tiles.glob("*.laz"):
            tile = Tile(self.folder / "out", path.stem)
            self.assertEqual(tile.names, LOD2)
            info = json.loads(tuile("info", path, "--json").stdout)["files"][0]
            self.assertEqual(tile.features.shape, (info["points"], 12))
            self.assertEqual(tile.npz["xyz"].dtype, np.float32)
            self.assertFalse(np.isnan(tile.features[tile.npz["valid"]]).any())
            computed = [LOD2.index(n) for n in ("normal_z", "planarity", "linearity", "height_above_ground", "verticality")]
            self.assertTrue(np.isnan(tile.features[~tile.npz["valid"]][:, computed]).all())
            np.testing.assert_array_equal(tile.npz["valid"], ~np.isin(tile.classification, [65, 66]))
            written = json.loads(tuile("info", self.folder / "out" / path.name, "--json").stdout)["files"][0]
            self.assertEqual(written["points"], info["points"])
            names = [dimension["name"] for dimension in written["extra_dimensions"]]
            self.assertEqual(names, ["normal_z", "planarity", "linearity", "height_above_ground", "verticality", "ndvi"])

    def test_features_mean_what_they_say(self):
        process(self.tiles, self.folder / "out", "--features", "full")
        ground, walls = [], []
        for path in self.tiles.glob("*.laz"):
            tile = Tile(self.folder / "out", path.stem)
            ground.append(tile.features[tile.classification == 2])
            walls.append(tile.features[tile.column("facade_score") > 0.5])
            names = tile.names
        ground, walls = np.concatenate(ground), np.concatenate(walls)
        self.assertLess(np.median(np.abs(ground[:, names.index("height_above_ground")])), 0.05)
        self.assertGreater(np.median(ground[:, names.index("normal_z")]), 0.95)
        self.assertGreater(len(walls), 50)
        self.assertGreater(np.median(walls[:, names.index("verticality")]), 0.7)

    def test_nothing_depends_on_threads_batches_shards_or_overlap(self):
        reference = self.folder / "reference"
        process(self.tiles, reference, "--threads", 1, "--no-async")
        runs = {"threads": ["--threads", 3], "batch": ["--batch", 3], "workers": ["--workers", 4, "--set", "prefetch.ahead=7"],
                "one_worker": ["--workers", 1]}
        for name, arguments in runs.items():
            process(self.tiles, self.folder / name, *arguments)
            self.assertEqual(same_files(reference, self.folder / name), [], name)
        for shard in ("0/3", "1/3", "2/3"):
            process(self.tiles, self.folder / "shards", "--shard", shard)
        self.assertEqual(same_files(reference, self.folder / "shards"), [])

    def test_done_tiles_are_skipped_until_something_changes(self):
        out = self.folder / "out"
        process(self.tiles, out)
        self.assertEqual(process(self.tiles, out)["tiles"], {"total": 4, "done": 0, "failed": 0, "skipped": 4, "not_begun": 0})
        self.assertEqual(process(self.tiles, out, "--k", 30)["tiles"]["done"], 4, "another configuration")
        self.assertEqual(process(self.tiles, out, "--k", 30, "--threads", 1, "--workers", 3)["tiles"]["skipped"], 4, "nothing that changes bytes")
        (out / "town_0_0.npz").unlink()
        self.assertEqual(process(self.tiles, out, "--k", 30)["tiles"]["done"], 1, "an output is missing")
        data = (self.tiles / "town_0_0.laz").read_bytes()
        (self.tiles / "town_0_0.laz").write_bytes(data)
        self.assertEqual(process(self.tiles, out, "--k", 30)["tiles"]["done"], 4, "every tile has its halo from the one that changed")
        self.assertEqual(process(self.tiles, out, "--k", 30, "--overwrite")["tiles"]["done"], 4)

    def test_box_writes_what_is_inside_with_the_same_features(self):
        process(self.tiles, self.folder / "whole")
        process(self.tiles, self.folder / "cut", "--bbox", "870020,6617020,870040,6617040", "--formats", "npz,laz")
        whole, cut = Tile(self.folder / "whole", "town_0_0"), Tile(self.folder / "cut", "town_0_0")
        self.assertEqual(sorted(p.name for p in (self.folder / "cut").glob("*.npz")), ["town_0_0.npz"])
        units = whole.units()
        inside = (units[:, 0] >= 87002000) & (units[:, 0] <= 87004000) & (units[:, 1] >= 661702000) & (units[:, 1] <= 661704000)
        self.assertGreater(inside.sum(), 1000)
        np.testing.assert_array_equal(cut.units(), units[inside])
        for name in ("normal_z", "planarity", "linearity", "verticality", "ndvi"):
            np.testing.assert_array_equal(cut.column(name), whole.column(name)[inside], name)
        self.assertIn("all sound", tuile("verify", self.folder / "cut").stdout)

    def test_a_box_without_end_is_the_whole(self):
        process(self.tiles, self.folder / "whole")
        process(self.tiles, self.folder / "boxed", "--bbox=-inf,-1e300,inf,1e300")
        for name in ("town_0_0", "town_1_1"):
            np.testing.assert_array_equal(Tile(self.folder / "whole", name).features, Tile(self.folder / "boxed", name).features)

    def test_outputs_below_the_inputs(self):
        out = self.tiles / "out"
        process(self.tiles, out, "--formats", "npz,laz")
        self.assertEqual(process(self.tiles, out, "--formats", "npz,laz")["tiles"], {"total": 4, "done": 0, "failed": 0, "skipped": 4, "not_begun": 0})
        process(self.tiles, out, "--formats", "npz")
        self.assertEqual(list(out.glob("*.laz")), [], "nobody vouches for them any more")
        self.assertIn("all sound", tuile("verify", out).stdout)
        process(self.tiles, self.tiles)
        self.assertIn("all sound", tuile("verify", self.tiles).stdout)

    def test_a_trace_that_cannot_be_written_costs_nothing_else(self):
        done = tuile("process", self.tiles, "-o", self.folder / "out", "--json", "--trace", self.folder / "absent" / "trace.json")
        self.assertIn("trace.json", done.stderr)
        self.assertEqual(json.loads(done.stdout)["tiles"]["done"], 4)

    def test_results_that_nobody_gets_are_an_error(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, "info", str(self.tiles), "--json"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)

    def test_scales_and_missing(self):
        tuile("synth", "-o", self.folder / "grey", "--tiles", "1x1", "--size", 40, "--density", 8)
        grey = self.folder / "grey" / "tiles"
        process(grey, self.folder / "nan", "--set", "features.scales=[{k: 50}, {radius: 2}]", "--features", "planarity,red,ndvi")
        tile = Tile(self.folder / "nan", "town_0_0")
        self.assertEqual(tile.names, ["planarity", "red", "ndvi", "planarity_k50", "planarity_r2"])
        self.assertTrue(np.isnan(tile.column("red")).all())
        self.assertEqual(tile.sidecar["missing_columns"], ["red", "ndvi"])
        process(grey, self.folder / "drop", "--features", "red,planarity,ndvi", "--set", "features.missing=drop")
        self.assertEqual(Tile(self.folder / "drop", "town_0_0").names, ["planarity"])
        summary = process(grey, self.folder / "error", "--features", "red,planarity", "--set", "features.missing=error", status=1)
        self.assertIn("red", summary["failed"][0]["message"])

    def test_the_plan_is_not_the_run(self):
        plan = json.loads(tuile("process", self.tiles, "-o", self.folder / "none", "--dry-run", "--json").stdout)
        self.assertEqual(len(plan["tiles"]), 4)
        self.assertEqual(sorted(len(tile["neighbours"]) for tile in plan["tiles"]), [3, 3, 3, 3])
        self.assertFalse((self.folder / "none").exists())

    def test_trace_and_run_report(self):
        process(self.tiles, self.folder / "out", "--trace", self.folder / "trace.json")
        events = json.loads((self.folder / "trace.json").read_text())["traceEvents"]
        self.assertEqual({event["cat"] for event in events}, {"load", "compute", "write"})
        reports = list((self.folder / "out").glob("run-*.json"))
        self.assertEqual(len(reports), 1)
        self.assertGreater(json.loads(reports[0].read_text())["compute_utilisation"], 0)

    def test_deflate_holds_the_same_numbers(self):
        process(self.tiles, self.folder / "stored")
        process(self.tiles, self.folder / "deflated", "--set", "write.npz.compression=deflate")
        a, b = Tile(self.folder / "stored", "town_1_1"), Tile(self.folder / "deflated", "town_1_1")
        np.testing.assert_array_equal(a.features, b.features)
        self.assertLess((self.folder / "deflated" / "town_1_1.npz").stat().st_size, (self.folder / "stored" / "town_1_1.npz").stat().st_size)

    def test_quiet_is_quiet_and_json_is_clean(self):
        done = tuile("process", self.tiles, "-o", self.folder / "out", "-q", "--json")
        self.assertEqual(done.stderr, "")
        json.loads(done.stdout)
        self.assertNotIn("\033", tuile("process", self.tiles, "-o", self.folder / "out").stderr)


class Real(Folder):
    def test_lidarhd(self):
        tiles = real_data("lidarhd")
        summary = process(tiles, self.folder / "out")
        self.assertEqual(summary["tiles"]["failed"], 0, summary["failed"])
        self.assertEqual(summary["tiles"]["done"], len(list(tiles.glob("*.laz"))))
        self.assertIn("all sound", tuile("verify", self.folder / "out").stdout)
        for path in tiles.glob("*.laz"):
            tile = Tile(self.folder / "out", path.stem)
            self.assertEqual(tile.names, LOD2)
            info = json.loads(tuile("info", path, "--json").stdout)["files"][0]
            self.assertEqual(len(tile.features), info["points"])
            missing = set(tile.sidecar["missing_columns"])
            for name in LOD2:
                column = tile.column(name)
                self.assertEqual(bool(np.isnan(column[tile.npz["valid"]]).all()), name in missing, f"{path.name} {name}")
                if name not in missing:
                    self.assertFalse(np.isnan(column[tile.npz["valid"]]).any(), f"{path.name} {name}")
        block = Tile(self.folder / "out", "test_data_77055_627755_LA93_IGN69").sidecar
        self.assertEqual(len(block["halo"]["used"]), 5)

    def test_copc_grid_by_box(self):
        tiles = real_data("copc_grid")
        summary = process(tiles, self.folder / "out", "--bbox", self.middle_of(tiles, 40))
        self.assertEqual(summary["tiles"]["failed"], 0, summary["failed"])
        self.assertEqual(summary["tiles"]["done"], 4)
        self.assertLess(summary["reader"]["decode_amplification"], 1.0, "only the nodes that touch the box are read")
        self.assertEqual(summary["reader"]["full_decodes"], 0)

    @staticmethod
    def middle_of(tiles, half):
        files = json.loads(tuile("info", tiles, "--json").stdout)["files"]
        x = sum(f["min"][0] + f["max"][0] for f in files) / (2 * len(files))
        y = sum(f["min"][1] + f["max"][1] for f in files) / (2 * len(files))
        return f"{x - half},{y - half},{x + half},{y + half}"


if __name__ == "__main__":
    unittest.main()
