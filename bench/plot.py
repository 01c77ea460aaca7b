#!/usr/bin/env python3
"""Plots and the result table of docs/performance.md from a results file of `tuile bench --results`.

    bench/plot.py [RESULTS.json] [--page docs/performance.md] [--plots docs/plots]

Without a file: the newest of bench/results. Needs Python's standard library only."""

import argparse
import json
import pathlib
import sys
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
MET, MISSED, PLAIN, INK, FAINT = "#2b7a4b", "#c0392b", "#3b6ea5", "#222222", "#bbbbbb"


def number(value):
    """Four significant digits, no exponent for what tables hold."""
    if value is None:
        return "–"
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3g}"
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 4
    return f"{value:.{digits}f}"


def verdict(row):
    if row["target"] is None:
        return "–"
    sign = "≥" if row["better"] == "higher" else "≤"
    if row["met"]:
        return f"{sign} {number(row['target'])} met"
    return f"{sign} {number(row['target'])} **missed** by {100 * abs(row['ratio'] / row['target'] - 1):.0f} %"


def table(results):
    machine = results["machine"]
    sizes = results["sizes"]
    lines = [
        f"Measured on {results['date'][:10]} with tuile {results['tuile']}"
        + (f" (commit {results['commit']})" if results["commit"] else "")
        + f": {machine['processor']}, {machine['cores']} cores, {machine['memory'] / 2**30:.0f} GiB, {machine['kernel']}, backend \"{machine['backend']}\"; "
        + f"{sizes['tiles']} tiles of {sizes['million_points']:g} M points.",
        "",
        "| row | measured | baseline of the same run | ratio (range) | target |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in results["rows"]:
        spread = f" ({number(row['spread'][0])} to {number(row['spread'][1])})" if row["spread"] else ""
        lines.append(
            f"| `{row['name']}` | {number(row['value'])} {row['unit']} | {number(row['baseline'])}: {row['baseline_name']} "
            f"| {number(row['ratio'])}{spread} | {verdict(row)} |"
        )
    for what in results["left_out"]:
        lines.append(f"| `{what['what']}` | left out: {what['reason']} | | | |")
    counted = [row for row in results["rows"] if row["target"] is not None]
    lines += ["", f"{sum(bool(row['met']) for row in counted)} of {len(counted)} targets are met."]
    return "\n".join(lines)


class Svg:
    """Text and bars on a white ground, readable in light and dark pages."""

    def __init__(self, width, height):
        self.width, self.height, self.parts = width, height, []

    def text(self, x, y, text, anchor="start", size=12, colour=INK):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>')

    def bar(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}" fill="{colour}"/>')

    def line(self, x1, y1, x2, y2, colour=INK, width=1.0, dash=""):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"{dashes}/>')

    def save(self, path):
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}" '
            'font-family="sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>' + "\n".join(self.parts) + "</svg>\n",
            encoding="utf-8",
        )


def plot_targets(results, path):
    """How every row stands to its target: beyond the line is better."""
    rows = [row for row in results["rows"] if row["target"] and row["ratio"]]

    def standing(row, ratio):
        return ratio / row["target"] if row["better"] == "higher" else row["target"] / ratio

    # What stays far below its bound (a call of microseconds, a few bytes) would squeeze the others together.
    most = 2.5
    left, width, step = 260, 860, 22
    scale = (width - left - 90) / most
    svg = Svg(width, 60 + step * len(rows))
    svg.text(left, 20, "how many times as good as the target (red: missed; thin line: all runs)")
    for i, row in enumerate(rows):
        y = 36 + step * i
        value = standing(row, row["ratio"])
        svg.text(left - 8, y + 12, row["name"], "end")
        svg.bar(left, y, min(value, most) * scale, 15, MET if row["met"] else MISSED)
        if row["spread"] and all(row["spread"]):
            ends = sorted(min(standing(row, ratio), most) for ratio in row["spread"])
            svg.line(left + ends[0] * scale, y + 7.5, left + ends[1] * scale, y + 7.5)
        svg.text(left + min(value, most) * scale + 6, y + 12, f"{value:.2f}" if value <= most else f"{value:.3g} →", colour=INK)
    svg.line(left + scale, 28, left + scale, 40 + step * len(rows), dash="4 3")
    svg.save(path)


def plot_features(results, path):
    """Speeds of features beside their baselines."""
    rows = [row for row in results["rows"] if row["name"].startswith("features.") and row["unit"].startswith("M points/s, search")]
    left, width, step = 200, 860, 40
    most = max([max(row["value"], row["baseline"]) for row in rows], default=1)
    scale = (width - left - 160) / most
    svg = Svg(width, 50 + step * len(rows))
    svg.bar(left, 8, 12, 12, PLAIN)
    svg.text(left + 18, 19, "tuile, M points/s")
    svg.bar(left + 170, 8, 12, 12, FAINT)
    svg.text(left + 188, 19, "nanoflann + Eigen (four features), the same threads")
    for i, row in enumerate(rows):
        y = 34 + step * i
        svg.text(left - 8, y + 20, row["name"].removeprefix("features."), "end")
        svg.bar(left, y, row["value"] * scale, 14, PLAIN)
        svg.bar(left, y + 15, row["baseline"] * scale, 14, FAINT)
        svg.text(left + row["value"] * scale + 6, y + 12, f"{number(row['value'])}  (× {number(row['ratio'])})")
        svg.text(left + row["baseline"] * scale + 6, y + 27, number(row["baseline"]))
    svg.save(path)


def plot_scaling(results, path):
    """Speed-up over threads, beside what would be perfect."""
    series = {}
    for row in results["rows"]:
        if row["name"].startswith("scaling.") and row["name"].endswith("_threads"):
            what, threads = row["name"].removeprefix("scaling.").removesuffix("_threads").rsplit("_", 1)
            series.setdefault(what, [(1, 1.0)]).append((int(threads), row["ratio"]))
    most = max([threads for points in series.values() for threads, _ in points], default=1)
    left, top, side = 60, 30, 300
    svg = Svg(left + side + 160, top + side + 50)

    def place(threads, ratio):
        return left + side * threads / most, top + side - side * min(ratio / most, 1.1)

    svg.line(left, top, left, top + side)
    svg.line(left, top + side, left + side, top + side)
    svg.line(*place(0, 0), *place(most, most), colour=FAINT, dash="4 3")
    svg.text(left + side + 6, top + 8, "perfect", colour=FAINT)
    svg.text(left + side / 2, top + side + 36, "threads", "middle")
    svg.text(left, top - 10, "times as fast as one thread")
    for threads in sorted({threads for points in series.values() for threads, _ in points}):
        svg.text(place(threads, 0)[0], top + side + 18, str(threads), "middle")
    for (what, points), colour in zip(sorted(series.items()), (MISSED, PLAIN, MET)):
        places = [place(*point) for point in points]
        for a, b in zip(places, places[1:]):
            svg.line(*a, *b, colour=colour, width=2)
        svg.text(places[-1][0] + 6, places[-1][1] + (18 if colour == PLAIN else 4), f"{what} × {points[-1][1]:.2f}", colour=colour)
    svg.save(path)


def update_page(page, text):
    content = page.read_text(encoding="utf-8")
    if content.count(BEGIN) != 1 or content.count(END) != 1 or content.index(BEGIN) > content.index(END):
        raise SystemExit(f"{page}: one line {BEGIN} and, after it, one line {END} are expected")
    before, rest = content.split(BEGIN)
    page.write_text(before + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1], encoding="utf-8")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="?", type=pathlib.Path)
    parser.add_argument("--page", type=pathlib.Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--plots", type=pathlib.Path, default=ROOT / "docs" / "plots")
    options = parser.parse_args(arguments)
    path = options.results or max((ROOT / "bench" / "results").glob("[0-9]*.json"), default=None)
    if path is None:
        raise SystemExit("bench/results holds no results; run `make bench`, or name a file")
    results = json.loads(path.read_text(encoding="utf-8"))
    options.plots.mkdir(parents=True, exist_ok=True)
    plot_targets(results, options.plots / "targets.svg")
    plot_features(results, options.plots / "features.svg")
    plot_scaling(results, options.plots / "scaling.svg")
    update_page(options.page, table(results))
    print(f"{options.page.name} and three plots are made from {path.name}")


if __name__ == "__main__":
    sys.exit(main())
