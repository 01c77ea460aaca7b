"""What the end-to-end tests share: running the command line, reading its outputs with numpy, writing plain LAS files.

The LAS writer is independent of tuile: it packs LAS 1.2 records itself."""

import json
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

import numpy as np

BINARY = os.environ["TUILE_BINARY"]
SOURCE = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("TUILE_TEST_DATA", SOURCE / ".." / "shared" / "data"))


def tuile(*arguments, status=0, **options):
    """Runs the command line and returns the finished process; fails where the exit status is another than `status`."""
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=600, **options)
    if status is not None and done.returncode != status:
        raise AssertionError(f"tuile {' '.join(map(str, arguments))}: exit status {done.returncode}, expected {status}\n{done.stdout}\n{done.stderr}")
    return done


def process(inputs, output, *arguments, status=0):
    """`tuile process --json`; returns the run's summary."""
    inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    return json.loads(tuile("process", *inputs, "-o", output, "--json", *arguments, status=status).stdout)


class Folder(unittest.TestCase):
    """A test with a fresh folder."""

    def setUp(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="tuile-e2e-")
        self.addCleanup(self._temporary.cleanup)
        self.folder = pathlib.Path(self._temporary.name)


def real_data(relative):
    path = DATA / relative
    if not path.exists():
        raise unittest.SkipTest(f"{path} is not on this machine (TUILE_TEST_DATA names the folder)")
    return path


class Tile:
    """The outputs of one tile."""

    def __init__(self, output, name):
        self.npz = np.load(pathlib.Path(output) / f"{name}.npz")
        self.sidecar = json.loads((pathlib.Path(output) / f"{name}.json").read_text())
        self.names = [str(n) for n in self.npz["feature_names"]]
        self.features = self.npz["features"]
        self.classification = self.npz["classification"]
        self.scale = self.sidecar["grid"]["scale"]

    def column(self, name):
        return self.features[:, self.names.index(name)]

    def units(self):
        """(N,3) int64 absolute coordinates on the grid."""
        origin = np.rint(self.npz["origin"] / self.scale).astype(np.int64)
        return np.rint(self.npz["xyz"].astype(np.float64) / self.scale).astype(np.int64) + origin


def write_las(path, units, classification=None, scale=0.01, offset=(0.0, 0.0, 0.0), **header):
    """Uncompressed LAS 1.2, point format 0. units: (N,3) integers, metres = units · scale + offset. `header` overrides fields by name."""
    units = np.asarray(units, dtype=np.int64).reshape(-1, 3)
    n = len(units)
    records = np.zeros(n, dtype=np.dtype({"names": ["x", "y", "z", "returns", "class"], "formats": ["<i4", "<i4", "<i4", "u1", "u1"],
                                          "offsets": [0, 4, 8, 14, 15], "itemsize": 20}))
    records["x"], records["y"], records["z"] = units.T
    records["returns"] = 0x09
    records["class"] = 1 if classification is None else classification
    metres = units * scale + np.asarray(offset)
    low, high = (metres.min(0), metres.max(0)) if n else (np.zeros(3), np.zeros(3))
    h = {"magic": b"LASF", "major": 1, "minor": 2, "header_size": 227, "data_offset": 227, "format": 0, "length": 20, "count": n, "scale": (scale,) * 3,
         "low": low, "high": high}
    h.update(header)
    head = bytearray(227)
    head[0:4] = h["magic"]
    head[24:26] = bytes([h["major"], h["minor"]])
    struct.pack_into("<HIIBHI", head, 94, h["header_size"], h["data_offset"], 0, h["format"], h["length"], h["count"])
    struct.pack_into("<I", head, 111, h["count"])
    struct.pack_into("<6d", head, 131, *h["scale"], *offset)
    struct.pack_into("<6d", head, 179, h["high"][0], h["low"][0], h["high"][1], h["low"][1], h["high"][2], h["low"][2])
    pathlib.Path(path).write_bytes(bytes(head) + records.tobytes())


def same_files(a, b):
    """Names of outputs (run reports apart) that differ between two folders, or are in one only."""
    def listing(folder):
        return {p.relative_to(folder): p for p in pathlib.Path(folder).rglob("*") if p.is_file() and not p.name.startswith("run-")}
    left, right = listing(a), listing(b)
    return sorted(str(name) for name in left.keys() | right.keys()
                  if name not in left or name not in right or left[name].read_bytes() != right[name].read_bytes())
