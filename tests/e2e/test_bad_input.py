"""Bad input: each a clear error (or the right answer) that names file and remedy; the other tiles are done."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import numpy as np

from support import BINARY, Folder, Tile, process, real_data, same_files, tuile, write_las


def cloud(n=400, seed=0):
    rng = np.random.default_rng(seed)
    units = rng.integers(0, 2000, (n, 3))
    units[:, 2] //= 100
    return units


class BadTiles(Folder):
    """One bad file between good ones."""

    def setUp(self):
        super().setUp()
        self.tiles = self.folder / "tiles"
        self.tiles.mkdir()
        write_las(self.tiles / "good.las", cloud(), classification=2)

    def fails(self, name, *words):
        """The named tile fails with a message that holds the words; the good one is done."""
        summary = process(self.tiles, self.folder / "out", status=1)
        self.assertEqual(summary["tiles"]["done"], 1)
        self.assertEqual([pathlib.Path(f["path"]).name for f in summary["failed"]], [name])
        message = summary["failed"][0]["message"]
        for word in (name, *words):
            self.assertIn(word, message)
        self.assertTrue((self.folder / "out" / "good.npz").exists())
        self.assertFalse((self.folder / "out" / (pathlib.Path(name).stem + ".json")).exists())
        tuile("verify", self.folder / "out")

    def process_unprivileged(self):
        """The run of somebody whom modes bind: root may read everything, so it runs as nobody, with a copy of the binary where nobody gets to."""
        for path in (self.folder, self.tiles):
            path.chmod(0o755)
        out = self.folder / "out"
        out.mkdir()
        out.chmod(0o777)
        binary = shutil.copy(BINARY, self.folder / "tuile")
        user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.run([binary, "process", str(self.tiles), "-o", str(out), "--json"], capture_output=True, text=True, **user)

    def test_zero_bytes(self):
        (self.tiles / "bad.laz").write_bytes(b"")
        self.fails("bad.laz")

    def test_truncated_las(self):
        write_las(self.tiles / "bad.las", cloud())
        data = (self.tiles / "bad.las").read_bytes()
        (self.tiles / "bad.las").write_bytes(data[: len(data) // 2])
        self.fails("bad.las")

    def test_wrong_magic(self):
        write_las(self.tiles / "bad.las", cloud(), magic=b"LAZF")
        self.fails("bad.las", "LASF")

    def test_unsupported_version(self):
        write_las(self.tiles / "bad.las", cloud(), minor=7)
        self.fails("bad.las", "1.7")

    def test_count_larger_than_file(self):
        write_las(self.tiles / "bad.las", cloud(), count=4_000_000)
        self.fails("bad.las", "4000000")

    def test_nan_scale(self):
        write_bad_scale(self.tiles / "bad.las", float("nan"))
        self.fails("bad.las", "scale")

    def test_zero_scale(self):
        write_bad_scale(self.tiles / "bad.las", 0.0)
        self.fails("bad.las", "scale")

    def test_bounds_that_lie(self):
        write_las(self.tiles / "bad.las", cloud() + [100_000, 0, 0], low=(1000.0, 0.0, 0.0), high=(1001.0, 20.0, 1.0))
        self.fails("bad.las", "bounds")

    def test_folder_called_laz(self):
        (self.tiles / "x.laz").mkdir()
        self.fails("x.laz", "folder")

    def test_a_fifo_does_not_hang(self):
        os.mkfifo(self.tiles / "bad.laz")
        self.fails("bad.laz", "regular file")

    def test_a_link_to_itself(self):
        (self.tiles / "bad.laz").symlink_to("bad.laz")
        self.fails("bad.laz")

    def test_fail_fast(self):
        (self.tiles / "bad.laz").write_bytes(b"")
        summary = process(self.tiles, self.folder / "out", "--fail-fast", status=1)
        self.assertEqual((summary["tiles"]["done"], summary["tiles"]["failed"], summary["tiles"]["not_begun"]), (0, 1, 1))

    def test_a_folder_that_cannot_be_listed(self):
        (self.tiles / "a").mkdir()
        write_las(self.tiles / "a" / "lost.las", cloud())
        (self.tiles / "a").chmod(0)
        done = self.process_unprivileged()
        (self.tiles / "a").chmod(0o755)
        self.assertEqual(done.returncode, 1, done.stderr)
        summary = json.loads(done.stdout)
        self.assertEqual(summary["tiles"]["done"], 1)
        self.assertIn(str(self.tiles / "a"), summary["failed"][0]["message"])

    def test_unreadable(self):
        write_las(self.tiles / "bad.las", cloud())
        (self.tiles / "bad.las").chmod(0)
        done = self.process_unprivileged()
        self.assertEqual(done.returncode, 1, done.stderr)
        failed = json.loads(done.stdout)["failed"]
        self.assertEqual(len(failed), 1)
        self.assertIn("ermission", failed[0]["message"])

    def test_damaged_chunk(self):
        tuile("synth", "-o", self.folder / "town", "--tiles", "1x1", "--size", 60, "--density", 10)
        data = bytearray((self.folder / "town" / "tiles" / "town_0_0.laz").read_bytes())
        middle = len(data) // 2
        for i in range(middle, middle + 4000):
            data[i] = (data[i] * 31 + i) & 0xFF
        (self.tiles / "bad.laz").write_bytes(bytes(data))
        self.fails("bad.laz")

    def test_truncated_laz(self):
        tuile("synth", "-o", self.folder / "town", "--tiles", "1x1", "--size", 60, "--density", 10)
        data = (self.folder / "town" / "tiles" / "town_0_0.laz").read_bytes()
        (self.tiles / "bad.laz").write_bytes(data[: len(data) * 2 // 3])
        self.fails("bad.laz")

    def test_degrees(self):
        units = np.array([[23_000_000, 481_000_000, 0], [23_000_900, 481_000_900, 10]])
        write_las(self.tiles / "bad.las", units, scale=1e-7)
        self.fails("bad.las", "degrees", "reproject")

    def test_a_bad_neighbour_is_named_and_the_tile_goes_on(self):
        # The neighbour's header is sound, its points are not: it shows when the halo is loaded.
        write_las(self.tiles / "bad.las", cloud() + [2000, 0, 0], low=(20.0, 0.0, 0.0), high=(20.5, 20.0, 1.0))
        self.fails("bad.las")
        halo = json.loads((self.folder / "out" / "good.json").read_text())["halo"]
        self.assertEqual(len(halo["missing"]), 1)
        self.assertIn("bad.las", json.dumps(halo["missing"]))


def write_bad_scale(path, value):
    write_las(path, cloud())
    data = bytearray(pathlib.Path(path).read_bytes())
    data[139:147] = np.float64(value).tobytes()
    pathlib.Path(path).write_bytes(bytes(data))


class OddTiles(Folder):
    """Odd, but not wrong: the right answer."""

    def run_one(self, units, classification=1, *arguments, scale=0.01):
        write_las(self.folder / "t.las", units, classification, scale=scale)
        summary = process(self.folder / "t.las", self.folder / "out", "--features", "full", "--overwrite", *arguments)
        self.assertEqual(summary["tiles"]["done"], 1)
        tuile("verify", self.folder / "out")
        tile = Tile(self.folder / "out", "t")
        inputs = {"red", "green", "blue", "nir", "ndvi"}
        if 2 not in np.atleast_1d(classification):
            inputs |= {"height_above_ground", "facade_score"}
        self.assertEqual(set(tile.sidecar["missing_columns"]), inputs if len(units) else set())
        for name in tile.names:
            self.assertEqual(bool(np.isnan(tile.column(name)).any()), name in inputs and len(units) > 0, name)
        return tile

    def test_no_points(self):
        tile = self.run_one(np.zeros((0, 3)), np.zeros(0))
        self.assertEqual(tile.features.shape[0], 0)
        self.assertTrue(any("no points" in warning for warning in tile.sidecar["warnings"]))

    def test_one_point(self):
        tile = self.run_one([[12345, 678, 90]])
        self.assertEqual(tile.column("normal_z")[0], 1)
        self.assertEqual(tile.column("planarity")[0], 0)
        self.assertEqual(tile.column("density")[0], 0)
        self.assertEqual(tile.column("num_points_2m")[0], 1)
        self.assertEqual(tile.sidecar["points"]["degenerate_neighbourhoods"], 1)

    def test_all_equal(self):
        tile = self.run_one(np.tile([[5000, 6000, 70]], (10_000, 1)), 2)
        self.assertTrue((tile.column("normal_z") == 1).all())
        self.assertTrue((tile.column("num_points_2m") == 10_000).all())
        self.assertTrue((tile.column("height_above_ground") == 0).all())
        self.assertEqual(tile.sidecar["points"]["degenerate_neighbourhoods"], 10_000)

    def test_no_ground(self):
        tile = self.run_one(cloud(), 1)
        self.assertTrue(np.isnan(tile.column("height_above_ground")).all())

    def test_a_line(self):
        units = np.stack([np.arange(0, 3000, 3), np.zeros(1000), np.zeros(1000)], axis=1).astype(int)
        tile = self.run_one(units, 2)
        self.assertTrue((tile.column("linearity") == 1).all())

    def test_a_file_without_crs_is_taken_for_metres_and_says_so(self):
        tile = self.run_one(cloud(), 2)
        self.assertTrue(any("metres" in warning for warning in tile.sidecar["warnings"]))

    def test_the_origin_does_not_matter(self):
        units = cloud(3000, seed=4)
        a = self.run_one(units, 2)
        near = {name: a.column(name).copy() for name in a.names if name not in "xyz"}
        b = self.run_one(units + [0, 680_000_000, 0], 2)
        for name, values in near.items():
            np.testing.assert_array_equal(values, b.column(name), name)

    def test_real_odd_files(self):
        odd = sorted(path for path in real_data("odd").iterdir() if path.name != "laz-perf__no-points-1.3.las")  # its LAZ twin has the same name
        summary = process(odd, self.folder / "out", status=1)
        failed = {pathlib.Path(f["path"]).name for f in summary["failed"]}
        self.assertLessEqual({"LASzip__broken_coder.laz", "LASzip__broken_compressor.laz", "LASzip__broken_size.laz", "LASzip__broken_type.laz",
                              "PDAL__1.2-no-points.las"}, failed)
        self.assertEqual(summary["tiles"]["done"] + len(failed), summary["tiles"]["total"])
        for failure in summary["failed"]:
            self.assertIn(pathlib.Path(failure["path"]).name, failure["message"])
        tuile("verify", self.folder / "out")


class Usage(Folder):
    """Wrong usage and configuration: exit status 2 before anything is done."""

    def setUp(self):
        super().setUp()
        write_las(self.folder / "t.las", cloud(), 2)

    def refused(self, *arguments, words=()):
        done = tuile(*arguments, status=2)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertFalse((self.folder / "out").exists())
        return done

    def test_config(self):
        out = self.folder / "out"
        config = self.folder / "c.yaml"
        for text, words in {"features: {kk: 20}": ["c.yaml", "features.kk", "features.k"], "features: {k: many}": ["features.k", "many"],
                            "halo: -1": ["halo", "-1"], "write: {formats: [npy]}": ["npy", "npz"], "a: [": ["c.yaml"],
                            "features: {set: lod9}": ["lod9", "lod2"]}.items():
            config.write_text(text)
            self.refused("process", self.folder / "t.las", "-o", out, "-c", config, words=words)
            tuile("config", "check", config, status=2)
        self.refused("process", self.folder / "t.las", "-o", out, "--set", "features.k", words=["features.k"])
        self.refused("process", self.folder / "t.las", "-o", out, "--features", "planarty", words=["planarty", "planarity"])
        self.refused("process", self.folder / "t.las", "-o", out, "--bbox", "1,2,3")
        self.refused("process", self.folder / "t.las", "-o", out, "--shard", "3/2")
        self.refused("process", self.folder / "t.las", "-o", out, "--bbox", "1000,1000,1001,1001", words=["touches none"])
        self.refused("process", self.folder / "t.las", "-o", out, "--formats", "laz", "--features", "neighborhood_extent",
                     "--set", "features.scales=[{radius: 0.123456789012}]", words=["32"])

    def test_command_line(self):
        self.refused("process", self.folder / "absent.las", "-o", self.folder / "out", words=["absent.las"])
        self.refused("process", self.folder / "t.las", "--no-such-option")
        self.refused("nonsense")
        self.refused()
        self.refused("process", "-o", self.folder / "out", words=["input"])

    def test_a_nul_in_a_path(self):
        tiles, nul = self.folder / "tiles", "nul\\0x"
        tiles.mkdir()
        write_las(tiles / "a.las", cloud(), classification=2)
        (self.folder / "nul").mkdir()  # what the system would take for the whole
        (self.folder / "list.txt").write_bytes(b"tiles/a.las\0x\n")
        for arguments in ([tiles, "--set", f'output="{nul}"'], [tiles, "--set", f'output="{nul}/deeper"'], [tiles, "--set", f'trace="{nul}"'],
                          ["--set", f'input=["tiles/a.las{nul}"]'], ["--set", f'ground_truth.source="{nul}"', tiles], [f"@{self.folder}/list.txt"]):
            done = subprocess.run([BINARY, "process", *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=self.folder)
            self.assertEqual(done.returncode, 2, (arguments, done.stderr))
            self.assertIn("NUL", done.stderr)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["list.txt", "nul", "t.las", "tiles"])
        self.assertEqual(list((self.folder / "nul").iterdir()), [])

    def test_two_inputs_one_name(self):
        write_las(self.folder / "t.laz", cloud(), 2)
        self.refused("process", self.folder / "t.las", self.folder / "t.laz", "-o", self.folder / "out", words=["t.las", "t.laz"])

    def test_output_onto_input(self):
        before = (self.folder / "t.las").read_bytes()
        write_las(self.folder / "u.laz", cloud(), 2)
        done = tuile("process", self.folder / "u.laz", "-o", self.folder, "--formats", "laz", status=2)
        self.assertIn("u.laz", done.stderr)
        self.assertEqual(before, (self.folder / "t.las").read_bytes())

    def test_backend_that_cannot_run(self):
        done = tuile("process", self.folder / "t.las", "-o", self.folder / "out", "--backend", "cuda", status=3)
        self.assertIn("cuda", done.stderr.lower())

    def test_unwritable_output(self):
        (self.folder / "file").write_text("")
        done = tuile("process", self.folder / "t.las", "-o", self.folder / "file" / "out", status=1)
        self.assertIn("file", done.stderr)

    def test_every_command_has_help_with_an_example(self):
        for command in ("process", "info", "synth", "verify", "config", "bench"):
            self.assertIn("Example", tuile(command, "--help").stdout)


class ClosedDescriptors(Folder):
    """Standard input, output or error closed by the caller: what is said must not land in the files that are written."""

    def test_outputs_are_those_of_a_normal_run(self):
        # Damaged where only decoding finds it, so that warnings come while the sound tiles between them are being written.
        tuile("synth", "-o", self.folder / "town", "--tiles", "4x3", "--size", 50, "--density", 5)
        for tile in sorted((self.folder / "town" / "tiles").glob("*.laz"))[1::4]:
            damaged = bytearray(tile.read_bytes())
            middle = slice(len(damaged) // 2, len(damaged) // 2 + 200)
            damaged[middle] = bytes(byte ^ 0x5A for byte in damaged[middle])
            tile.write_bytes(damaged)

        def run(output, closing):
            command = f'exec "$0" process "$1" -o "$2" --formats npz,laz --verbose --trace "$3" {closing}'
            arguments = [BINARY, str(self.folder / "town" / "tiles"), str(self.folder / output), str(self.folder / f"{output}.trace")]
            return subprocess.run(["sh", "-c", command, *arguments], capture_output=True, text=True, timeout=300)

        whole = run("whole", "")
        self.assertEqual(whole.returncode, 1, whole.stderr)
        self.assertEqual(len(list((self.folder / "whole").glob("*.npz"))), 9)
        for number, closing in enumerate(("2>&-", "1>&-", "0<&-", "0<&- 1>&- 2>&-")):
            with self.subTest(closing):
                done = run(f"closed{number}", closing)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertEqual(same_files(self.folder / "whole", self.folder / f"closed{number}"), [])
                json.loads((self.folder / f"closed{number}.trace").read_text())
                tuile("verify", self.folder / f"closed{number}")


if __name__ == "__main__":
    unittest.main()
