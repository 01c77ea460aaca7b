"""kill -9 in the middle, the same command again: the bytes of an undisturbed run, finished tiles not redone. Interruption by a signal."""

import json
import os
import random
import signal
import subprocess
import time
import unittest

from support import BINARY, Folder, process, same_files, tuile

KILLS = int(os.environ.get("TUILE_KILLS", "8"))


class Resume(Folder):
    def setUp(self):
        super().setUp()
        self.tiles = self.folder / "town" / "tiles"
        tuile("synth", "-o", self.folder / "town", "--tiles", "3x2", "--size", 60, "--density", 12)
        self.command = [BINARY, "process", str(self.tiles), "-o", str(self.folder / "out"), "--formats", "npz,laz"]
        start = time.monotonic()
        process(self.tiles, self.folder / "reference", "--formats", "npz,laz")
        self.seconds = time.monotonic() - start

    def test_killed_at_random_moments(self):
        chance = random.Random(11)
        killed = 0
        for _ in range(KILLS):
            child = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, self.seconds))
            child.send_signal(signal.SIGKILL)
            killed += child.wait() == -signal.SIGKILL
            out = self.folder / "out"
            out.mkdir(exist_ok=True)
            done = {p.stem for p in self.tiles.glob("*.laz") if all((out / f"{p.stem}.{kind}").exists() for kind in ("json", "npz", "laz"))}
            before = {name: (out / f"{name}.npz").stat().st_mtime_ns for name in done}
            summary = process(self.tiles, self.folder / "out", "--formats", "npz,laz")
            self.assertEqual(summary["tiles"]["skipped"], len(done))
            for name, modified in before.items():
                self.assertEqual((out / f"{name}.npz").stat().st_mtime_ns, modified, f"{name} was finished and is redone")
            self.assertEqual(same_files(self.folder / "reference", out), [])
            self.assertEqual([p.name for p in out.iterdir() if ".tmp" in p.name], [], "what the dead process left is cleared away")
            for path in list(out.iterdir())[:: chance.choice((1, 2, 3))]:
                path.unlink()
        self.assertGreater(killed, 0)

    def test_interrupted_by_a_signal(self):
        child = subprocess.Popen([*self.command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(self.seconds / 3)
        child.send_signal(signal.SIGINT)
        stdout, stderr = child.communicate(timeout=600)
        self.assertIn(child.returncode, (0, 130), stderr)
        if child.returncode == 130 and stdout:
            summary = json.loads(stdout)
            self.assertTrue(summary["interrupted"])
            self.assertEqual(summary["failed"], [], "what was not begun has not failed")
            self.assertEqual(summary["tiles"]["done"] + summary["tiles"]["not_begun"], 6)
        process(self.tiles, self.folder / "out", "--formats", "npz,laz")
        self.assertEqual(same_files(self.folder / "reference", self.folder / "out"), [])


if __name__ == "__main__":
    unittest.main()
