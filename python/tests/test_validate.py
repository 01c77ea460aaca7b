"""The validators: each message names the value and what is expected."""
import pathlib

import numpy as np
import pytest

import tuile
from tuile import _validate


def test_what_they_take():
    assert _validate.whole("n", np.int64(3), 0, "tiles") == 3
    assert _validate.metres("m", np.float32(0.5)) == 0.5 and _validate.metres("m", 0, zero=True) == 0
    assert _validate.paths(pathlib.Path("a.laz")) == ["a.laz"] and _validate.paths(["a", pathlib.Path("b")]) == ["a", "b"]
    assert _validate.box(np.array([1, 2, 3, 4])) == (1, 2, 3, 4) and _validate.box(None) is None
    assert _validate.texts("names", "a, b", "names") == ["a", "b"]
    assert (_validate.shard((0, 4)), _validate.shard("1/4"), _validate.shard(None)) == ("0/4", "1/4", "")
    assert _validate.choice("labels", True, (True, "truth")) is True


@pytest.mark.parametrize("call, error, texts", [
    (lambda: _validate.whole("workers", True, 0, "threads"), TypeError, ("workers is True", "a whole number of threads")),
    (lambda: _validate.whole("workers", 2.0, 0, "threads"), TypeError, ("workers is 2.0 of type float",)),
    (lambda: _validate.whole("workers", -1, 0, "threads"), ValueError, ("workers is -1", "from 0")),
    (lambda: _validate.whole("k", 5000, 3, "neighbours", 4096), ValueError, ("k is 5000", "from 3 to 4096")),
    (lambda: _validate.metres("radius", float("nan")), ValueError, ("radius is nan", "above 0")),
    (lambda: _validate.metres("radius", "1"), TypeError, ("radius is '1'", "metres")),
    (lambda: _validate.box((1, 2, 3)), ValueError, ("bbox is (1, 2, 3)", "four numbers")),
    (lambda: _validate.box((3, 2, 1, 4)), ValueError, ("bbox is (3.0, 2.0, 1.0, 4.0)", "x0 <= x1")),
    (lambda: _validate.box("1,2,3,4"), TypeError, ("bbox is '1,2,3,4'",)),
    (lambda: _validate.paths([]), ValueError, ("no paths",)),
    (lambda: _validate.path("tile_path", b"x"), TypeError, ("tile_path is b'x' of type bytes",)),
    (lambda: _validate.choice("labels", 1, (True, False, "truth")), ValueError, ("labels is 1", "True, False or 'truth'")),
    (lambda: _validate.function("progress", 5), TypeError, ("progress is 5", "a function")),
    (lambda: _validate.shard(5), TypeError, ("shard is 5", "I/N")),
    (lambda: _validate.texts("names", [1], "names of features"), TypeError, ("names holds 1", "names of features")),
])
def test_what_they_refuse(call, error, texts):
    with pytest.raises(error) as raised:
        call()
    for text in texts:
        assert text in str(raised.value)
    if error is ValueError:
        assert isinstance(raised.value, tuile.InvalidArgument)


def test_the_same_argument_has_the_same_message(tmp_path):
    messages = set()
    for call in (lambda: tuile.read("a.laz", bbox=(3, 2, 1, 4)), lambda: tuile.stream("a.laz", bbox=(3, 2, 1, 4)),
                 lambda: tuile.AsyncTileLoader(enable_wfs=False).preload_tile("a.laz", bbox=(3, 2, 1, 4)),
                 lambda: tuile.LiDARProcessor().process_tiles("a.laz", tmp_path, bbox=(3, 2, 1, 4))):
        with pytest.raises(tuile.InvalidArgument) as raised:
            call()
        messages.add(str(raised.value))
    assert len(messages) == 1
