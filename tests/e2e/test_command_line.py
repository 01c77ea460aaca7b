"""What all commands have in common: help, slips of the finger, --quiet, and a reader that leaves."""
import os
import subprocess

from support import BINARY, Folder, tuile

COMMANDS = ("process", "info", "synth", "truth", "download", "verify", "config", "bench")


class Help(Folder):
    def test_help_is_help(self):
        self.assertEqual(tuile("help").stdout, tuile("--help").stdout)
        for command in COMMANDS:
            self.assertEqual(tuile("help", command).stdout, tuile(command, "--help").stdout)
        self.assertEqual(tuile("help", "config", "show").stdout, tuile("config", "show", "--help").stdout)

    def test_values_are_named(self):
        text = tuile("help", "process").stdout
        for value in ("auto|cpu|cuda", "none|wfs|FILE", "KEY=VALUE", "npz|laz,..."):
            self.assertIn(value, text)
        self.assertNotIn(" TEXT", text)


class Slips(Folder):
    def refused(self, *arguments):
        done = tuile(*arguments, status=2)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_commands(self):
        self.assertIn("unknown command 'proces'; did you mean process?", self.refused("proces"))
        self.assertIn("unknown command 'proces'; did you mean process?", self.refused("proces", "--help"))
        self.assertIn("unknown command 'proces'; did you mean process?", self.refused("help", "proces"))
        self.assertIn("unknown command 'config sho'; did you mean show?", self.refused("config", "sho"))
        self.assertNotIn("did you mean", self.refused("qqqqqqqqqq"))
        self.assertIn("process, info", self.refused("qqqqqqqqqq"))

    def test_options_of_each_command(self):
        for command, wrong, right in (("process", "--featuers", "--features"), ("info", "--stat", "--stats"), ("synth", "--densty", "--density"),
                                      ("truth", "--ground-thruth", "--ground-truth"), ("download", "--bboks", "--bbox"), ("verify", "--jsn", "--json"),
                                      ("bench", "--tile", "--tiles"), ("config", "--quite", "--quiet")):
            self.assertIn(f"unknown option '{wrong}'; did you mean {right}?", self.refused(command, wrong, "x"))
        self.assertIn("'--pre-set'; did you mean --preset?", self.refused("config", "show", "--pre-set=ml"))
        self.assertIn("'--jsn'; did you mean --json?", self.refused("config", "show", "--jsn"))
        self.assertIn("unknown option '-x'", self.refused("process", "-x"))
        self.assertIn("'-features'; did you mean --features?", self.refused("process", "-features", "lod2"))
        self.assertIn("'--verson'; did you mean --version?", self.refused("--verson"))

    def test_values_are_no_slips(self):
        self.assertIn("--k", self.refused("process", "a.laz", "--k", "--featuers"))  # which is the value, and no number
        self.assertIn("absent.yaml", self.refused("process", "a.laz", "-c", "absent.yaml"))


class Quiet(Folder):
    def test_no_command_says_what_it_did(self):
        done = tuile("synth", "-o", self.folder / "town", "--tiles", "1x1", "--size", 30, "--density", 4, "-q")
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        tile = next((self.folder / "town" / "tiles").glob("*.laz"))
        for arguments in (("process", tile, "-o", self.folder / "out"), ("verify", self.folder / "out"), ("config", "check"),
                          ("truth", tile, "-o", self.folder / "truth.gpkg", "--ground-truth", self.folder / "town" / "bdtopo.gpkg")):
            done = tuile(*arguments, "-q")
            self.assertEqual((done.stdout, done.stderr), ("", ""), arguments[0])

    def test_what_was_asked_for_is_printed(self):
        for arguments in (("config", "show"), ("config", "presets")):
            self.assertEqual(tuile(*arguments, "-q").stdout, tuile(*arguments).stdout)
        tuile("synth", "-o", self.folder / "town", "--tiles", "1x1", "--size", 30, "--density", 4)
        for arguments in (("info", self.folder / "town" / "tiles"), ("process", self.folder / "town" / "tiles", "--dry-run")):
            self.assertTrue(tuile(*arguments, "-q").stdout)


class ReaderLeaves(Folder):
    def without_reader(self, *arguments):
        """The process with a standard output that nobody reads."""
        read, write = os.pipe()
        os.close(read)
        try:
            return subprocess.run([BINARY, *map(str, arguments)], stdout=write, stderr=subprocess.PIPE, text=True, timeout=600)
        finally:
            os.close(write)

    def test_every_command_ends_quietly(self):
        tuile("synth", "-o", self.folder / "town", "--tiles", "2x1", "--size", 30, "--density", 4, "-q")
        tiles, out, gpkg = self.folder / "town" / "tiles", self.folder / "out", self.folder / "town" / "bdtopo.gpkg"
        tuile("process", tiles, "-o", out, "-q")
        for arguments in (("info", tiles), ("info", "--json", tiles), ("process", tiles, "-o", out, "--dry-run"),
                          ("process", tiles, "-o", out, "--json"), ("verify", out), ("config", "show"), ("config", "presets"),
                          ("config", "check"), ("synth", "-o", self.folder / "again", "--tiles", "1x1", "--size", 30, "--density", 4),
                          ("truth", next(tiles.glob("*.laz")), "-o", self.folder / "t.gpkg", "--ground-truth", gpkg)):
            done = self.without_reader(*arguments)
            # 128 + SIGPIPE, or the signal itself: the same to a shell.
            self.assertIn(done.returncode, (141, -13), arguments)
            self.assertNotIn("error", done.stderr, arguments)
            self.assertNotIn("disk", done.stderr, arguments)

    def test_a_full_disk_is_named(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, "config", "show"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left on device", done.stderr)


class Numbers(Folder):
    def test_no_zero_has_a_sign(self):
        tuile("synth", "-o", self.folder / "town", "--tiles", "2x2", "--size", 30, "--density", 4, "-q")
        for run in range(3):
            for arguments in ((), ("--no-async",), ("--json",)):
                done = tuile("process", self.folder / "town" / "tiles", "-o", self.folder / "out", "--overwrite", *arguments)
                self.assertNotRegex(done.stdout + done.stderr, r"-0\.?0*\b(?![0-9.e])")
                self.assertNotRegex(done.stdout, r": -[0-9]")  # no second is negative
