"""Files read and written, against the command line and what went in."""
import json
import subprocess
import sys
import threading

import numpy as np
import pytest

import tuile
from conftest import run_tuile
from leaks import refused


def dimensions(path):
    return tuile.info(path)["extra_dimensions"]


@pytest.fixture()
def points():
    rng = np.random.default_rng(4)
    return np.round(rng.uniform(0, 50, (5000, 3)), 2) + [870_000, 6_617_000, 0]


def same_tile(one, other, but=()):
    assert np.array_equal(one.points, other.points)
    for name in ("classification", "intensity", "return_number", "number_of_returns", "red", "green", "blue", "nir"):
        if name in but:
            continue
        first, second = getattr(one, name), getattr(other, name)
        assert (first is None) == (second is None), name
        assert first is None or np.array_equal(first, second), name


class TestInfo:
    def test_as_the_command_line(self, tiles):
        (said,) = json.loads(run_tuile("info", "--json", tiles[0]).stdout)["files"]
        info = tuile.info(str(tiles[0]))
        assert info["points"] == said["points"] == len(tuile.read(tiles[0]))
        assert (info["epsg"], info["crs"]) == (said["crs"]["epsg"], said["crs"]["name"])
        assert (info["point_format"], info["version"]) == (said["point_format"], said["version"])
        assert (info["compressed"], info["copc"]) == (True, False)
        assert info["bounds"] == (*said["min"][:2], *said["max"][:2]) and info["scale"] == said["scale"]
        assert info["fields"] == ["intensity", "return_number", "number_of_returns"] and info["grid_scale"] == 0.01
        assert sum(info["points_by_return"]) == info["points"] and info["wkt"].startswith("COMPD_CS")
        assert info["bounds"] == tuple(tuile.read(tiles[0]).bounds)

    def test_z(self, tiles):
        z = tuile.read(tiles[0]).points[:, 2]
        assert np.allclose(tuile.info(tiles[0])["z_range"], (z.min(), z.max()), atol=1e-9)


class TestRead:
    def test_fields(self, tiles):
        whole, few = tuile.read(tiles[0]), tuile.read(tiles[0], fields=["intensity"])
        assert whole.return_number is not None and whole.red is None
        assert few.return_number is None and np.array_equal(few.intensity, whole.intensity)
        assert np.array_equal(few.classification, whole.classification)
        assert tuile.read(tiles[0], fields="intensity, returns").number_of_returns is not None
        assert tuile.read(tiles[0], fields=[]).intensity is None

    def test_a_box(self, tiles):
        whole = tuile.read(tiles[0])
        x0, y0, x1, y1 = whole.bounds
        box = (x0 + 10, y0 + 20, x0 + 30, y1 + 100)
        part = tuile.read(tiles[0], bbox=box)
        x, y = whole.points[:, 0], whole.points[:, 1]
        inside = (x >= box[0] - 1e-9) & (x <= box[2] + 1e-9) & (y >= box[1] - 1e-9)
        assert np.array_equal(part.rows, np.flatnonzero(inside)) and np.array_equal(part.points, whole.points[inside])
        assert tuple(part.bounds) == (box[0], box[1], box[2], y1)

    def test_copc(self, data):
        in_metres = [path for path in sorted((data / "copc").glob("*.copc.laz")) if "4326" not in path.name]
        if not in_metres:
            pytest.skip("no COPC file")
        path = in_metres[0]
        x0, y0, x1, y1 = tuile.info(path)["bounds"]
        box = (x0, y0, (x0 + x1) / 2, (y0 + y1) / 2)
        part, whole = tuile.read(path, bbox=box), tuile.read(path)
        assert 0 < len(part) < len(whole) and np.array_equal(part.points, whole.points[part.rows])

    @pytest.mark.parametrize("arguments, exception, message", [
        ({"fields": ["intensty"]}, tuile.InvalidArgument, "did you mean 'intensity'"),
        ({"fields": [3]}, TypeError, "fields holds 3"),
        ({"bbox": (1, 2, 3)}, tuile.InvalidArgument, "x0, y0, x1, y1"),
        ({"bbox": (3, 2, 1, 4)}, tuile.InvalidArgument, "x0 <= x1"),
        ({"bbox": (float("nan"), 2, 1, 4)}, tuile.InvalidArgument, "NaN"),
        ({"bbox": 5}, TypeError, "bbox is 5"),
    ])
    def test_bad_arguments(self, tiles, arguments, exception, message):
        refused(lambda: tuile.read(tiles[0], **arguments), exception, message)

    def test_a_nul_does_not_end_a_path(self, tiles):
        for path in (f"{tiles[0]}\0x", f"{tiles[0]}\0"):
            for look in (tuile.read, tuile.info):
                with pytest.raises(ValueError, match="NUL"):
                    look(path)

    def test_bad_files(self, tmp_path):
        (tmp_path / "empty.laz").touch()
        (tmp_path / "noise.laz").write_bytes(np.random.default_rng(1).bytes(5000))
        for look in (tuile.read, tuile.info):
            refused(lambda: look(tmp_path / "gone.laz"), FileNotFoundError, "gone.laz")
            refused(lambda: look(tmp_path / "empty.laz"), tuile.CorruptData, "empty.laz")
            refused(lambda: look(tmp_path / "noise.laz"), tuile.CorruptData, "noise.laz")
            refused(lambda: look(None), TypeError, "path is None")


class TestWriteArrays:
    def test_comes_back(self, points, tmp_path):
        rng = np.random.default_rng(5)
        n = len(points)
        given = {"classification": rng.integers(0, 256, n), "intensity": rng.integers(0, 65536, n), "rgb": rng.integers(0, 65536, (n, 3)),
                 "nir": rng.integers(0, 65536, n)}
        labels = rng.integers(0, 256, n)
        features = tuile.features(points)
        path = tmp_path / "new" / "points.laz"
        assert tuile.write_laz(path, points, features=features, labels=labels, crs=2154, **given) is None
        back = tuile.read(path)
        assert np.allclose(back.points, points, rtol=0, atol=1e-8)
        assert np.array_equal(back.classification, given["classification"]) and np.array_equal(back.intensity, given["intensity"])
        assert np.array_equal(np.column_stack([back.red, back.green, back.blue]), given["rgb"]) and np.array_equal(back.nir, given["nir"])
        assert (back.return_number == 1).all() and (back.number_of_returns == 1).all()
        info = tuile.info(path)
        assert (info["epsg"], info["point_format"], info["version"]) == (2154, 8, "1.4")
        assert info["extra_dimensions"] == [name for name in features if name not in "xyz"] + ["label"]
        assert list(path.parent.iterdir()) == [path]

    @pytest.mark.parametrize("given, point_format", [({}, 6), ({"rgb": np.zeros((5000, 3), int)}, 7), ({"nir": np.zeros(5000, int)}, 8)])
    def test_the_point_format(self, points, tmp_path, given, point_format):
        tuile.write_laz(tmp_path / "p.laz", points, **given)
        assert tuile.info(tmp_path / "p.laz")["point_format"] == point_format
        assert (tuile.read(tmp_path / "p.laz").classification == 1).all()

    def test_columns_are_what_went_in(self, points, tmp_path):
        laspy = pytest.importorskip("laspy")
        columns = tuile.features(points, ["planarity"])
        tuile.write_laz(tmp_path / "p.laz", points, features=columns)
        assert np.array_equal(laspy.read(tmp_path / "p.laz")["planarity"], columns["planarity"])

    def test_columns_of_other_kinds(self, points, tmp_path):
        features = {"a": np.arange(5000), "b": np.arange(10_000.0)[::2], "c": np.ones(5000, bool), "d": [1.0] * 5000}
        tuile.write_laz(tmp_path / "p.laz", points, features=features)
        assert dimensions(tmp_path / "p.laz") == list("abcd")

    def test_odd_arrays_make_the_same_file(self, points, tmp_path):
        tuile.write_laz(tmp_path / "a.laz", points)
        tuile.write_laz(tmp_path / "b.laz", np.asfortranarray(points.astype(">f8")))
        assert (tmp_path / "a.laz").read_bytes() == (tmp_path / "b.laz").read_bytes()

    def test_the_scale_rounds(self, points, tmp_path):
        tuile.write_laz(tmp_path / "p.laz", points, scale=0.5)
        assert np.abs(tuile.read(tmp_path / "p.laz").points - points).max() <= 0.2501
        assert tuile.info(tmp_path / "p.laz")["scale"] == [0.5] * 3

    def test_no_points(self, tmp_path):
        tuile.write_laz(tmp_path / "none.laz", np.zeros((0, 3)))
        assert len(tuile.read(tmp_path / "none.laz")) == 0 and tuile.info(tmp_path / "none.laz")["bounds"] is None

    def test_crs(self, points, tiles, tmp_path):
        wkt = tuile.info(tiles[0])["wkt"]
        for options, expected in [({"like": tiles[0]}, wkt), ({"like": tuile.read(tiles[0])}, wkt), ({"crs": wkt}, wkt), ({}, "")]:
            tuile.write_laz(tmp_path / "p.laz", points, **options)
            assert tuile.info(tmp_path / "p.laz")["wkt"] == expected
        tuile.write_laz(tmp_path / "p.laz", points, crs="epsg:5490")
        assert tuile.info(tmp_path / "p.laz")["epsg"] == 5490

    @pytest.mark.parametrize("options, exception, message", [
        ({"crs": "Lambert"}, tuile.InvalidArgument, "EPSG code"),
        ({"crs": 1}, tuile.Unsupported, "EPSG:1"),
        ({"crs": 2154, "like": "x.laz"}, tuile.InvalidArgument, "both given"),
        ({"crs": 21.5}, TypeError, "crs is 21.5"),
        ({"features": {"a": np.zeros(3)}}, tuile.InvalidArgument, r"'a' has shape \(3,\)"),
        ({"features": {"a": ["x"] * 40}}, TypeError, "'a' has dtype <U1"),
        ({"features": {"a" * 40: np.zeros(40)}}, tuile.InvalidArgument, "40 bytes"),
        ({"features": {1: np.zeros(40)}}, TypeError, "name is 1"),
        ({"features": [1, 2]}, TypeError, "type list"),
        ({"labels": np.full(40, 256)}, tuile.InvalidArgument, "labels: .*256"),
        ({"labels": np.zeros(4)}, TypeError, "float64"),
        ({"scale": 1e-9}, tuile.Unsupported, "coarser"),
        ({"scale": -1}, tuile.InvalidArgument, "scale is -1"),
    ])
    def test_bad_arguments_leave_no_file(self, points, tmp_path, options, exception, message):
        few = points[:40]
        refused(lambda: tuile.write_laz(tmp_path / "p.laz", few, **options), exception, message)
        assert list(tmp_path.iterdir()) == []


class TestWriteTiles:
    def test_nothing_added_is_the_tile_again(self, tiles, tmp_path):
        tile = tuile.read(tiles[0])
        tuile.write_laz(tmp_path / "again.laz", tile)
        same_tile(tuile.read(tmp_path / "again.laz"), tile)
        assert tuile.info(tmp_path / "again.laz")["wkt"] == tuile.info(tiles[0])["wkt"]

    def test_features_as_the_command_line_writes_them(self, tiles, tmp_path):
        run_tuile("process", tiles[0], "-o", tmp_path / "out", "--formats", "laz", "-q", "--set", "features.scales=[{k: 50}, {radius: 0.5}]")
        tile, scales = tuile.read(tiles[0]), [{"k": 50}, {"radius": 0.5}]
        tuile.write_laz(tmp_path / "ours.laz", tile, features=tuile.features(tile, scales=scales))
        tuile.write_laz(tmp_path / "matrix.laz", tile, features=tuile.features(tile, scales=scales, as_matrix=True))
        expected = (tmp_path / "out" / tiles[0].name).read_bytes()
        assert (tmp_path / "ours.laz").read_bytes() == expected
        assert (tmp_path / "matrix.laz").read_bytes() == expected

    def test_labels_and_classes(self, tiles, tmp_path):
        tile = tuile.read(tiles[0])
        classes = (np.arange(len(tile)) % 256).astype("u1")
        tuile.write_laz(tmp_path / "c.laz", tile, labels=classes[::-1], classification=classes)
        back = tuile.read(tmp_path / "c.laz")
        same_tile(back, tile, but=["classification"])
        assert np.array_equal(back.classification, classes) and dimensions(tmp_path / "c.laz") == ["label"]

    def test_a_part(self, tiles, tmp_path):
        x0, y0, x1, y1 = tuile.info(tiles[0])["bounds"]
        part = tuile.read(tiles[0], bbox=(x0 + 5, y0 + 5, x0 + 25, y1))
        tuile.write_laz(tmp_path / "part.laz", part, features=tuile.features(part, ["planarity"]))
        same_tile(tuile.read(tmp_path / "part.laz"), part)

    def test_not_over_its_own_file(self, tiles):
        before = tiles[0].read_bytes()
        tile, itself = tuile.read(tiles[0]), tiles[0].parent / ".." / tiles[0].parent.name / tiles[0].name
        refused(lambda: tuile.write_laz(itself, tile), tuile.InvalidArgument, "comes from")
        assert tiles[0].read_bytes() == before

    def test_what_is_for_arrays(self, tiles, tmp_path):
        tile = tuile.read(tiles[0])
        refused(lambda: tuile.write_laz(tmp_path / "p.laz", tile, scale=0.1, crs=2154), tuile.InvalidArgument, "scale, crs: for arrays only")

    def test_features_of_another_tile(self, tiles, tmp_path):
        one, other = tuile.read(tiles[0]), tuile.read(tiles[1])
        for features in (tuile.features(other, as_matrix=True), tuile.features(other)):
            refused(lambda: tuile.write_laz(tmp_path / "p.laz", one, features=features), tuile.InvalidArgument, str(len(one)))
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(points, tmp_path):
    (tmp_path / "file").touch()
    refused(lambda: tuile.write_laz(tmp_path / "file" / "p.laz", points[:40]), OSError, "file")


def test_several_threads(tiles):
    expected = [len(tuile.read(path)) for path in tiles]
    lengths = {}

    def read(i):
        lengths[i] = len(tuile.read(tiles[i % len(tiles)]))

    threads = [threading.Thread(target=read, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [lengths[i] for i in range(8)] == expected + expected


WRITE_WITHOUT_DESCRIPTORS = """
import os, sys, threading
import numpy as np
import tuile
closed, path = [int(number) for number in sys.argv[1].split()], sys.argv[2]
points = np.round(np.random.default_rng(4).uniform(0, 500, (300_000, 3)), 2) + [870_000, 6_617_000, 0]
for number in closed:
    os.close(number)
done = threading.Event()

def chatter():
    while not done.is_set():
        for number in (0, 1, 2):
            try:
                os.write(number, b"a warning that nobody hears\\n")
            except OSError:
                pass

if closed:
    threading.Thread(target=chatter).start()
tuile.write_laz(path, points)
read = tuile.read(path)
done.set()
sys.exit(0 if np.array_equal(np.round(read.points * 100), np.round(points * 100)) else 3)
"""


def test_closed_descriptors_are_not_taken_by_files(tmp_path):
    written = []
    for closed in ("", "2", "0 1 2"):
        path = tmp_path / f"a{len(written)}.laz"
        subprocess.run([sys.executable, "-c", WRITE_WITHOUT_DESCRIPTORS, closed, str(path)], check=True, timeout=300)
        written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]
