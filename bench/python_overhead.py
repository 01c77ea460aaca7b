#!/usr/bin/env python3
"""What calling the engine from Python costs: FeatureProcessor.compute_features of an array against the C++ that it calls.

Points come from a tile of `tuile synth`, as (N, 3) float64. In turn are measured
  python  the whole call: the array checked and put on its grid, features computed, arrays handed out
  c++     the time inside Backend::compute of the very same call (what `tuile bench features` measures)
and, as a second opinion on other memory, the same columns of the tile as it was decoded:
  tile    compute_features(TilePoints), which has no array to convert.
Prints medians and the ratio python / c++; the target is 1.03.

PYTHONPATH=build/default/python python3 bench/python_overhead.py [--points 2000000] [--runs 7] [--json]
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = 1.03
DENSITY = 16  # pulses per m²; a few more points, since some return twice
SEARCHED = ["normal_z", "planarity", "linearity", "verticality"]


def synthetic_tile(binary, folder, points):
    size = max(10, round((points / DENSITY) ** 0.5))
    subprocess.run([binary, "synth", "-o", folder, "--tiles", "1x1", "--size", str(size), "--density", str(DENSITY), "-q"], check=True,
                   stdout=subprocess.DEVNULL)
    return next((pathlib.Path(folder) / "tiles").glob("*.laz"))


def timed(call):
    """Seconds that the call took; giving its result's memory back is in none of the figures."""
    begin = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - begin
    del result
    return seconds


def measure(tuile, tile, points, names, runs, threads):
    processor = tuile.FeatureProcessor("cpu", threads=threads)
    rows = {"python": [], "c++": [], "tile": [], "ratio": []}
    for run in range(runs + 1):
        before = processor.report()["compute_seconds"]
        whole = timed(lambda: processor.compute_features(points, names=names))
        inside = processor.report()["compute_seconds"] - before
        of_tile = timed(lambda: processor.compute_features(tile, names=names))
        if run == 0:
            continue  # the first one finds cold memory
        for name, seconds in (("python", whole), ("c++", inside), ("tile", of_tile), ("ratio", whole / inside)):
            rows[name].append(seconds)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--tile", help="measure on this file instead of a synthetic one")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--binary", default=os.environ.get("TUILE_BINARY", str(ROOT / "build/default/bin/tuile")))
    arguments = parser.parse_args()

    import tuile

    with tempfile.TemporaryDirectory() as folder:
        tile = tuile.read(arguments.tile or synthetic_tile(arguments.binary, folder, arguments.points), fields=[])
    points = tile.points[: arguments.points].copy()
    results = []
    for title, names in (("lod2 columns of coordinates, k = 20", "x,y,z,normal_z,planarity,linearity,verticality".split(",")),
                         ("neighbour columns of lod2, k = 20", SEARCHED)):
        rows = measure(tuile, tile, points, names, arguments.runs, arguments.threads)
        medians = {name: statistics.median(values) for name, values in rows.items()}
        results.append({"name": title, "points": len(points), "runs": arguments.runs, "target": TARGET, "met": medians["ratio"] <= TARGET,
                        **medians, "ratios": rows["ratio"]})
    if arguments.json:
        json.dump({"rows": results}, sys.stdout, indent=1)
        print()
        return
    for row in results:
        print(f"{row['name']}, {row['points']:,} points, median of {row['runs']}")
        print(f"  c++     {row['c++']:8.3f} s   {row['points'] / row['c++'] / 1e6:6.2f} M points/s")
        print(f"  python  {row['python']:8.3f} s   {row['points'] / row['python'] / 1e6:6.2f} M points/s")
        print(f"  tile    {row['tile']:8.3f} s   (TilePoints of {len(tile):,} points)")
        print(f"  ratio   {row['ratio']:8.4f}     target <= {TARGET}: {'met' if row['met'] else 'missed'}")


if __name__ == "__main__":
    main()
