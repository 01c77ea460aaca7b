"""One tile in a notebook's way: read it, compute features with its neighbours' points at the border, look at them, keep them.

    python examples/01_one_tile_features.py TILES_DIR OUT
"""
import argparse
from pathlib import Path

import numpy as np

import tuile

HALO = 10.0  # metres


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tiles", type=Path, help="folder of .laz and .las files; the first one is taken")
    parser.add_argument("out", type=Path, help="folder for the .npz file")
    arguments = parser.parse_args()

    path, *others = sorted(arguments.tiles.glob("*.la[sz]"))
    x0, y0, x1, y1 = tuile.info(path)["bounds"]
    around = (x0 - HALO, y0 - HALO, x1 + HALO, y1 + HALO)
    tile = tuile.read(path)
    halo = [tuile.read(other, bbox=around) for other in others if touches(tuile.info(other)["bounds"], around)]
    print(f"{path.name}: {len(tile)} points, EPSG {tile.crs}, {len(halo)} neighbours")

    features = tuile.FeatureProcessor().compute_features(tile, k=20, names=["planarity", "verticality", "height_above_ground"], halo=halo)

    classes = np.zeros(len(tile), np.uint8) if tile.classification is None else tile.classification
    for code in np.unique(classes):
        rows = classes == code
        means = ", ".join(f"{name} {np.nanmean(column[rows]):.2f}" for name, column in features.items() if not np.isnan(column[rows]).all())
        print(f"  class {code:3}: {rows.sum():8} points; on average {means}")

    arguments.out.mkdir(parents=True, exist_ok=True)
    np.savez(arguments.out / f"{path.stem}.npz", xyz=tile.xyz, origin=tile.origin, **features)


def touches(a: "tuple[float, ...]", b: "tuple[float, ...]") -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


if __name__ == "__main__":
    main()
