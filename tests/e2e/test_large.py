"""A tile larger than the memory budget: searched block by block, its rows in a temporary file, and the same bytes."""

import pathlib
import resource
import tempfile
import unittest

from support import Folder, process, same_files, tuile


class Large(Folder):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="tuile-e2e-")
        cls.addClassCleanup(temporary.cleanup)
        cls.town = pathlib.Path(temporary.name) / "town"
        tuile("synth", "-o", cls.town, "--tiles", "1x1", "--size", 180, "--density", 20)
        # Outputs keep the sub-path of their inputs, in folders that are made only when the first file is published.
        (cls.town / "tiles" / "north").mkdir()
        for tile in (cls.town / "tiles").glob("*.laz"):
            tile.rename(cls.town / "tiles" / "north" / tile.name)

    def compare(self, *arguments, saved):
        """Both runs; `saved`: bytes of its own memory that the small one does without, about half of what is seen: the peaks are sampled."""
        large = process(self.town / "tiles", self.folder / "large", *arguments)
        small = process(self.town / "tiles", self.folder / "small", *arguments, "--memory", "64MiB")
        self.assertEqual(large["tiles"]["done"], 1)
        self.assertGreater(large["points"], 700_000)
        self.assertEqual(same_files(self.folder / "large", self.folder / "small"), [])
        self.assertLess(small["peak_anonymous"], large["peak_anonymous"] - saved, "the small run was no smaller")
        self.assertLess(small["peak_anonymous"], (64 + 256) << 20)
        self.assertEqual([p.name for p in (self.folder / "small").rglob("*") if p.name.startswith(".")], [], "nothing is left behind")

    def test_nearest_in_npz_and_laz(self):
        self.compare("--features", "lod3", "--formats", "npz,laz", saved=40 << 20)

    def test_radius_and_labels(self):
        self.compare("--features", "asprs", "--radius", 0.8, "--ground-truth", self.town / "bdtopo.gpkg", saved=25 << 20)

    def test_dropped_columns(self):
        self.compare("--features", "lod2", "--set", "features.missing=drop", saved=20 << 20)

    def test_too_little_space_is_an_error_and_no_signal(self):
        """A limit on file sizes stands in for a full disk: the space is asked for before the work."""
        done = tuile("process", self.town / "tiles", "-o", self.folder, "--memory", "64MiB", "--features", "full", status=1, restore_signals=False,
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
        self.assertIn("temporary file", done.stderr)
        self.assertEqual(list(self.folder.rglob("*.npz")), [])


if __name__ == "__main__":
    unittest.main()
