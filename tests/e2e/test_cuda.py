"""The CUDA backend from the outside. Without a card the command line runs on a stand-in for the CUDA runtime that the tests bring along (tests/support/fake_cuda): the same sources, kernels included, on the host.
TUILE_FAKE_CUDA says what that machine is like."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import numpy as np

from support import Folder, Tile, process, tuile

ON_FAKE = os.environ.get("TUILE_ON_FAKE_CUDA")
FILTERS = ("--set", "preprocess.statistical_outliers.enabled=true", "--set", "preprocess.radius_outliers.enabled=true", "--set", "preprocess.voxel.enabled=true",
           "--set", "preprocess.voxel.size=0.3")


def has_card():
    return shutil.which("nvidia-smi") is not None and subprocess.run(["nvidia-smi", "-L"], capture_output=True).returncode == 0


class NoCard(Folder):
    def setUp(self):
        super().setUp()
        if has_card():
            self.skipTest("there is a card here")
        tuile("synth", "-o", self.folder / "town", "--tiles", "1x1", "--size", 30, "--density", 5)

    def test_asked_for_it_is_exit_status_3_with_the_reason(self):
        done = tuile("process", self.folder / "town/tiles", "-o", self.folder / "out", "--backend", "cuda", status=3)
        self.assertIn("backend 'cuda' cannot run:", done.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_auto_takes_the_cpu_and_says_so(self):
        done = tuile("process", self.folder / "town/tiles", "-o", self.folder / "out")
        self.assertIn("backend auto: cpu, for cuda cannot run:", done.stderr + done.stdout)
        again = process(self.folder / "town/tiles", self.folder / "out", "--overwrite")
        self.assertEqual(again["backend"], "cpu")
        self.assertIn("cuda cannot run", again["backend_reason"])
        self.assertEqual(process(self.folder / "town/tiles", self.folder / "out", "--backend", "cpu")["backend_reason"], "")


@unittest.skipUnless(ON_FAKE, "no tuile on a fake device was built")
class OnFakeDevice(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="tuile-e2e-")
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        tuile("synth", "-o", cls.folder / "town", "--tiles", "2x2", "--size", 22, "--density", 8)
        cls.tiles = sorted((cls.folder / "town/tiles").glob("*.laz"))

    def setUp(self):
        self.output = pathlib.Path(tempfile.mkdtemp(dir=self.folder))

    def on_device(self, machine, *arguments, status=0):
        done = subprocess.run([ON_FAKE, "process", self.folder / "town/tiles", "-o", self.output / "cuda", "--backend", "cuda", "--json", *map(str, arguments)],
                              capture_output=True, text=True, timeout=600, env={**os.environ, "TUILE_FAKE_CUDA": machine})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def assert_same_as_cpu(self, *arguments):
        process(self.folder / "town/tiles", self.output / "cpu", "--backend", "cpu", *arguments)
        for path in self.tiles:
            cpu, cuda = Tile(self.output / "cpu", path.stem), Tile(self.output / "cuda", path.stem)
            self.assertEqual(sorted(cpu.npz.files), sorted(cuda.npz.files))
            for name in cpu.npz.files:
                self.assertEqual(cpu.npz[name].tobytes(), cuda.npz[name].tobytes(), f"{name} of {path.stem}")
            for sidecar in (cpu.sidecar, cuda.sidecar):
                sidecar.pop("backend", None)
                sidecar.pop("config_hash", None)
                sidecar.pop("outputs", None)
            self.assertEqual(cpu.sidecar, cuda.sidecar)
        laz = [path.name for path in (self.output / "cpu").glob("*.laz")]
        for name in laz:
            self.assertEqual((self.output / "cpu" / name).read_bytes(), (self.output / "cuda" / name).read_bytes(), name)

    def test_the_bytes_of_the_cpu(self):
        summary = self.on_device("devices=1", "--features", "lod3", "--formats", "npz,laz")
        self.assertEqual(summary["backend"], "cuda")
        device, = summary["devices"]
        self.assertEqual(device["tiles"], 4)
        self.assertGreater(device["busy_seconds"], 0)
        self.assertGreater(device["bytes_uploaded"], 0)
        self.assertIsNone(device["lost"])
        self.assert_same_as_cpu("--features", "lod3", "--formats", "npz,laz")

    def test_filters(self):
        self.on_device("devices=1", *FILTERS)
        self.assert_same_as_cpu(*FILTERS)
        valid = np.concatenate([Tile(self.output / "cuda", path.stem).npz["valid"] for path in self.tiles])
        self.assertTrue(0 < valid.sum() < valid.size)

    def test_trace_has_a_row_per_device_and_kind_of_work(self):
        self.on_device("devices=1", "--trace", self.output / "trace.json")
        events = json.loads((self.output / "trace.json").read_text())["traceEvents"]
        rows = {event["tid"]: event["args"]["name"] for event in events if event["ph"] == "M"}
        self.assertEqual(sorted(rows.values()), ["GPU 0 compute", "GPU 0 download", "GPU 0 upload"])
        self.assertTrue(all(row > 1 << 22 for row in rows), "a thread could have such an id, or a viewer refuses it")
        spans = [event for event in events if event["ph"] == "X" and event["tid"] in rows]
        self.assertEqual({rows[span["tid"]] for span in spans}, set(rows.values()))
        self.assertTrue(all(event["dur"] >= 0 and event["ts"] >= 0 for event in spans))

    def test_a_lost_device_loses_no_tile(self):
        summary = self.on_device("devices=2,lose=0@25")
        self.assertEqual(summary["tiles"]["done"], 4)
        lost, = [device for device in summary["devices"] if device["lost"]]
        self.assertEqual(lost["id"], 0)
        self.assertGreater(summary["tiles_moved"], 0)
        self.assert_same_as_cpu()

    def test_no_device_left_fails_the_tiles_and_the_next_run_does_them(self):
        summary = self.on_device("devices=1,lose=0@25", status=1)
        self.assertEqual(summary["tiles"]["done"] + summary["tiles"]["failed"], 4)
        self.assertGreater(summary["tiles"]["failed"], 0)
        self.assertEqual({failure["kind"] for failure in summary["failed"]}, {"device"})
        self.assertEqual(self.on_device("devices=1")["tiles"]["failed"], 0)
        self.assert_same_as_cpu()

    def test_little_device_memory(self):
        summary = self.on_device("devices=1,memory=1M")
        self.assertEqual(summary["tiles"]["done"], 4)
        self.assertGreater(summary["tiles_in_blocks"], 0)
        self.assert_same_as_cpu()

    def test_devices_that_are_not_there(self):
        done = subprocess.run([ON_FAKE, "process", self.folder / "town/tiles", "-o", self.output / "cuda", "--backend", "cuda", "--set", "devices=[3]"],
                              capture_output=True, text=True, timeout=600, env={**os.environ, "TUILE_FAKE_CUDA": "devices=2"})
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("3", done.stderr)
        done = subprocess.run([ON_FAKE, "process", self.folder / "town/tiles", "-o", self.output / "cuda", "--backend", "cuda"],
                              capture_output=True, text=True, timeout=600, env={**os.environ, "TUILE_FAKE_CUDA": "devices=0"})
        self.assertEqual(done.returncode, 3, done.stderr)


if __name__ == "__main__":
    unittest.main()
