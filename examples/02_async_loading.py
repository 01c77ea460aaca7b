"""Tiles one after the other, each loaded while the one before it is worked on.

    python examples/02_async_loading.py TILES_DIR OUT [--ground-truth]
"""
import argparse
from pathlib import Path
from typing import Dict

import numpy as np

from tuile import AsyncTileLoader, GPUProcessor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tiles", type=Path, help="folder of .laz and .las files")
    parser.add_argument("out", type=Path, help="folder for the .npz files")
    parser.add_argument("--ground-truth", action="store_true", help="fetch buildings, roads, water … of each tile from IGN's WFS")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    def save_features(path: Path, features: Dict[str, np.ndarray]) -> None:
        np.savez(arguments.out / f"{path.stem}.npz", **features)

    gpu_processor = GPUProcessor()  # where there is no GPU it says so, and computes the same on the CPU
    loader = AsyncTileLoader(num_workers=2, enable_wfs=arguments.ground_truth, cache_size=3, show_progress=True)
    tile_paths = sorted(arguments.tiles.glob("*.la[sz]"))

    loader.preload_tile(tile_paths[0])
    for i, tile_path in enumerate(tile_paths):
        if i + 1 < len(tile_paths):
            loader.preload_tile(tile_paths[i + 1])
        tile_data, ground_truth = loader.get_tile(tile_path)
        features = gpu_processor.compute_features(tile_data.points, k=20)
        save_features(tile_path, features)

    loader.print_stats()
    loader.shutdown()


if __name__ == "__main__":
    main()
