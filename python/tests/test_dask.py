"""tuile.dask on real clusters of two worker processes: the command line is the oracle."""
import collections
import json
import os
import pathlib
import pickle
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

distributed = pytest.importorskip("distributed")

import tuile
import tuile.dask
from conftest import run_tuile
from leaks import refused
from test_processor import outputs

# Enough work that a worker can be lost in the midst of it.
SLOW = {"features.set": "full", "features.k": 100}


@pytest.fixture(scope="module")
def big_town(tmp_path_factory):
    """4 x 4 tiles, some of them in a subfolder."""
    folder = tmp_path_factory.mktemp("big")
    run_tuile("synth", "-o", folder, "--tiles", "4x4", "--size", "50", "--density", "8", "--seed", "9")
    (folder / "tiles/west").mkdir()
    for tile in sorted((folder / "tiles").glob("*.laz"))[:4]:
        tile.rename(folder / "tiles/west" / tile.name)
    return folder


@pytest.fixture(scope="module")
def expected(big_town, tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected")
    run_tuile("process", big_town / "tiles", "-o", folder, "--ground-truth", big_town / "bdtopo.gpkg",
              *[part for key, value in SLOW.items() for part in ("--set", f"{key}={value}")])
    return folder


def two_workers(folder):
    return distributed.LocalCluster(processes=True, n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit="3GiB",
                                    local_directory=str(folder))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with two_workers(tmp_path_factory.mktemp("space")) as cluster, distributed.Client(cluster) as client:
        yield client


def config_for(town):
    return {**SLOW, "ground_truth.source": str(town / "bdtopo.gpkg")}


@pytest.mark.parametrize("group_size", [1, 5])
def test_the_same_bytes_as_the_command_line(client, big_town, tmp_path, expected, group_size):
    told = []
    summary = tuile.dask.process(big_town / "tiles", config_for(big_town), client, output=tmp_path / "out", group_size=group_size,
                                 progress=told.append)
    summary.raise_for_failures()
    assert outputs(tmp_path / "out") == outputs(expected)
    assert (summary.tiles_total, summary.tiles_done, summary.tiles_skipped) == (16, 16, 0)
    line = json.loads(next(expected.glob("run-*.json")).read_text())
    for key in ("version", "backend", "config_hash", "tiles", "failed", "notes", "points"):
        assert summary[key] == line[key], key
    assert summary["ground_truth"]["tiles"] == line["ground_truth"]["tiles"]
    assert summary["ground_truth"]["layers"] == line["ground_truth"]["layers"]
    assert len(summary["cluster"]["workers"]) == 2 and summary["cluster"]["tasks"] == -(-16 // group_size)
    assert summary["settings"]["threads"] == 1 and summary["settings"]["memory_budget"] == 3 << 29
    (report,) = (tmp_path / "out").glob("run-*.json")
    assert json.loads(report.read_text()) == dict(summary)
    assert told[-1].done == told[-1].total == 16 and [now.done for now in told] == sorted(now.done for now in told)
    assert tuile.verify(tmp_path / "out")["ok"]


def test_groups_load_neighbours_once(client, big_town, tmp_path):
    alone, together = (tuile.dask.process(big_town / "tiles", {"features.k": 10}, client, output=tmp_path / str(size), group_size=size)
                       for size in (1, 16))
    assert alone["reader"]["decode_amplification"] > together["reader"]["decode_amplification"] >= 1.0


def test_what_is_done_is_skipped_unless_told_otherwise(client, big_town, tmp_path):
    config = tuile.Config(settings={"features.set": "minimal", "output": str(tmp_path)})
    assert tuile.dask.process([big_town / "tiles/west"], config, client).tiles_done == 4
    first = {path: path.stat().st_ino for path in tmp_path.glob("*.npz")}
    again = tuile.dask.process([big_town / "tiles/west"], config, client)
    assert (again.tiles_done, again.tiles_skipped, again["cluster"]["tasks"]) == (0, 4, 0)
    assert first == {path: path.stat().st_ino for path in tmp_path.glob("*.npz")}
    anew = tuile.dask.process([big_town / "tiles/west"], config, client, skip_existing=False)
    assert (anew.tiles_done, anew.tiles_skipped) == (4, 0)
    line = run_tuile("process", big_town / "tiles/west", "-o", tmp_path, "--features", "minimal", "--json")
    assert json.loads(line.stdout)["tiles"]["skipped"] == 4


class Watch(threading.Thread):
    """Looks on while sidecars appear, and keeps each file's inode as it was first seen."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.seen, self.ended = pathlib.Path(folder), {}, threading.Event()

    def run(self):
        while not self.ended.wait(0.005):
            for path in self.folder.rglob("*.json"):
                if not path.name.startswith("run-"):
                    self.seen.setdefault(path, path.stat().st_ino)


@pytest.mark.parametrize("group_size, overwrite", [(1, False), (4, True)])
def test_a_worker_is_killed_in_the_midst_of_the_run(big_town, tmp_path, expected, group_size, overwrite):
    out = tmp_path / "out"
    out.mkdir()
    with two_workers(tmp_path / "space") as cluster, distributed.Client(cluster) as client:
        pids = client.run(os.getpid)
        killed = []
        watch = Watch(out)

        def tell(progress):
            if not killed:  # the other task, or the next one of this worker, is at work now
                address, pid = sorted(pids.items())[0]
                time.sleep(0.02)
                os.kill(pid, signal.SIGKILL)
                killed.append((address, dict(watch.seen)))

        watch.start()
        try:
            summary = tuile.dask.process(big_town / "tiles", config_for(big_town), client, output=out, group_size=group_size, progress=tell,
                                         skip_existing=not overwrite)
        finally:
            watch.ended.set()
            watch.join()
        transitions = list(cluster.scheduler.transition_log)
    (victim, done_before), = killed
    assert summary.tiles_done == 16 and summary.failed == []
    assert outputs(out) == outputs(expected)
    # Every sidecar is still the very file that it was when it first appeared: no tile was done twice.
    final = {path: path.stat().st_ino for path in out.rglob("*.json") if not path.name.startswith("run-")}
    assert len(final) == 16 and 0 < len(done_before) < 16
    assert {path: final[path] for path in watch.seen} == watch.seen and set(done_before) <= set(watch.seen)
    # And no task was given to a worker twice but those that the killed one had.
    begun = collections.Counter(entry[0] for entry in transitions if entry[2] == "processing")
    taken_back = {entry[0] for entry in transitions if entry[1] in ("processing", "memory") and entry[2] == "released"
                  and "worker" in str(entry[4])}
    repeated = {key for key, times in begun.items() if times > 1}
    assert repeated and repeated <= taken_back and len(repeated) <= 3
    # Nothing is left over but what a run leaves.
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]
    assert len(list(out.glob("run-*.json"))) == 1


def test_a_damaged_tile_is_told_and_not_tried_again(client, big_town, tmp_path):
    tiles = sorted((big_town / "tiles/west").glob("*.laz"))
    broken, cut = tmp_path / "broken.laz", tmp_path / "cut.laz"
    broken.write_bytes(tiles[0].read_bytes()[:100])  # no header: known before any task
    whole = bytearray(tiles[0].read_bytes())
    whole[len(whole) // 2:len(whole) // 2 + 400] = bytes(400)
    cut.write_bytes(whole)  # found out on the worker
    runs = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.transition_log))
    summary = tuile.dask.process([tiles[1], broken, cut], {"features.set": "minimal"}, client, output=tmp_path / "out", group_size=2)
    line = run_tuile("process", tiles[1], broken, cut, "-o", tmp_path / "line", "--features", "minimal", "--json", check=False)
    assert summary["failed"] == json.loads(line.stdout)["failed"]
    assert [tile.path for tile in summary.failed] == [str(broken), str(cut)] and {tile.kind for tile in summary.failed} == {"corrupt"}
    assert (summary.tiles_total, summary.tiles_done) == (3, 1)
    assert outputs(tmp_path / "out") == outputs(tmp_path / "line")
    log = client.run_on_scheduler(lambda dask_scheduler: [(entry[0], entry[2]) for entry in dask_scheduler.transition_log])[runs:]
    begun = collections.Counter(key for key, state in log if state == "processing" and str(key).startswith("tuile-"))
    assert set(begun.values()) == {1}
    with pytest.raises(tuile.TileError):
        summary.raise_for_failures()


@pytest.fixture
def in_process(tmp_path):
    """A cluster within this process, whose tasks can be made to fail."""
    with distributed.LocalCluster(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0") as cluster:
        with distributed.Client(cluster) as client:
            yield client


def failing(monkeypatch, times, kind, counts):
    """The first `times` runs fail with all their tiles."""
    real = tuile.dask._core

    class Failing:
        def __getattr__(self, name):
            return getattr(real, name)

        def process(self, config, request, **options):
            counts.append(options)
            text, lines = real.process(config, request, **options)
            if len(counts) > times:
                return text, lines
            summary = json.loads(text)
            summary["failed"] = [{"path": path, "kind": kind, "message": f"{path}: not today"} for path in self.paths]
            return json.dumps(summary), lines

    replacement = Failing()
    monkeypatch.setattr(tuile.dask, "_core", replacement)
    return replacement


@pytest.mark.parametrize("times, kind, retries, runs, done",
                         [(2, "io", 2, 3, 1), (9, "io", 2, 3, 0), (9, "io", 0, 1, 0), (9, "corrupt", 2, 1, 0)])
def test_what_may_pass_is_tried_again(in_process, monkeypatch, tiles, tmp_path, times, kind, retries, runs, done):
    counts = []
    failing(monkeypatch, times, kind, counts).paths = [str(tiles[0])]
    summary = tuile.dask.process(tiles[0], {"features.set": "minimal"}, in_process, output=tmp_path, retries=retries)
    assert len(counts) == runs and summary.tiles_done == done
    assert summary["failed"] == [{"path": str(tiles[0]), "kind": kind, "message": f"{tiles[0]}: not today"}][done:]
    assert summary["settings"]["threads"] == 2 if done else True


@pytest.mark.parametrize("error, kind, runs", [(tuile.BackendUnavailable, "backend_unavailable", 8), (tuile.ConfigError, "config", 4)])
def test_what_goes_wrong_on_a_worker_is_in_the_summary(in_process, monkeypatch, tiles, tmp_path, error, kind, runs):
    """A machine without a device may be one of many, a wrong configuration is wrong everywhere."""
    calls = []

    def fall(*_, **__):
        calls.append(1)
        raise error("no such thing")

    monkeypatch.setattr(tuile.dask, "_config_of", fall)
    summary = tuile.dask.process(tiles, {"features.set": "minimal"}, in_process, output=tmp_path, retries=1)
    assert summary.tiles_done == 0 and [tile.kind for tile in summary.failed] == [kind] * 4 and len(calls) == runs
    assert all("no such thing" in tile.message for tile in summary.failed)


def test_tasks_may_take_resources(town, tmp_path):
    """Tasks then wait with the scheduler, not on workers with several threads."""
    with distributed.LocalCluster(processes=False, n_workers=1, threads_per_worker=4, dashboard_address=":0",
                                  resources={"tile": 1}) as cluster:
        with distributed.Client(cluster) as client:
            summary = tuile.dask.process(town / "tiles", {"features.set": "minimal"}, client, output=tmp_path, resources={"tile": 1})
    assert summary.tiles_done == 4 and summary["settings"]["threads"] == 4


def test_tasks_are_submitted_in_a_window(in_process, monkeypatch, tiles, tmp_path):
    """200 jobs, of which never more than the window are with the scheduler."""
    job = tuile.LiDARProcessor().jobs(tiles, tmp_path).jobs[0]
    monkeypatch.setattr(tuile.dask, "_plan", lambda *_: tuile.JobList([job._replace(name=f"{job.name}-{i}") for i in range(200)], [], []))
    monkeypatch.setattr(tuile.dask, "_run_group", lambda *_: (_ for _ in ()).throw(tuile.CorruptData("none")))
    most = []

    def tell(progress):
        scheduler = in_process.cluster.scheduler
        most.append(sum(key.startswith("tuile-") for key in list(scheduler.tasks)))

    summary = tuile.dask.process(tiles, {}, in_process, output=tmp_path, progress=tell, retries=0)
    assert len(summary.failed) == 200 and len(most) == 200 and 0 < max(most) <= 66


def test_an_interruption_takes_the_tasks_back(in_process, tiles, tmp_path):
    def tell(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuile.dask.process(tiles, {"features.set": "minimal"}, in_process, output=tmp_path, progress=tell)
    assert 1 <= len(list(tmp_path.glob("*.npz")))
    deadline = time.monotonic() + 120
    while any(key.startswith("tuile-") for key in list(in_process.cluster.scheduler.tasks)) and time.monotonic() < deadline:
        time.sleep(0.05)
    summary = tuile.dask.process(tiles, {"features.set": "minimal"}, in_process, output=tmp_path)
    assert summary.tiles_done + summary.tiles_skipped == 4 and summary.tiles_skipped >= 1
    assert tuile.verify(tmp_path)["ok"] and tuile.verify(tmp_path)["leftovers"] == []


def test_without_a_client_a_cluster_is_made_for_the_call(town, tmp_path):
    """As a script, with paths relative to a working folder that workers do not have."""
    script = tmp_path / "script.py"
    script.write_text("import sys, tuile\n"
                      "if __name__ == '__main__':\n"
                      "    config = {'features.set': 'minimal', 'ground_truth.source': 'bdtopo.gpkg'}\n"
                      "    s = tuile.dask.process('tiles', config, output=sys.argv[1])\n"
                      "    s.raise_for_failures()\n"
                      "    print(s.tiles_done)\n")
    ran = subprocess.run([sys.executable, script, tmp_path / "out"], cwd=town, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0 and ran.stdout == "4\n", ran.stderr
    run_tuile("process", town / "tiles", "-o", tmp_path / "line", "--features", "minimal", "--ground-truth", town / "bdtopo.gpkg")
    assert outputs(tmp_path / "out") == outputs(tmp_path / "line")
    assert not (town / "dask-worker-space").exists()


@pytest.mark.parametrize("keywords, error, words", [
    ({"group_size": 0}, ValueError, "group_size"),
    ({"group_size": 1.5}, TypeError, "group_size"),
    ({"retries": -1}, ValueError, "retries"),
    ({"retries": "2"}, TypeError, "retries"),
    ({"progress": 3}, TypeError, "progress"),
    ({"client": "tcp://host:8786"}, TypeError, "Client"),
    ({"config": {"feature": 1}}, tuile.ConfigError, "features"),
    ({"paths": []}, ValueError, "no paths"),
    ({"paths": None}, ValueError, "input"),
    ({"paths": "none.laz"}, tuile.ConfigError, "none.laz"),
    ({"output": __file__}, PermissionError, "output folder"),
])
def test_bad_input_is_an_exception_that_says_what_was_expected(tiles, tmp_path, keywords, error, words):
    refused(lambda: tuile.dask.process(**{"paths": tiles, "output": tmp_path, **keywords}), error, re.escape(words))


def test_leftovers_of_dead_processes_are_removed(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    host = os.uname().nodename
    gone, alive = (tmp_path / f".a.npz.tmp-{host}-{pid}-0" for pid in (dead.pid, os.getppid()))
    gone.touch()
    alive.touch()
    tuile.dask._remove_leftovers([str(tmp_path), str(tmp_path / "none")])
    assert alive.exists() and not gone.exists()


def test_failures_travel_between_processes():
    error = pickle.loads(pickle.dumps(tuile.dask.PassingFailures([("a.laz", "io", "a.laz: gone")])))
    assert error.failed == [("a.laz", "io", "a.laz: gone")] and str(error) == "a.laz: gone"
