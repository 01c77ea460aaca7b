"""docs/outputs.md says what is in the outputs: nothing that is not there, and all that is."""
import json
import re

from support import Folder, SOURCE, Tile, process, tuile

PAGE = (SOURCE / "docs" / "outputs.md").read_text(encoding="utf-8")


def table(section):
    """The rows of a section's first table, each a list of cells; the heading's row and the rule below it left out."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return rows[2:]


class OutputsPage(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schema = json.loads((SOURCE / "docs" / "sidecar.schema.json").read_text(encoding="utf-8"))

    def setUp(self):
        super().setUp()
        town = self.folder / "town"
        tuile("synth", "-o", town, "--tiles", "1x1", "--size", 60, "--density", 8, "-q")
        process(town / "tiles", self.folder / "out", "--formats", "npz,laz", "--ground-truth", town / "bdtopo.gpkg",
                "--set", "preprocess.statistical_outliers.enabled=true", "--features", "x,planarity,red")
        self.name = next((self.folder / "out").glob("*.npz")).stem
        self.tile = Tile(self.folder / "out", self.name)

    def test_arrays(self):
        points, objects = len(self.tile.features), len(self.tile.npz["object_ids"])
        self.assertGreater(objects, 0)
        sizes = {"N": points, "F": 3, "O": objects}
        listed = {row[0]: row for row in table("NPZ")}
        seen = set()
        for name in self.tile.npz.files:
            array = self.tile.npz[name]
            key = name if name in listed else "object_<attribute>" if name.startswith("object_") else name
            self.assertIn(key, listed, f"docs/outputs.md does not have the array {name}")
            seen.add(key)
            _, kind, shape, *_ = listed[key]
            self.assertEqual("text" if array.dtype.kind == "U" else str(array.dtype), kind, name)
            self.assertEqual(array.shape, tuple(sizes.get(size, None) or int(size) for size in re.findall(r"\w+", shape)), name)
        self.assertEqual(seen, set(listed))

    def test_dimensions(self):
        kinds = {"float": "float32", "uint8": "uint8", "int32": "int32", "uint16": "uint16"}
        listed = {row[0]: row[1] for row in table("LAZ")}
        info = json.loads(tuile("info", "--json", self.folder / "out" / f"{self.name}.laz").stdout)["files"][0]
        there = {dimension["name"]: kinds[dimension["type"]] for dimension in info["extra_dimensions"]}
        self.assertEqual(there.pop("planarity"), listed.pop("one per column, with its name"))
        listed.pop("nir")
        self.assertEqual(there, listed)

    def test_fields(self):
        listed = [row[0] for row in table("Sidecar")]
        self.assertEqual(listed, list(self.schema["properties"]))
        self.assertEqual(set(listed), set(self.tile.sidecar))

    def test_outcomes(self):
        self.assertEqual([row[0] for row in table("Outcomes")], self.schema["$defs"]["outcome"]["enum"])

    def test_sources(self):
        names = {int(row[0]): row[1] for row in table("Where a label comes from")}
        for row, layer in enumerate(self.tile.sidecar["ground_truth"]["layers"], 1):
            self.assertEqual(names[row], layer["layer"])
        self.assertLessEqual(set(self.tile.npz["label_source"].tolist()), set(names))
