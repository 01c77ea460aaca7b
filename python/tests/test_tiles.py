"""TilePoints: what a tile's arrays are, against the command line's outputs; whose memory they are."""
import gc

import numpy as np
import pytest

import tuile
from conftest import run_tuile


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """With colours and near infrared."""
    folder = tmp_path_factory.mktemp("colours")
    run_tuile("synth", "-o", folder, "--tiles", "2x1", "--size", "60", "--density", "8", "--seed", "5", "--format", "8")
    return folder


@pytest.fixture(scope="module")
def tiles(town):
    return sorted((town / "tiles").glob("*.laz"))


@pytest.fixture(scope="module")
def processed(town, tmp_path_factory):
    out = tmp_path_factory.mktemp("processed")
    run_tuile("process", town / "tiles", "-o", out, "--features", "x,y,z,intensity,return_number,number_of_returns,red,green,blue,nir",
              "--set", "preprocess.exclude_classes=[]", "--set", "features.color_depth=16")
    return out


def test_arrays_are_what_the_command_line_writes(tiles, processed):
    for path in tiles:
        tile = tuile.read(path)
        expected = np.load(processed / (path.stem + ".npz"))
        column = dict(zip(expected["feature_names"], expected["features"].T))
        assert len(tile) == len(expected["xyz"])
        np.testing.assert_array_equal(tile.xyz, expected["xyz"])
        np.testing.assert_array_equal(tile.origin, expected["origin"])
        np.testing.assert_array_equal(tile.classification, expected["classification"])
        np.testing.assert_array_equal(tile.intensity, column["intensity"].astype(np.uint16))
        np.testing.assert_array_equal(tile.return_number, column["return_number"].astype(np.uint8))
        np.testing.assert_array_equal(tile.number_of_returns, column["number_of_returns"].astype(np.uint8))
        for name in ("red", "green", "blue", "nir"):
            np.testing.assert_array_equal(getattr(tile, name), np.round(column[name] * 65535).astype(np.uint16))
        np.testing.assert_allclose(tile.points, tile.xyz + tile.origin, atol=1e-4)
        np.testing.assert_allclose(tile.points, np.round(tile.points / tile.scale) * tile.scale, rtol=0, atol=1e-9)
        np.testing.assert_allclose(tile.units * tile.scale, tile.xyz, atol=1e-4)
        low, high = tile.points[:, :2].min(axis=0), tile.points[:, :2].max(axis=0)
        np.testing.assert_allclose([*low, *high], tile.bounds, atol=tile.scale)
        assert tile.crs == 2154 and tile.rows is None and tile.path == str(path)


def test_types_and_shapes(tiles):
    tile = tuile.read(tiles[0])
    n = len(tile)
    assert (tile.units.dtype, tile.units.shape) == (np.int32, (n, 3))
    assert (tile.xyz.dtype, tile.xyz.shape) == (np.float32, (n, 3))
    assert (tile.points.dtype, tile.points.shape) == (np.float64, (n, 3))
    assert (tile.classification.dtype, tile.classification.shape) == (np.uint8, (n,))
    assert "points" in repr(tile) and str(n) in repr(tile)


def test_arrays_are_views_and_keep_the_memory(tiles):
    tile = tuile.read(tiles[0])
    units, classes = tile.units, tile.classification
    assert tile.units.ctypes.data == units.ctypes.data
    assert tile.xyz is tile.xyz and tile.points is tile.points
    copies = units.copy(), classes.copy()
    del tile
    gc.collect()
    churn = [tuile.read(path) for path in tiles * 3]
    np.testing.assert_array_equal(units, copies[0])
    np.testing.assert_array_equal(classes, copies[1])
    del churn


def test_arrays_are_read_only(tiles):
    tile = tuile.read(tiles[0])
    for array in (tile.units, tile.xyz, tile.points, tile.classification, tile.intensity, tile.red):
        with pytest.raises(ValueError):
            array[0] = 0
    with pytest.raises(AttributeError):
        tile.units = None


def test_attributes_not_asked_for_are_none(tiles):
    tile = tuile.read(tiles[0], fields=["intensity"])
    assert tile.intensity is not None and tile.red is None and tile.return_number is None


def test_a_part_of_a_tile(tiles):
    whole = tuile.read(tiles[0])
    x0, y0, x1, y1 = whole.bounds
    box = (x0 + 10, y0 + 5, x0 + 30, y1 - 20)
    part = tuile.read(tiles[0], bbox=box)
    x, y = whole.points[:, 0], whole.points[:, 1]
    inside = np.flatnonzero((x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3]))
    np.testing.assert_array_equal(part.rows, inside)
    np.testing.assert_array_equal(part.points, whole.points[inside])
    np.testing.assert_array_equal(part.classification, whole.classification[inside])
