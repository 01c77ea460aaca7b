"""The program of docs/cpp.md builds against an installation, and runs."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}")
    return done.stdout


class CppPage(unittest.TestCase):
    def test_it_builds_and_runs(self):
        page = (SOURCE / "docs" / "cpp.md").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory(prefix="tuile-cpp-") as name:
            folder = pathlib.Path(name)
            run("cmake", "--install", os.environ["TUILE_BUILD"], "--prefix", folder / "prefix")
            for fence, file in (("cpp", "main.cpp"), ("cmake", "CMakeLists.txt")):
                block, = re.findall(rf"^```{fence}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
                (folder / file).write_text(block, encoding="utf-8")
            run("cmake", "-B", folder / "build", "-S", folder, f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}", "-DCMAKE_BUILD_TYPE=Release")
            run("cmake", "--build", folder / "build")
            tuile = folder / "prefix" / "bin" / "tuile"
            run(tuile, "synth", "-o", folder, "--tiles", "1x1", "--size", 30, "--density", 4)
            self.assertIn("1 of 1 tiles done", run(folder / "build" / "mine", cwd=folder))
            self.assertIn("all sound", run(tuile, "verify", folder / "out"))
            for place in ("man/man1/tuile-process.1", "bash-completion/completions/tuile", "zsh/site-functions/_tuile",
                          "fish/vendor_completions.d/tuile.fish"):
                self.assertTrue((folder / "prefix" / "share" / place).is_file(), place)


if __name__ == "__main__":
    unittest.main()
