"""The completions of the shells, driven as the shells drive them."""
import json
import shutil
import subprocess
import unittest

from support import Folder, SOURCE, tuile

COMPLETIONS = SOURCE / "docs" / "completions"


def bash(line, folder, word_breaks=" \t\n\"'><=;|&(:"):
    """What bash offers at the end of `line`, as whole replacements of its last word (in bash's sense)."""
    script = """
        source "$1"; COMP_WORDBREAKS=$3
        # As readline splits: at spaces, and "=" and ":" are words of their own where they break words.
        text=$2
        [[ $COMP_WORDBREAKS == *=* ]] && text=${text//=/ = }
        [[ $COMP_WORDBREAKS == *:* ]] && text=${text//:/ : }
        read -r -a COMP_WORDS <<<"$text"
        [[ $2 == *" " || $2 == *= ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _tuile
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(["bash", "-c", script, "bash", COMPLETIONS / "tuile.bash", line, word_breaks], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


class Bash(Folder):
    def setUp(self):
        super().setUp()
        (self.folder / "a.laz").touch()
        (self.folder / "tiles").mkdir()

    def offers(self, line, **options):
        return bash(line, self.folder, **options)

    def test_commands(self):
        commands = {"process", "info", "synth", "truth", "download", "verify", "config", "bench", "help"}
        self.assertEqual(set(self.offers("tuile ")), commands)
        self.assertEqual(self.offers("tuile pro"), ["process"])
        self.assertEqual(set(self.offers("tuile config ")), {"show", "check", "presets"})
        self.assertEqual(set(self.offers("tuile help ")), commands - {"help"})

    def test_every_option_of_every_help_is_offered(self):
        for command in ("process", "info", "synth", "truth", "download", "verify", "bench", "config show", "config check"):
            offered = set(self.offers(f"tuile {command} --"))
            listed = {word.rstrip(",") for line in tuile(*command.split(), "--help").stdout.splitlines()
                      for word in line.replace(",", " ").split()[:2] if line.startswith("  -") and word.startswith("--")}
            self.assertGreater(len(listed), 2)
            self.assertLessEqual(listed, offered, command)

    def test_values_with_fixed_choices(self):
        self.assertEqual(set(self.offers("tuile process --backend ")), {"auto", "cpu", "cuda"})
        self.assertEqual(set(self.offers("tuile process --backend=")), {"auto", "cpu", "cuda"})
        self.assertEqual(self.offers("tuile process --backend=cu", word_breaks=" \t\n"), ["--backend=cuda"])
        self.assertEqual(set(self.offers("tuile process --formats ")), {"npz", "laz"})
        self.assertEqual(self.offers("tuile process --formats npz,l"), ["npz,laz"])
        presets = {entry["name"] for entry in json.loads(tuile("config", "presets", "--json").stdout)["presets"]}
        self.assertEqual(set(self.offers("tuile process --preset ")), presets)
        self.assertEqual(set(self.offers("tuile synth --format ")), {"6", "8"})
        self.assertIn("pipeline", self.offers("tuile bench p"))

    def test_sets_and_names_of_features(self):
        self.assertEqual(self.offers("tuile process --features lod"), ["lod2", "lod3"])
        self.assertEqual(self.offers("tuile process --features x,verticality,plan"), ["x,verticality,planarity"])

    def test_keys_and_their_words(self):
        self.assertEqual(self.offers("tuile process --set features.k"), ["features.k="])
        self.assertEqual(set(self.offers("tuile process --set features.missing=")), {"nan", "drop", "error"})
        self.assertEqual(self.offers("tuile process --set features.missing=n", word_breaks=" \t\n"), ["features.missing=nan"])
        keys = {line.split(":")[0] for line in tuile("config", "show").stdout.splitlines()}
        self.assertTrue({key.split(".")[0].rstrip("=") for key in self.offers("tuile config show --set ")} <= keys)

    def test_paths(self):
        self.assertEqual(set(self.offers("tuile process ")), {"a.laz", "tiles"})
        self.assertEqual(self.offers("tuile verify "), ["tiles"])
        self.assertEqual(self.offers("tuile process -o "), ["tiles"])
        self.assertEqual(self.offers("tuile process --k "), [])
        # An option's value is no command.
        self.assertEqual(set(self.offers("tuile process -o info --backend ")), {"auto", "cpu", "cuda"})


class OtherShells(unittest.TestCase):
    def shell(self, name):
        program = shutil.which(name)
        if program is None:
            self.skipTest(f"{name} is not installed: its completions were not looked at")
        return program

    def test_zsh_can_read_them(self):
        subprocess.run([self.shell("zsh"), "-n", COMPLETIONS / "_tuile"], check=True)

    def test_fish_offers_them(self):
        fish = self.shell("fish")
        subprocess.run([fish, "--no-execute", COMPLETIONS / "tuile.fish"], check=True)

        def offers(line):
            done = subprocess.run([fish, "--no-config", "-c", f"source {COMPLETIONS}/tuile.fish; complete -C '{line}'"], capture_output=True,
                                  text=True, check=True)
            return {offer.split("\t")[0] for offer in done.stdout.splitlines()}
        self.assertIn("process", offers("tuile pro"))
        self.assertEqual(offers("tuile process --backend "), {"auto", "cpu", "cuda"})
        self.assertEqual(offers("tuile process --backend="), {"--backend=auto", "--backend=cpu", "--backend=cuda"})
        self.assertIn("x,planarity", offers("tuile process --features x,plan"))
        self.assertIn("features.missing=nan", offers("tuile config show --set features.missing="))
        self.assertIn("features.k=", offers("tuile process --set features.k"))
        self.assertIn("--shard", offers("tuile process --sh"))


if __name__ == "__main__":
    unittest.main()
