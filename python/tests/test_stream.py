"""tuile.stream: what the command line would write, without files. The command line is the oracle."""
import gc
import inspect
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import tuile
from conftest import run_tuile
from leaks import SPARE_THREADS, grown, refused, resident, settled, threads

ARRAYS = ("features", "classification", "valid", "labels", "label_source", "label_object")


def truth_of(town):
    return {"ground_truth.source": str(town / "bdtopo.gpkg"), "features.k": 12}


@pytest.fixture(scope="module")
def expected(town, tmp_path_factory):
    """The arrays that the command line writes, by the tile's name."""
    folder = tmp_path_factory.mktemp("expected")
    settings = [argument for key, value in truth_of(town).items() for argument in ("--set", f"{key}={value}")]
    run_tuile("process", town / "tiles", "-o", folder, *settings)
    return {path.stem: dict(np.load(path)) for path in folder.glob("*.npz")}


@pytest.fixture(scope="module")
def with_a_bad_one(tiles, tmp_path_factory):
    """Two tiles, one whose points are damaged, and a file that is no tile."""
    folder = tmp_path_factory.mktemp("bad")
    for tile in tiles[:2]:
        os.symlink(tile, folder / tile.name)
    data = bytearray(tiles[2].read_bytes())
    half = len(data) // 2
    data[half:half + 4000] = bytes(4000)
    (folder / "damaged.laz").write_bytes(data)
    (folder / "text.laz").write_text("no tile")
    return folder


def test_what_the_command_line_writes_bit_for_bit(town, expected):
    order = []
    for place, tile in enumerate(tuile.stream(town / "tiles", truth_of(town))):
        wanted = expected[tile.name]
        for name in ARRAYS:
            got = tile.points.classification if name == "classification" else getattr(tile, name)
            assert got.dtype == wanted[name].dtype and got.shape == wanted[name].shape, name
            assert got.tobytes() == wanted[name].tobytes(), name
        assert tile.points.xyz.tobytes() == wanted["xyz"].tobytes() and tile.points.origin.tobytes() == wanted["origin"].tobytes()
        assert tile.feature_names == list(wanted["feature_names"]) == tile.matrix.names
        assert tile.object_ids == list(wanted["object_ids"]) and len(tile.object_ids) > 0
        assert tile.index == place and len(tile) == len(wanted["xyz"])
        assert tile.points.path == tile.path == str(town / "tiles" / f"{tile.name}.laz") and tile.points.crs == 2154
        order.append(tile.name)
    assert sorted(order) == sorted(expected)


def test_the_order_is_the_plans(town):
    config = tuile.Config(features={"set": "minimal"})
    planned = [pathlib.Path(tile["output"]).name for tile in tuile.LiDARProcessor(config=config).plan(town / "tiles", "unused")["tiles"]]
    for ready in (1, 2, 5):
        assert [tile.name for tile in tuile.stream([town / "tiles"], config, ready=ready)] == planned


def test_views_live_as_long_as_the_arrays(town):
    arrays = []
    for tile in tuile.stream(town / "tiles", truth_of(town)):
        assert tile.features.base is not None and not tile.features.flags.owndata and not tile.points.units.flags.owndata
        assert np.shares_memory(tile.features, tile.matrix.values) and np.shares_memory(tile.points.units, tile.points.units)
        assert tile.points is tile.points
        arrays.append((tile.features, tile.labels, tile.points.units, tile.features.copy(), tile.labels.copy(), tile.points.units.copy()))
    del tile
    gc.collect()
    for features, labels, units, *copies in arrays:
        assert [array.tobytes() for array in (features, labels, units)] == [copy.tobytes() for copy in copies]


def test_nothing_is_written(town, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(list(tuile.stream(town / "tiles", {"features.set": "minimal"}))) == 4
    assert list(tmp_path.iterdir()) == []


def test_without_ground_truth_and_preprocessing(tiles):
    tile, = tuile.stream(tiles[0], {"features.set": "minimal", "preprocess.exclude_classes": []})
    assert tile.labels is None and tile.label_source is None and tile.label_object is None and tile.object_ids == [] and tile.valid is None


def test_a_box(town, tiles):
    whole = {tile.name: tile for tile in tuile.stream(town / "tiles", {"features.k": 12})}
    bounds = whole[tiles[0].stem].points.bounds
    box = (bounds.min_x + 20, bounds.min_y + 10, bounds.max_x + 15, bounds.min_y + 40)
    parts = list(tuile.stream(town / "tiles", {"features.k": 12}, bbox=box))
    assert len(parts) == 2
    for part in parts:
        points = whole[part.name].points.points
        inside = (points[:, 0] >= box[0]) & (points[:, 0] <= box[2]) & (points[:, 1] >= box[1]) & (points[:, 1] <= box[3])
        assert np.array_equal(part.points.rows, np.flatnonzero(inside))
        assert part.points.bounds.max_y == box[3]


def test_shards_are_the_whole(town):
    config = {"features.set": "minimal"}
    whole = [tile.name for tile in tuile.stream(town / "tiles", config)]
    assert [tile.name for i in range(3) for tile in tuile.stream(town / "tiles", config, shard=(i, 3))] == whole
    assert [len(list(tuile.stream(town / "tiles", config, shard=f"{i}/9"))) for i in range(9)].count(1) == 4


def test_share_changes_nothing_but_the_pace(town, expected):
    for tile in tuile.stream(town / "tiles", truth_of(town), share=7):
        assert tile.features.tobytes() == expected[tile.name]["features"].tobytes()


def test_inputs_of_the_configuration(tiles):
    tile, = tuile.stream(None, {"input": [str(tiles[1])], "features.set": "minimal"})
    assert tile.name == tiles[1].stem


def test_failed_tiles_raise_in_their_turn_and_the_rest_comes(with_a_bad_one):
    tiles = tuile.stream(with_a_bad_one, {"features.set": "minimal"})
    names, errors = [], []
    while True:
        try:
            names.append(next(tiles).name)
        except StopIteration:
            break
        except tuile.TileError as error:
            errors.append(error)
    assert len(names) == 2 and [pathlib.Path(error.path).name for error in errors] == ["text.laz", "damaged.laz"]
    assert all(isinstance(error.error, tuile.CorruptData) for error in errors) and "damaged.laz" in str(errors[1])
    assert [failure.path for failure in tiles.failed] == [error.path for error in errors]
    with pytest.raises(StopIteration):
        next(tiles)


def test_failed_tiles_skipped_or_yielded(with_a_bad_one, caplog):
    tiles = tuile.stream(with_a_bad_one, {"features.set": "minimal"}, on_error="skip")
    assert len(list(tiles)) == 2 and len(tiles.failed) == 2
    assert any("damaged.laz" in record.message for record in caplog.records)
    results = list(tuile.stream(with_a_bad_one, {"features.set": "minimal"}, on_error="yield"))
    assert [type(result).__name__ for result in results].count("FailedTile") == 2 and len(results) == 4


def test_what_ends_the_run_is_raised_every_time(tmp_path):
    tiles = tuile.stream(tmp_path / "nothing", on_error="skip")
    refused(lambda: next(tiles), tuile.ConfigError, "nothing")
    tiles.close()
    refused(lambda: next(tiles), tuile.Cancelled, "closed")


def test_close_in_the_middle(town):
    running = None
    for _ in range(20):
        with tuile.stream(town / "tiles", {"features.set": "minimal"}, ready=1) as tiles:
            first = next(tiles)
        assert first.features.shape[0] == len(first)
        with pytest.raises(tuile.Cancelled, match="closed"):
            next(tiles)
        tiles.close()
        running = running or threads()
        assert threads() <= running + SPARE_THREADS


def test_close_by_another_thread_ends_the_wait(town):
    tiles = tuile.stream(town / "tiles", {"features.set": "full"}, ready=1)
    seen = []

    def read():
        try:
            for tile in tiles:
                seen.append(tile)
        except tuile.Cancelled as error:
            seen.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    tiles.close()
    reader.join(30)
    assert not reader.is_alive() and isinstance(seen[-1], tuile.Cancelled)


def test_forgotten_streams_leave_nothing(tiles):
    config = tuile.Config(features={"set": "minimal"})

    def short():
        for tile in tuile.stream(tiles, config, ready=1):
            return tile.name

    for _ in range(20):
        short()
    running, memory = threads(), resident()
    for _ in range(150):
        short()
    gc.collect()
    assert settled(running + SPARE_THREADS) and grown(memory) < 60 << 20
    dropped = tuile.stream(tiles, config)
    del dropped
    assert settled(running + SPARE_THREADS)


def test_bad_arguments(tiles):
    stream = tuile.stream
    cases = [(lambda: stream(tiles, ready=0), tuile.InvalidArgument, "ready is 0; a whole number of tiles from 1"),
             (lambda: stream(tiles, ready="2"), TypeError, "ready is '2'"),
             (lambda: stream(tiles, on_error="ignore"), tuile.InvalidArgument, "'ignore'.*'raise'"),
             (lambda: stream(tiles, share=0), tuile.InvalidArgument, "share is 0"), (lambda: stream([]), tuile.InvalidArgument, "no paths"),
             (lambda: stream(5), TypeError, "type int"), (lambda: stream(tiles, shard="3/2"), tuile.ConfigError, "3/2"),
             (lambda: stream(tiles, bbox=(1, 2, 3)), tuile.InvalidArgument, "four numbers"),
             (lambda: stream(tiles, bbox=(1, 2, float("nan"), 3)), tuile.InvalidArgument, "NaN"),
             (lambda: stream(tiles, {"features.sett": 1}), tuile.ConfigError, "features.set"),
             (lambda: stream(tiles, 5), tuile.InvalidArgument, "type int")]
    for case in cases:
        refused(*case)


def test_a_stream_is_not_copied(tiles):
    tiles = tuile.stream(tiles[0], {"features.set": "minimal"})
    with pytest.raises(TypeError):
        pickle.dumps(tiles)
    tiles.close()


def in_a_process(code, *arguments, **options):
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=600, **options)


def test_ctrl_c_ends_the_wait_and_the_stream_can_go_on(town):
    code = """
import os, signal, sys, threading, time, tuile
tiles = tuile.stream(sys.argv[1], {"features.set": "full", "features.k": 200, "threads": 1}, ready=1)
threading.Timer(0.15, os.kill, (os.getpid(), signal.SIGINT)).start()
names, interrupted = [], 0
while True:
    try:
        names.append(next(tiles).name)
    except StopIteration:
        break
    except KeyboardInterrupt:
        interrupted += 1
print(len(set(names)), len(names), interrupted)
"""
    result = in_a_process(code, town / "tiles")
    assert result.stdout.split() == ["4", "4", "1"], result.stderr


def test_an_open_stream_does_not_hold_up_the_end_of_the_interpreter(town):
    code = "import sys, tuile\ntiles = tuile.stream(sys.argv[1], {'features.set': 'minimal'}, ready=1)\nprint(next(tiles).index)"
    for ending in ("", "\nsys.exit(3)", "\nraise SystemExit"):
        result = in_a_process(code + ending, town / "tiles")
        assert result.stdout == "0\n" and result.returncode == (3 if "3" in ending else 0), result.stderr


def test_a_forked_child_is_told_and_ends(town):
    code = """
import os, sys, tuile
tiles = tuile.stream(sys.argv[1], {"features.set": "minimal"}, ready=1)
next(tiles)
child = os.fork()
if child == 0:
    told = 0
    for use in (lambda: next(tiles), lambda: tuile.stream(sys.argv[1])):
        try:
            use()
        except tuile.Unsupported as error:
            told += "fork" in str(error)
    tiles.close()
    del tiles, use
    os._exit(10 + told)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(list(tiles)))
"""
    result = in_a_process(code, town / "tiles")
    assert result.stdout.split() == ["12", "3"], result.stderr


def test_a_stream_after_a_fork_before_first_use(town):
    code = """
import os, sys, tuile
config = tuile.Config(features={"set": "minimal"})
child = os.fork()
if child == 0:
    os._exit(len(list(tuile.stream(sys.argv[1], config))))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert in_a_process(code, town / "tiles").stdout == "4\n"


def test_docstrings():
    for thing in (tuile.stream, tuile.TileStream, tuile.TileStream.close, tuile.StreamedTile):
        assert inspect.getdoc(thing)
    for name in ("features", "valid", "labels", "label_object"):
        assert "(N," in getattr(tuile.StreamedTile, name).__doc__
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
