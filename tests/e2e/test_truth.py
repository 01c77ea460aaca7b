"""Ground truth and colours end to end: a synthetic town, MapServer behind lighttpd, and a proxy that spoils answers."""

import json
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

import numpy as np

from services import LAYERS, FaultProxy, MapServer, free_port
from support import BINARY, Folder, Tile, process, same_files, tuile

# Faults that pass: each is put before a share of the requests.
FAULTS = ("throttled", "throttled_date", "error_500", "error_502", "error_503", "silence", "slow", "reset", "truncated", "broken_chunks", "garbage", "empty",
          "html_page", "exception_report", "service_exception", "json_exception", "wrong_type", "invalid_utf8")


def setUpModule():
    global SCRATCH, TOWN, TILES, GPKG
    SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="tuile-truth-"))
    unittest.addModuleCleanup(shutil.rmtree, SCRATCH, ignore_errors=True)
    TOWN = SCRATCH / "town"
    tuile("synth", "-o", TOWN, "--tiles", "2x2", "--size", 150, "--density", 8, "--seed", 3, "--format", 8)
    TILES, GPKG = TOWN / "tiles", TOWN / "bdtopo.gpkg"


def wfs(url, cache=None, **more):
    """Options that fetch ground truth from a WFS. The timeout is for a machine with a load of 10: it only matters where a server is silent."""
    settings = {"url": url, "retries": 8, "timeout": 60, "requests_per_second": 1000, **more}
    options = ["--ground-truth", "wfs", "--set", f"ground_truth.cache.disk={cache or 'null'}"]
    for key, value in settings.items():
        options += ["--set", f"ground_truth.wfs.{key}={value}"]
    return options


def outputs(folder):
    """Bytes of the outputs, sidecars and run records apart: those name the source."""
    return {p.name: p.read_bytes() for p in pathlib.Path(folder).iterdir() if p.suffix in (".npz", ".laz")}


def tiles_of(folder):
    return [Tile(folder, path.stem) for path in sorted(pathlib.Path(folder).glob("*.npz"))]


def own_classes(town, name):
    return np.load(pathlib.Path(town) / "classes" / f"{name}.npy")


class FromFile(Folder):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"

    def test_labels_agree_with_what_the_pulses_hit(self):
        process(TILES, self.out, "--ground-truth", GPKG)
        labels, sources, truth = [], [], []
        for path in sorted(self.out.glob("*.npz")):
            data = np.load(path)
            labels.append(data["labels"])
            sources.append(data["label_source"])
            truth.append(own_classes(TOWN, path.stem))
        labels, sources, truth = map(np.concatenate, (labels, sources, truth))
        for name, classes, target in (("buildings", [6], 0.95), ("roads", [11], 0.95), ("water", [9], 0.9), ("vegetation", [3, 4, 5], 0.9)):
            predicted, own = np.isin(labels, classes) & (sources > 0), np.isin(truth, classes)
            iou = (predicted & own).sum() / (predicted | own).sum()
            print(f"IoU of {name}: {iou:.4f}")
            with self.subTest(name):
                self.assertGreater(own.sum(), 1000)
                self.assertGreaterEqual(iou, target)

    def test_arrays_and_sidecar_tell_the_same(self):
        summary = process(TILES, self.out, "--ground-truth", GPKG, "--formats", "npz,laz")
        self.assertEqual(summary["ground_truth"]["tiles"], {"labelled": 4, "unlabelled": 0})
        for tile in tiles_of(self.out):
            n = len(tile.classification)
            labels, source, row = (tile.npz[name] for name in ("labels", "label_source", "label_object"))
            self.assertEqual((labels.dtype, source.dtype, row.dtype, len(labels), len(source), len(row)), (np.uint8, np.uint8, np.int32, n, n, n))
            np.testing.assert_array_equal(labels[source == 0], tile.classification[source == 0])
            ids, layer = tile.npz["object_ids"], tile.npz["object_layer"]
            held = row >= 0
            np.testing.assert_array_equal(layer[row[held]], source[held])
            self.assertTrue((row[source == 0] == -1).all())
            self.assertEqual(len(np.unique(ids)), len(ids))
            self.assertIn("object_origine_du_batiment", tile.npz)
            report = tile.sidecar["ground_truth"]
            self.assertEqual([entry["layer"] for entry in report["layers"]], list(dict.fromkeys(entry["layer"] for entry in report["layers"])))
            for at, entry in enumerate(report["layers"], 1):
                self.assertIn(entry["outcome"], ("data", "confirmed empty"))
                self.assertEqual(entry["points"], int((source == at).sum()))
            self.assertEqual(report["classes"], {str(c): int(n) for c, n in zip(*np.unique(labels, return_counts=True))})
        # What labelling needs and nobody asked for is computed, and is no output.
        process(TILES, self.folder / "few", "--ground-truth", GPKG, "--features", "z")
        for one, few in zip(tiles_of(self.out), tiles_of(self.folder / "few")):
            self.assertEqual(few.names, ["z"])
            np.testing.assert_array_equal(one.npz["labels"], few.npz["labels"])

    def test_a_tile_beyond_the_file_fails_and_says_so(self):
        tuile("synth", "-o", self.folder / "far", "--tiles", "1x1", "--size", 50, "--density", 2, "--seed", 9)
        # The same place as the town's corner, but a file whose only layer is elsewhere.
        elsewhere = self.folder / "elsewhere.geojson"
        elsewhere.write_text(json.dumps({"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}, "features": [
            {"type": "Feature", "properties": {"cleabs": "A"}, "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}]}))
        layers = ["--set", "ground_truth.layers=[{layer: elsewhere, class: 6}]"]
        summary = process(self.folder / "far" / "tiles", self.out, "--ground-truth", elsewhere, *layers, status=1)
        self.assertIn("elsewhere failed", summary["failed"][0]["message"])
        self.assertFalse(list(self.out.glob("*.npz")))
        summary = process(self.folder / "far" / "tiles", self.out, "--ground-truth", elsewhere, *layers, "--set", "ground_truth.on_failure=unlabelled")
        self.assertEqual(summary["ground_truth"]["tiles"], {"labelled": 0, "unlabelled": 1})
        (tile,) = tiles_of(self.out)
        self.assertNotIn("labels", tile.npz)
        self.assertEqual(tile.sidecar["ground_truth"]["layers"][0]["outcome"], "failed")

    def test_missing_layers_fail_and_conditions_are_checked(self):
        summary = process(TILES, self.out, "--ground-truth", GPKG, "--set", "ground_truth.layers=[{layer: batimant, class: 6}]", status=1)
        self.assertIn("batimant", summary["failed"][0]["message"])
        bad = tuile("process", TILES, "-o", self.out, "--ground-truth", GPKG, "--set", "ground_truth.layers=[{layer: batiment, class: 6, where: hight > 2}]", status=2)
        self.assertIn("hight", bad.stderr)
        self.assertIn("hight", tuile("config", "check", "--set", "ground_truth.layers=[{layer: batiment, class: 6, where: hight > 2}]", status=2).stderr)
        self.assertIn("no_such.gpkg", tuile("process", TILES, "-o", self.out, "--ground-truth", "no_such.gpkg", status=2).stderr)
        self.assertIn("no_such.tif", tuile("process", TILES, "-o", self.out, "--set", "imagery.source=[no_such.tif]", status=2).stderr)
        before = GPKG.read_bytes()
        self.assertIn("overwritten", tuile("truth", next(TILES.glob("*.laz")), "-o", GPKG, "--ground-truth", GPKG, status=2).stderr)
        self.assertEqual(GPKG.read_bytes(), before)

    def test_results_do_not_depend_on_threads_or_overlap(self):
        process(TILES, self.out, "--ground-truth", GPKG, "--formats", "npz,laz")
        process(TILES, self.folder / "one", "--ground-truth", GPKG, "--formats", "npz,laz", "--threads", 1, "--no-async")
        self.assertEqual(same_files(self.out, self.folder / "one"), [])

    def test_done_tiles_are_skipped_until_the_file_changes(self):
        copy = self.folder / "copy.gpkg"
        shutil.copy(GPKG, copy)
        process(TILES, self.out, "--ground-truth", copy)
        self.assertEqual(process(TILES, self.out, "--ground-truth", copy)["tiles"]["skipped"], 4)
        with sqlite3.connect(copy) as database:
            database.execute("PRAGMA user_version = 10301")
            database.execute("CREATE TABLE more (id INTEGER)")
        self.assertEqual(process(TILES, self.out, "--ground-truth", copy)["tiles"]["done"], 4)


class FromService(Folder):
    @classmethod
    def setUpClass(cls):
        cls.expected = SCRATCH / "from_file"
        process(TILES, cls.expected, "--ground-truth", GPKG, "--formats", "npz,laz")
        cls.server = MapServer(SCRATCH / "mapserver", TOWN, page=50)
        cls.addClassCleanup(cls.server.__exit__)

    def setUp(self):
        super().setUp()
        self.out, self.cache = self.folder / "out", self.folder / "cache"

    def assertSameLabels(self, folder):
        expected, got = outputs(self.expected), outputs(folder)
        self.assertEqual(sorted(expected), sorted(got))
        self.assertEqual([name for name in expected if expected[name] != got[name]], [])

    def test_the_same_bytes_as_from_the_file_page_by_page(self):
        summary = process(TILES, self.out, *wfs(self.server.url), "--formats", "npz,laz")
        self.assertSameLabels(self.out)
        pages = [line for line in self.server.requests() if "STARTINDEX=50&" in line or line.endswith("STARTINDEX=50")]
        self.assertTrue(pages, "no layer came in pages, so paging was not tried")
        self.assertEqual(summary["ground_truth"]["wfs_fetches"], len(LAYERS))
        self.assertEqual(summary["ground_truth"]["edition"], "V3 2026-06-15")

    def test_every_feature_arrives_once(self):
        tile = next(TILES.glob("*.laz"))
        fetched = self.folder / "truth.gpkg"
        report = json.loads(tuile("truth", tile, "-o", fetched, "--json", *wfs(self.server.url)).stdout)
        x0, y0, x1, y1 = report["bounds"]
        for entry in report["layers"]:
            layer = entry["layer"]
            with sqlite3.connect(GPKG) as original:
                inside = original.execute(f"SELECT cleabs FROM {layer} t JOIN rtree_{layer}_geometrie r ON t.fid = r.id "
                                          "WHERE r.minx <= ? AND r.maxx >= ? AND r.miny <= ? AND r.maxy >= ?", (x1, x0, y1, y0)).fetchall()
            with sqlite3.connect(fetched) as copy:
                there = copy.execute(f"SELECT cleabs FROM {layer}").fetchall() if entry["features"] else []
            self.assertEqual(len(there), len(set(there)), layer)
            # The index keeps boxes in float32, a little wider than they are.
            self.assertLessEqual(set(there), set(inside), layer)
            self.assertLessEqual(len(inside) - len(there), 2, layer)
            self.assertEqual(entry["outcome"], "data" if there else "confirmed empty", layer)

    def test_one_fetch_per_layer_and_cell_and_none_the_second_time(self):
        town = self.folder / "twenty"
        tuile("synth", "-o", town, "--tiles", "5x4", "--size", 40, "--density", 2, "--seed", 3)
        first = process(town / "tiles", self.out, *wfs(self.server.url, self.cache))
        self.assertEqual((first["tiles"]["done"], first["ground_truth"]["wfs_fetches"]), (20, len(LAYERS)))
        asked = len(self.server.requests()) + len(self.server.requests("GetCapabilities"))
        second = process(town / "tiles", self.folder / "again", *wfs(self.server.url, self.cache))
        self.assertEqual(second["ground_truth"]["wfs_fetches"], 0)
        self.assertEqual(second["ground_truth"]["http"]["requests"], 0)
        self.assertEqual(len(self.server.requests()) + len(self.server.requests("GetCapabilities")), asked)
        self.assertEqual(same_files(self.out, self.folder / "again"), [])

    def test_two_processes_share_a_cache(self):
        command = [BINARY, "process", TILES, "--formats", "npz,laz", *wfs(self.server.url, self.cache)]
        runs = [subprocess.Popen([*map(str, command), "-o", str(self.folder / name)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                for name in ("a", "b")]
        for run in runs:
            _, errors = run.communicate(timeout=300)
            self.assertEqual(run.returncode, 0, errors)
        self.assertSameLabels(self.folder / "a")
        self.assertSameLabels(self.folder / "b")
        third = process(TILES, self.folder / "c", *wfs(self.server.url, self.cache))
        self.assertEqual(third["ground_truth"]["wfs_fetches"], 0)

    def test_a_damaged_cache_is_fetched_anew(self):
        process(TILES, self.out, *wfs(self.server.url, self.cache), "--formats", "npz,laz")
        entries = [p for p in self.cache.rglob("*") if p.is_file() and p.stat().st_size > 200]
        self.assertTrue(entries)
        for at, path in enumerate(entries):
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 0xFF
            path.write_bytes(data if at % 2 else data[:-7])
        process(TILES, self.folder / "again", *wfs(self.server.url, self.cache), "--formats", "npz,laz")
        self.assertSameLabels(self.folder / "again")

    def test_no_fault_changes_a_label(self):
        marked = []
        for fault in FAULTS:
            with self.subTest(fault), FaultProxy(self.folder, f"http://127.0.0.1:{self.server.port}", fault, rate=0.2, seed=len(fault)) as proxy:
                out = self.folder / fault
                timeout = 5 if fault == "silence" else 60
                done = tuile("process", TILES, "-o", out, "--json", *wfs(proxy.url + "/ows", timeout=timeout), "--formats", "npz,laz", status=None)
                spoilt = [line for line in proxy.log.read_text().splitlines() if fault in line]
                self.assertTrue(spoilt, "the proxy let everything pass")
                summary = json.loads(done.stdout)
                if summary["tiles"]["failed"] == 0:
                    self.assertSameLabels(out)
                else:  # marked, never silently different
                    marked.append(fault)
                    self.assertEqual(done.returncode, 1)
                    expected, got = outputs(self.expected), outputs(out)
                    self.assertEqual([name for name in got if got[name] != expected[name]], [])
        self.assertLessEqual(len(marked), 2, "faults that pass are to be survived, not only marked")

    def test_throttling_and_the_circuit_breaker_are_seen_in_the_log(self):
        with FaultProxy(self.folder, f"http://127.0.0.1:{self.server.port}", "throttled", rate=0.3, seed=2) as proxy:
            done = tuile("process", TILES, "-o", self.out, *wfs(proxy.url + "/ows"))
            self.assertIn("429", done.stderr)
        with FaultProxy(self.folder, f"http://127.0.0.1:{self.server.port}", "error_500", rate=1) as proxy:
            done = tuile("process", TILES, "-o", self.folder / "b", *wfs(proxy.url + "/ows", retries=5), status=1)
            self.assertRegex(done.stderr.lower(), "breaker|not asked")
            self.assertEqual(list((self.folder / "b").glob("*.npz")), [])

    def test_a_dead_service_leaves_tiles_unlabelled_and_the_next_run_mends_them(self):
        options = ["--set", "ground_truth.on_failure=unlabelled", "--formats", "npz,laz"]
        port = free_port()
        with FaultProxy(self.folder, f"http://127.0.0.1:{self.server.port}", "reset", rate=1, port=port) as proxy:
            summary = process(TILES, self.out, *wfs(proxy.url + "/ows", retries=0), *options)
            self.assertEqual(summary["ground_truth"]["tiles"], {"labelled": 0, "unlabelled": 4})
        for tile in tiles_of(self.out):
            self.assertNotIn("labels", tile.npz)
            self.assertFalse(tile.sidecar["ground_truth"]["labelled"])
        # The service is back at the same address.
        with FaultProxy(self.folder, f"http://127.0.0.1:{self.server.port}", port=port) as proxy:
            summary = process(TILES, self.out, *wfs(proxy.url + "/ows"), *options)
            self.assertEqual((summary["tiles"]["done"], summary["ground_truth"]["tiles"]["labelled"]), (4, 4))
            again = process(TILES, self.out, *wfs(proxy.url + "/ows"), *options)
            self.assertEqual(again["tiles"]["skipped"], 4)
        self.assertSameLabels(self.out)


class Imagery(Folder):
    @classmethod
    def setUpClass(cls):
        cls.server = MapServer(SCRATCH / "wms", TOWN)
        cls.addClassCleanup(cls.server.__exit__)
        cls.plain = SCRATCH / "plain"  # the same town without colours of its own
        tuile("synth", "-o", cls.plain, "--tiles", "2x2", "--size", 150, "--density", 8, "--seed", 3, "--format", 6)

    def wms(self, url, **more):
        settings = {"url": url, "rgb_layer": "rgb", "irc_layer": "irc", "timeout": 60, "retries": 3, "requests_per_second": 1000, **more}
        options = ["--set", "imagery.source=wms"]
        for key, value in settings.items():
            options += ["--set", f"imagery.wms.{key}={value}"]
        return options

    def test_files_and_service_give_the_same_colours(self):
        files = ["--set", f"imagery.source=[{TOWN}/ortho_rgb.tif, {TOWN}/ortho_irc.tif]"]
        process(self.plain / "tiles", self.folder / "files", *files, "--formats", "npz,laz")
        summary = process(self.plain / "tiles", self.folder / "wms", *self.wms(self.server.url), "--formats", "npz,laz")
        self.assertEqual(summary["imagery"]["tiles"], {"coloured": 4, "failed": 0})
        self.assertEqual(outputs(self.folder / "files"), outputs(self.folder / "wms"))
        for tile in tiles_of(self.folder / "files"):
            self.assertEqual(tile.sidecar["missing_columns"], [])
            for name in ("red", "green", "blue", "ndvi"):
                self.assertTrue(np.isfinite(tile.column(name)[tile.npz["valid"]]).all(), name)
            # Grass and leaves are greener than façades and streets: the images lie where the points do.
            own = own_classes(self.plain, pathlib.Path(tile.sidecar["input"]["path"]).stem)
            self.assertGreater(np.median(tile.column("ndvi")[own == 5]), np.median(tile.column("ndvi")[own == 11]) + 0.2)

    def test_a_service_that_fails_leaves_columns_missing(self):
        with FaultProxy(self.folder, f"http://127.0.0.1:{self.server.port}", "html_page", rate=1) as proxy:
            summary = process(self.plain / "tiles", self.folder / "out", *self.wms(proxy.url + "/ows", retries=0))
            self.assertEqual(summary["imagery"]["tiles"], {"coloured": 0, "failed": 4})
        for tile in tiles_of(self.folder / "out"):
            self.assertEqual(tile.sidecar["imagery"]["rgb"], "failed")
            self.assertTrue(np.isnan(tile.column("red")).all())
            self.assertEqual(sorted(tile.sidecar["missing_columns"]), ["blue", "green", "ndvi", "red"])

    def test_faults_change_no_colour(self):
        process(self.plain / "tiles", self.folder / "good", *self.wms(self.server.url))
        with FaultProxy(self.folder, f"http://127.0.0.1:{self.server.port}", "all", rate=0.3, seed=4) as proxy:
            process(self.plain / "tiles", self.folder / "bad", *self.wms(proxy.url + "/ows", retries=10, timeout=5))
        self.assertEqual(outputs(self.folder / "good"), outputs(self.folder / "bad"))

    def test_points_beyond_the_image_have_no_colour(self):
        tuile("synth", "-o", self.folder / "more", "--tiles", "3x1", "--size", 150, "--density", 2, "--seed", 3)
        process(self.folder / "more" / "tiles", self.folder / "out", "--set", f"imagery.source=[{TOWN}/ortho_rgb.tif]", status=None)
        east = Tile(self.folder / "out", "town_2_0")
        west = Tile(self.folder / "out", "town_0_0")
        self.assertFalse(np.isnan(west.column("red")).any())
        self.assertGreater(np.isnan(east.column("red")).mean(), 0.9)


class Download(Folder):
    def test_tiles_come_from_the_index_whole_and_once(self):
        index = self.folder / "metadata.geojson"
        with MapServer(self.folder / "server", TOWN, index=index) as server:
            features = []
            for path in sorted(TILES.glob("*.laz")):
                info = json.loads(tuile("info", path, "--json").stdout)
                (x0, y0, _), (x1, y1, _) = info["files"][0]["min"], info["files"][0]["max"]
                features.append({"type": "Feature", "properties": {"name": path.name, "url_npl": f"http://127.0.0.1:{server.port}/tiles/{path.name}"},
                                 "geometry": {"type": "Polygon", "coordinates": [[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]]}})
            index.write_text(json.dumps({"type": "FeatureCollection", "name": "metadata",
                                         "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}, "features": features}))
            out = self.folder / "tiles"
            command = ["download", "--bbox", "869000,6616000,871000,6618000", "-o", out, "--index", server.url, "--layer", "BDTOPO_V3:gone",
                       "--layer", "BDTOPO_V3:metadata", "--requests-per-second", 1000, "--json"]
            listed = json.loads(tuile(*command, "--list").stdout)
            self.assertEqual([t["state"] for t in listed["tiles"]], ["listed"] * 4)
            self.assertFalse(out.exists())
            first = json.loads(tuile(*command).stdout)
            self.assertEqual([t["state"] for t in first["tiles"]], ["downloaded"] * 4)
            for path in TILES.glob("*.laz"):
                self.assertEqual((out / path.name).read_bytes(), path.read_bytes())
            self.assertEqual(sorted(p.name for p in out.iterdir()), sorted(p.name for p in TILES.glob("*.laz")))
            # One is cut, one is half there, of unknown edition: both are fetched again, the other two are left alone.
            cut, half = sorted(out.iterdir())[:2]
            cut.write_bytes(cut.read_bytes()[:1000])
            data = half.read_bytes()
            half.unlink()
            half.with_name(half.name + ".part").write_bytes(data[:len(data) // 2])
            second = json.loads(tuile(*command).stdout)
            self.assertEqual([t["state"] for t in second["tiles"]], ["downloaded", "downloaded", "already there", "already there"])
            for path in TILES.glob("*.laz"):
                self.assertEqual((out / path.name).read_bytes(), path.read_bytes())
            self.assertIn("no tile", tuile("download", "--bbox", "0,0,1,1", *command[3:], status=1).stderr)


if __name__ == "__main__":
    unittest.main()
