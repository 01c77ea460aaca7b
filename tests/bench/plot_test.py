"""bench/plot.py on made-up results: the page keeps its prose, the plots are XML, and what is missed is said."""

import json
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import plot  # noqa: E402


def row(name, ratio, target, better="higher", **more):
    met = None if target is None else ratio >= target if better == "higher" else ratio <= target
    return {"name": name, "value": ratio, "unit": "M points/s, search <tree> included", "baseline_name": "a & b", "baseline": 1.0, "ratio": ratio,
            "target": target, "better": better, "met": met, "runs": 5, "spread": [0.9 * ratio, 1.1 * ratio], **more}


RESULTS = {
    "tuile": "1.0", "commit": "abc", "date": "2026-01-31T12:00:00Z",
    "machine": {"processor": "X", "cores": 4, "memory": 8 << 30, "kernel": "Linux", "backend": "cpu"},
    "sizes": {"tiles": 20, "million_points": 2},
    "rows": [row("features.lod2_k20", 5.0, 4.0), row("features.full_k20", 3.0, None), row("pipeline.cpu_bound", 1.2, 1.0, "lower"),
             row("scaling.features_2_threads", 1.8, 1.9), row("scaling.features_4_threads", 3.7, 3.61),
             row("memory.cached_point", 20.0, 40.0, "lower", spread=None)],
    "left_out": [{"what": "copc", "reason": "no tiles"}],
}


class Plot(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.page = self.folder / "page.md"
        self.page.write_text(f"before\n{plot.BEGIN}\nold\n{plot.END}\nafter\n", encoding="utf-8")

    def run_plot(self, results=RESULTS):
        (self.folder / "r.json").write_text(json.dumps(results), encoding="utf-8")
        plot.main([str(self.folder / "r.json"), "--page", str(self.page), "--plots", str(self.folder / "plots")])
        return self.page.read_text(encoding="utf-8")

    def test_the_page_keeps_its_prose(self):
        page = self.run_plot()
        self.assertTrue(page.startswith("before\n") and page.endswith("after\n"))
        self.assertNotIn("old", page)
        self.assertEqual(page, self.run_plot())

    def test_verdicts(self):
        page = self.run_plot()
        self.assertIn("≥ 4.00 met", page)
        self.assertIn("≤ 1.00 **missed** by 20 %", page)
        self.assertIn("≥ 1.90 **missed** by 5 %", page)
        self.assertIn("3 of 5 targets are met", page)
        self.assertIn("left out: no tiles", page)

    def test_plots_are_xml_that_names_every_row(self):
        self.run_plot()
        for name in ("targets", "features", "scaling"):
            text = (self.folder / "plots" / f"{name}.svg").read_text(encoding="utf-8")
            xml.etree.ElementTree.fromstring(text)
            if name == "targets":
                for measured in RESULTS["rows"]:
                    self.assertEqual(measured["name"] in text, measured["target"] is not None)

    def test_no_rows_at_all(self):
        self.assertIn("0 of 0 targets", self.run_plot({**RESULTS, "rows": []}))

    def test_a_page_without_its_marks_is_left_alone(self):
        self.page.write_text("nothing", encoding="utf-8")
        with self.assertRaises(SystemExit):
            self.run_plot()
        self.assertEqual(self.page.read_text(encoding="utf-8"), "nothing")


if __name__ == "__main__":
    unittest.main()
