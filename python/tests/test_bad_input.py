"""What is no input: the exception says what was expected, and 10 000 of each leave no trace. What only looks odd works."""
import threading

import numpy as np
import pytest

import tuile
from leaks import refused


def cloud(points=40, seed=1):
    """Whole centimetres near Lambert-93 coordinates."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 500, (points, 3)) / 100.0 + np.array([870_000.0, 6_617_000.0, 100.0])


POINTS = cloud()
PROCESSOR = tuile.FeatureProcessor("cpu", threads=1)


def with_bad(row, value):
    points = POINTS.copy()
    points[row, 1] = value
    return points


def compute(points, **options):
    return lambda: PROCESSOR.compute_features(points, **options)


CASES = {
    # points
    "complex": (compute(POINTS.astype(complex)), TypeError, "complex128.*floats or integers"),
    "object": (compute(POINTS.astype(object)), TypeError, "dtype object"),
    "text array": (compute(POINTS.astype(str)), TypeError, "dtype <U"),
    "bool": (compute(POINTS > 0), TypeError, "dtype bool"),
    "dates": (compute(np.zeros((40, 3), "datetime64[s]")), TypeError, "dtype datetime64"),
    "text": (compute("points"), TypeError, "type str"),
    "nothing": (compute(None), TypeError, "type NoneType"),
    "a number": (compute(3.0), TypeError, "type float"),
    "a dict": (compute({"x": 1}), TypeError, "type dict"),
    "ragged": (compute([[1.0, 2.0, 3.0], [1.0]]), TypeError, "type list"),
    "masked": (compute(np.ma.array(POINTS)), TypeError, "MaskedArray"),
    "one dimension": (compute(POINTS[:, 0]), tuile.InvalidArgument, r"\(40,\).*\(N, 3\)"),
    "two columns": (compute(POINTS[:, :2]), tuile.InvalidArgument, r"\(40, 2\).*\(N, 3\)"),
    "three dimensions": (compute(POINTS[None]), tuile.InvalidArgument, r"\(1, 40, 3\).*\(N, 3\)"),
    "empty": (compute(POINTS[:0]), tuile.InvalidArgument, "without points"),
    "empty list": (compute([]), tuile.InvalidArgument, r"shape \(0,\)"),
    "NaN": (compute(with_bad(7, np.nan)), tuile.InvalidArgument, r"row 7 .*nan.*finite"),
    "infinity": (compute(with_bad(3, -np.inf)), tuile.InvalidArgument, r"row 3 .*-inf"),
    "too far": (compute(with_bad(3, 1e300)), tuile.Unsupported, "1e\\+300 m.*metres"),
    "grid too fine": (compute(POINTS * [1, 1, 1e6], scale=0.001), tuile.Unsupported, "coarser"),
    "grid finer than doubles": (compute(POINTS, scale=1e-11), tuile.Unsupported, "coarser"),
    "int64 overflow": (compute(np.full((40, 3), 2**62)), tuile.Unsupported, "coordinate 0"),
    # neighbourhood
    "k above n": (compute(POINTS, k=41), tuile.InvalidArgument, "k is 41.*only 40 points"),
    "default k above n": (compute(POINTS[:10]), tuile.InvalidArgument, r"k is 20 \(the default\).*only 10"),
    "k of 2": (compute(POINTS, k=2), tuile.InvalidArgument, r"k is 2; .*\(the point itself counts\) from 3 to 4096"),
    "negative k": (compute(POINTS, k=-1), tuile.InvalidArgument, "k is -1"),
    "k not whole": (compute(POINTS, k=10.5), TypeError, "k is 10.5 of type float"),
    "k text": (compute(POINTS, k="20"), TypeError, "k is '20' of type str"),
    "k enormous": (compute(POINTS, k=2**70), tuile.InvalidArgument, "k is 1180591620717411303424"),
    "negative radius": (compute(POINTS, radius=-1.0), tuile.InvalidArgument, "radius is -1;.*above 0"),
    "radius of 0": (compute(POINTS, radius=0), tuile.InvalidArgument, "above 0"),
    "radius NaN": (compute(POINTS, radius=float("nan")), tuile.InvalidArgument, "radius is nan"),
    "radius text": (compute(POINTS, radius="1"), TypeError, "radius is '1'"),
    "max_neighbors": (compute(POINTS, radius=1, max_neighbors=1), tuile.InvalidArgument, "max_neighbors is 1"),
    "a scale": (compute(POINTS, scales=[{"knn": 10}]), tuile.InvalidArgument, "'knn'.*expected"),
    "same scales": (compute(POINTS, scales=[{"k": 10}, {"k": 10}]), tuile.InvalidArgument, "two scales.*k10"),
    "grid scale": (compute(POINTS, scale=-0.01), tuile.InvalidArgument, "scale is -0.01"),
    # names
    "unknown name": (compute(POINTS, names=["planarty"]), tuile.InvalidArgument, "did you mean 'planarity'"),
    "unknown among others": (compute(POINTS, names=["planarity", "curvatur"]), tuile.InvalidArgument, "curvature"),
    "unknown set": (compute(POINTS, names="lod4"), tuile.InvalidArgument, "neither a feature nor a set.*lod"),
    "a name twice": (compute(POINTS, names="planarity,planarity"), tuile.InvalidArgument, "planarity"),
    "no names": (compute(POINTS, names=[]), tuile.InvalidArgument, "no names"),
    "names of another type": (compute(POINTS, names=[1]), TypeError, "names holds 1"),
    "names a number": (compute(POINTS, names=5), TypeError, "names is 5"),
    "colour of nothing": (compute(POINTS, names=["red"]), tuile.InvalidArgument, "'red'.*rgb="),
    "height of nothing": (compute(POINTS, names=["height_above_ground"]), tuile.InvalidArgument, "classification="),
    # attributes
    "classes too short": (compute(POINTS, classification=np.ones(39, int)), tuile.InvalidArgument, r"\(39,\).*\(40,\)"),
    "classes of two dimensions": (compute(POINTS, classification=np.ones((40, 1), int)), tuile.InvalidArgument, r"\(40,\) is expected"),
    "classes of floats": (compute(POINTS, classification=np.ones(40)), TypeError, "classification of dtype float64"),
    "class 300": (compute(POINTS, classification=np.full(40, 300)), tuile.InvalidArgument, "holds 300.*0 to 255"),
    "class -1": (compute(POINTS, classification=np.full(40, -1)), tuile.InvalidArgument, "holds -1"),
    "rgb": (compute(POINTS, rgb=np.ones((40, 4), int)), tuile.InvalidArgument, r"\(40, 3\)"),
    # the rest
    "halo of arrays": (compute(POINTS, halo=[POINTS]), TypeError, "halo holds a ndarray"),
    "halo width": (compute(POINTS, halo_width=-1), tuile.InvalidArgument, "halo_width is -1"),
    "backend": (lambda: tuile.features(POINTS, backend="quantum"), tuile.InvalidArgument, "auto, cpu or cuda"),
    "backend of another type": (lambda: tuile.features(POINTS, backend=["cpu"]), TypeError, "backend is"),
    "threads": (lambda: tuile.features(POINTS, threads=-1), tuile.InvalidArgument, "threads is -1"),
    "config typo": (lambda: tuile.FeatureProcessor(config={"features": {"kk": 3}}), tuile.ConfigError, "features.kk"),
    "column": (lambda: PROCESSOR.compute_features(POINTS, as_matrix=True)["planarty"], KeyError, "planarity"),
    # files
    "no file": (lambda: tuile.info("nowhere/tile.laz"), tuile.NotFound, "nowhere"),
    "path of another type": (lambda: tuile.info(3), TypeError, "path is 3"),
    "NUL in a path to read": (lambda: tuile.read("nowhere/tile.laz\0x"), tuile.InvalidArgument, "NUL"),
    "NUL in a path to write": (lambda: tuile.write_laz("nowhere\0x/tile.laz", POINTS), tuile.InvalidArgument, "NUL"),
    "NUL in a setting": (lambda: tuile.Config(output="nowhere\0x"), tuile.ConfigError, "NUL"),
    "NUL in the name of a configuration": (lambda: tuile.Config("nowhere\0x"), ValueError, "NUL"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_and_nothing_left_behind(name):
    refused(*CASES[name])


def bits(columns):
    return {name: values.tobytes() for name, values in columns.items()}


def read_only(points):
    points = points.copy()
    points.setflags(write=False)
    return points


def in_records(points):
    """A view into unaligned records of 29 bytes."""
    records = np.zeros(len(points), dtype=[("tag", "u1"), ("xyz", "<f8", 3), ("more", "u4")])
    records["xyz"] = points
    return records["xyz"]


ODD = {
    "Fortran order": np.asfortranarray,
    "every other row": lambda points: np.repeat(points, 2, axis=0)[::2],
    "backwards in memory": lambda points: points[::-1].copy()[::-1],
    "columns backwards in memory": lambda points: points[:, ::-1].copy()[:, ::-1],
    "a slice of wider rows": lambda points: np.hstack([np.full((len(points), 1), np.nan), points, points])[:, 1:4],
    "byte-swapped": lambda points: points.astype(">f8"),
    "read-only": read_only,
    "unaligned": in_records,
    "lists": lambda points: points.tolist(),
    "tuples": lambda points: tuple(map(tuple, points)),
    "long double": lambda points: points.astype(np.longdouble),
    "a subclass": lambda points: points.view(np.recarray),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_arrays_give_the_same_bits(name):
    points = cloud(3000)
    odd = ODD[name](points)
    before = np.array(odd, copy=True)
    expected = bits(PROCESSOR.compute_features(points, names="full"))
    assert bits(PROCESSOR.compute_features(odd, names="full")) == expected
    assert np.array_equal(np.asarray(odd), before)


@pytest.mark.parametrize("dtype", ["i2", "u2", "i4", "i8", "u4", "u8", ">i4", "f2", "f4", "f8"])
def test_whole_metres_of_any_type_are_the_same_points(dtype):
    points = np.random.default_rng(2).integers(0, 200, (500, 3))
    expected = bits(PROCESSOR.compute_features(points.astype("f8"), names="full"))
    assert bits(PROCESSOR.compute_features(points.astype(dtype), names="full")) == expected


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i4", "u8"])
def test_classes_of_any_integer(dtype):
    points = cloud(500)
    classes = np.arange(500) % 7
    expected = bits(PROCESSOR.compute_features(points, names=["height_above_ground"], classification=classes))
    wide = np.repeat(classes.astype(dtype), 3)[::3]
    assert bits(PROCESSOR.compute_features(points, names=["height_above_ground"], classification=wide)) == expected


def test_other_threads_raise_too():
    caught = []

    def run():
        try:
            PROCESSOR.compute_features(POINTS[:10])  # which the C++ side refuses
        except tuile.InvalidArgument as error:
            caught.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert len(caught) == 1 and "only 10" in caught[0]
