"""LiDARProcessor: the command line is the oracle."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import warnings

import pytest

import tuile
from conftest import run_tuile
from leaks import refused
from tuile import _gpu


def outputs(folder):
    """Every file below a folder with its bytes, run reports aside."""
    folder = pathlib.Path(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith("run-")}


@pytest.fixture(scope="module")
def expected(town, tmp_path_factory):
    """What the command line makes of the town."""
    folder = tmp_path_factory.mktemp("expected")
    run_tuile("process", town / "tiles", "-o", folder, "--set", "features.k=12", "--formats", "npz,laz")
    return folder


CONFIG = {"features.k": 12, "write.formats": ["npz", "laz"]}


def test_the_same_bytes_as_the_command_line(town, tmp_path, expected):
    summary = tuile.LiDARProcessor(config=CONFIG).process_directory(town / "tiles", tmp_path / "out")
    assert outputs(tmp_path / "out") == outputs(expected)
    assert summary.tiles_done == summary.tiles_total == 4 and summary.failed == [] and summary.tiles_skipped == 0
    reports = list((tmp_path / "out").glob("run-*.json"))
    assert len(reports) == 1 and json.loads(reports[0].read_text()) == dict(summary)
    assert summary["points"] == summary.points > 0
    assert summary.text.startswith("4 of 4 tiles done") and str(summary) == summary.text
    summary.raise_for_failures()


def test_sequential_and_unbatched_runs_give_the_same(town, tmp_path, expected):
    processor = tuile.LiDARProcessor(config=CONFIG, enable_async_io=False, enable_batch_processing=False, enable_memory_pooling=False,
                                     use_gpu=False, show_progress=False)
    summary = processor.process_directory(town / "tiles", tmp_path)
    assert summary["settings"]["workers"] == 0 and summary["settings"]["batch"] == 1 and summary["backend"] == "cpu"
    assert outputs(tmp_path) == outputs(expected)


def test_what_is_done_is_skipped_unless_told_otherwise(town, tmp_path):
    processor = tuile.LiDARProcessor(config={"features.set": "minimal"})
    processor.process_directory(town / "tiles", tmp_path)
    inodes = {path.name: path.stat().st_ino for path in tmp_path.glob("*.npz")}
    again = processor.process_directory(town / "tiles", tmp_path)
    assert (again.tiles_done, again.tiles_skipped) == (0, 4)
    assert inodes == {path.name: path.stat().st_ino for path in tmp_path.glob("*.npz")}
    anew = processor.process_directory(town / "tiles", tmp_path, skip_existing=False)
    assert (anew.tiles_done, anew.tiles_skipped) == (4, 0)


def test_a_configuration_file_and_the_workers(town, tiles, tmp_path):
    (tmp_path / "c.yaml").write_text(f"input: {tiles[0]}\noutput: {tmp_path / 'out'}\nfeatures: {{set: minimal}}\n")
    processor = tuile.LiDARProcessor(config_path=tmp_path / "c.yaml", async_workers=3)
    assert "workers: 3" in processor.config.to_yaml()
    summary = processor.process()
    assert summary.tiles_done == 1 and summary["settings"]["workers"] == 3
    assert (tmp_path / "out" / f"{tiles[0].stem}.npz").exists()


def test_only_named_tiles_are_done_with_their_neighbours(tiles, tmp_path, expected):
    name = tiles[1].stem
    tuile.LiDARProcessor(config=CONFIG).process_tiles(tiles, tmp_path, only=[name])
    made = outputs(tmp_path)
    assert set(made) == {f"{name}.npz", f"{name}.laz", f"{name}.json"}
    assert all(outputs(expected)[file] == content for file, content in made.items())


def test_a_box(town, tiles, tmp_path):
    plan = tuile.LiDARProcessor().plan(tiles, tmp_path)
    jobs = tuile.LiDARProcessor().jobs(tiles, tmp_path).jobs
    x0, y0, x1, y1 = jobs[0].bounds
    box = (x0, y0, (x0 + x1) / 2, y1)
    run_tuile("process", town / "tiles", "-o", tmp_path / "line", "--bbox", ",".join(map(repr, box)))
    tuile.LiDARProcessor().process_directory(town / "tiles", tmp_path / "python", bbox=box)
    assert outputs(tmp_path / "line") == outputs(tmp_path / "python")
    assert len(plan["tiles"]) == 4


def test_two_shards_in_two_processes_give_the_bytes_of_one(town, tmp_path, expected):
    script = ("import sys, tuile; tuile.LiDARProcessor(config={'features.k': 12, 'write.formats': ['npz', 'laz']})"
              ".process_directory(sys.argv[1], sys.argv[2], shard=sys.argv[3])")
    runs = [subprocess.Popen([sys.executable, "-c", script, str(town / "tiles"), str(tmp_path / "out"), f"{index}/2"])
            for index in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert outputs(tmp_path / "out") == outputs(expected)

    lines = [subprocess.Popen([os.environ["TUILE_BINARY"], "process", town / "tiles", "-o", tmp_path / "line", "--shard", f"{index}/2",
                               "--set", "features.k=12", "--formats", "npz,laz", "-q"]) for index in range(2)]
    assert [line.wait() for line in lines] == [0, 0]
    assert outputs(tmp_path / "line") == outputs(expected)
    processor = tuile.LiDARProcessor(config=CONFIG)
    halves = [processor.process_directory(town / "tiles", tmp_path / "out", shard=(index, 2)) for index in range(2)]
    assert [half.tiles_done for half in halves] == [0, 0] and sum(half.tiles_skipped for half in halves) == 4


def test_the_plan_is_the_command_lines(town, tmp_path):
    line = json.loads(run_tuile("process", town / "tiles", "-o", tmp_path, "--dry-run", "--json").stdout)
    plan = tuile.LiDARProcessor().plan(town / "tiles", tmp_path)
    assert plan == line
    assert not any(tmp_path.iterdir())


def test_jobs_name_what_each_tile_needs(tiles, tmp_path):
    jobs, failed, notes = tuile.LiDARProcessor().jobs(tiles, tmp_path)
    assert failed == [] and notes == []
    assert sorted(job.path for job in jobs) == [str(tile) for tile in tiles]
    for job in jobs:
        assert sorted(path for path, _ in job.neighbours) == [str(tile) for tile in tiles if str(tile) != job.path]
        assert job.name == pathlib.Path(job.path).stem and not job.done and job.points > 0
    tuile.LiDARProcessor().process_tiles(tiles, tmp_path, only=[jobs[0].name])
    assert [job.done for job in tuile.LiDARProcessor().jobs(tiles, tmp_path).jobs] == [True, False, False, False]


def test_failed_tiles_are_in_the_summary(tiles, tmp_path):
    broken = tmp_path / "broken.laz"
    broken.write_bytes(tiles[0].read_bytes()[:5000])
    summary = tuile.LiDARProcessor(config={"features.set": "minimal"}).process_tiles([tiles[0], broken], tmp_path / "out")
    assert summary.tiles_done == 1
    (failed,) = summary.failed
    assert failed.path == str(broken) and failed.kind == "corrupt"
    with pytest.raises(tuile.TileError) as error:
        summary.raise_for_failures()
    assert error.value.path == str(broken) and isinstance(error.value.error, tuile.CorruptData)
    assert str(error.value).count(str(broken)) == 1


def test_progress_is_told_after_every_tile(town, tmp_path, capsys):
    told = []
    processor = tuile.LiDARProcessor(config={"features.set": "minimal"}, show_progress=True)
    processor.process_directory(town / "tiles", tmp_path, progress=told.append)
    assert [now.done for now in told] == [1, 2, 3, 4] and all(now.total == 4 for now in told)
    assert "4/4 tiles" in capsys.readouterr().err


def test_an_exception_in_a_callback_ends_the_run_and_is_raised(town, tmp_path):
    def fall(progress):
        raise ZeroDivisionError("the user's own")

    processor = tuile.LiDARProcessor(config={"features.set": "minimal"}, enable_async_io=False)
    with pytest.raises(ZeroDivisionError, match="the user's own"):
        processor.process_directory(town / "tiles", tmp_path, progress=fall)
    assert 1 <= len(list(tmp_path.glob("*.npz"))) < 4
    assert tuile.verify(tmp_path)["ok"] and tuile.verify(tmp_path)["leftovers"] == []
    summary = processor.process_directory(town / "tiles", tmp_path)
    assert summary.tiles_done + summary.tiles_skipped == 4 and summary.tiles_skipped >= 1


def test_python_goes_on_while_a_run_works(town, tmp_path):
    beats = []
    ended = threading.Event()

    def beat():
        while not ended.wait(0.002):
            beats.append(time.monotonic())

    thread = threading.Thread(target=beat)
    thread.start()
    begin = time.monotonic()
    tuile.LiDARProcessor().process_directory(town / "tiles", tmp_path)
    end = time.monotonic()
    ended.set()
    thread.join()
    during = [begin] + [at for at in beats if begin < at < end] + [end]
    assert max(b - a for a, b in zip(during, during[1:])) < 0.5 * (end - begin)


def test_ctrl_c_ends_the_run_and_what_is_done_stays(town, tmp_path):
    script = ("import sys, tuile\n"
              "def tell(p): print('tile', flush=True)\n"
              "try:\n"
              "    processor = tuile.LiDARProcessor(config={'features.k': 200}, enable_async_io=False)\n"
              "    processor.process_directory(*sys.argv[1:], progress=tell)\n"
              "except KeyboardInterrupt:\n"
              "    print('interrupted')\n")
    run = subprocess.Popen([sys.executable, "-c", script, str(town / "tiles"), str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert run.stdout.readline() == "tile\n"
    run.send_signal(signal.SIGINT)
    rest, _ = run.communicate(timeout=300)
    assert run.returncode == 0 and rest.endswith("interrupted\n")
    report = tuile.verify(tmp_path)
    assert report["ok"] and report["leftovers"] == [] and 1 <= len(report["tiles"]) < 4


def test_verify_finds_what_was_changed(tiles, tmp_path):
    tuile.LiDARProcessor(config={"features.set": "minimal"}).process_tiles(tiles[0], tmp_path)
    assert tuile.verify(tmp_path)["ok"]
    with open(next(tmp_path.glob("*.npz")), "ab") as file:
        file.write(b"more")
    report = tuile.verify(tmp_path)
    assert not report["ok"] and report["tiles"][0]["problems"]


def test_who_wants_a_gpu_where_there_is_none_is_told_once(monkeypatch, tiles, tmp_path):
    monkeypatch.setattr(_gpu, "_said", False)
    if tuile._core.availability("cuda")[0]:
        assert tuile.LiDARProcessor(use_gpu=True).plan(tiles, tmp_path)["backend"] != ""
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = tuile.LiDARProcessor(use_gpu=True)
        second = tuile.LiDARProcessor(use_gpu=True)
    assert len(caught) == 1 and "CPU" in str(caught[0].message) and caught[0].filename == __file__
    assert "backend: cpu" in first.config.to_yaml() and "backend: cpu" in second.config.to_yaml()


@pytest.mark.parametrize("call, error, words", [
    (lambda p, folder, tile: p.process_directory(folder / "none", folder), FileNotFoundError, "no such folder"),
    (lambda p, folder, tile: p.process_directory(tile, folder), ValueError, "process_tiles"),
    (lambda p, folder, tile: p.process_directory(folder, folder / "out"), tuile.ConfigError, ""),
    (lambda p, folder, tile: p.process_tiles([], folder), ValueError, "no paths"),
    (lambda p, folder, tile: p.process_tiles([folder / "none.laz"], folder), tuile.ConfigError, "none.laz"),
    (lambda p, folder, tile: p.process_tiles([3], folder), TypeError, "int"),
    (lambda p, folder, tile: p.process_tiles(3, folder), TypeError, "int"),
    (lambda p, folder, tile: p.process_tiles([b"x"], folder), TypeError, "bytes"),
    (lambda p, folder, tile: p.process_tiles([tile], None), TypeError, ""),
    (lambda p, folder, tile: p.process_tiles([tile], folder, shard="2/2"), tuile.ConfigError, "2/2"),
    (lambda p, folder, tile: p.process_tiles([tile], folder, shard=""), ValueError, "I/N"),
    (lambda p, folder, tile: p.process_tiles([tile], folder, shard=3), TypeError, "I/N"),
    (lambda p, folder, tile: p.process_tiles([tile], folder, bbox=(1, 2, 3)), ValueError, "four"),
    (lambda p, folder, tile: p.process_tiles([tile], folder, bbox=(1, 2, 0, 3)), ValueError, "bbox"),
    (lambda p, folder, tile: p.process_tiles([tile], folder, bbox=(1, 2, float("nan"), 3)), ValueError, "NaN"),
    (lambda p, folder, tile: p.process_tiles([tile], folder, bbox="1,2,3,4"), TypeError, "numbers"),
    (lambda p, folder, tile: p.process_tiles([tile], folder, only="name"), TypeError, "list"),
    (lambda p, folder, tile: p.process_tiles([tile], folder, only=["name"]), tuile.ConfigError, "name"),
    (lambda p, folder, tile: p.process_tiles([tile], folder, progress=3), TypeError, "function"),
    (lambda p, folder, tile: tuile.LiDARProcessor("none.yaml"), tuile.ConfigError, "none.yaml"),
    (lambda p, folder, tile: tuile.LiDARProcessor(config={"halo": -1}), tuile.ConfigError, "halo"),
    (lambda p, folder, tile: tuile.LiDARProcessor(config={"feature": 1}), tuile.ConfigError, "features"),
    (lambda p, folder, tile: tuile.LiDARProcessor("c.yaml", config={}), ValueError, "both"),
    (lambda p, folder, tile: tuile.LiDARProcessor(async_workers="two"), tuile.ConfigError, "workers"),
    (lambda p, folder, tile: tuile.LiDARProcessor(config=3), ValueError, "int"),
    (lambda p, folder, tile: tuile.verify(folder / "none"), FileNotFoundError, "none"),
])
def test_bad_input_is_an_exception_that_says_what_was_expected(tiles, tmp_path, call, error, words):
    processor = tuile.LiDARProcessor(config={"features.set": "minimal"})
    refused(lambda: call(processor, tmp_path, tiles[0]), error, re.escape(words))


def test_every_public_name_is_exported():
    """Checkers of types let nobody import what __all__ does not name."""
    import types
    public = {name for name, value in vars(tuile).items() if not name.startswith("_") and not isinstance(value, types.ModuleType)}
    assert public - {"TYPE_CHECKING"} | {"__version__"} == set(tuile.__all__)
    assert list(tuile.__all__) == sorted(tuile.__all__, key=str.lower)
