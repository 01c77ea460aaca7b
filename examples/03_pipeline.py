"""The same with a pipeline: your function is called with each tile, in order, while the next ones load. A tile that fails is told apart.

    python examples/03_pipeline.py TILES_DIR OUT [--ground-truth]
"""
import argparse
from pathlib import Path
from typing import Any, Dict

import numpy as np

from tuile import AsyncPipeline, GPUProcessor, TileError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tiles", type=Path, help="folder of .laz and .las files")
    parser.add_argument("out", type=Path, help="folder for the .npz files")
    parser.add_argument("--ground-truth", action="store_true", help="fetch buildings, roads, water … of each tile from IGN's WFS")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    gpu_processor = GPUProcessor(enable_memory_pooling=True)

    def process_tile(tile_data: Any, ground_truth: Any) -> Dict[str, np.ndarray]:
        features = gpu_processor.compute_features(tile_data, k=20)
        if ground_truth is not None:
            features["classification"] = tile_data.classification
        return features

    tile_paths = sorted(arguments.tiles.glob("*.la[sz]"))
    with AsyncPipeline(num_workers=2, enable_wfs=arguments.ground_truth, show_progress=True) as pipeline:
        results = pipeline.process_tiles(tile_paths=tile_paths, processor_func=process_tile, fetch_ground_truth=arguments.ground_truth)

    for path, result in zip(tile_paths, results):
        if isinstance(result, TileError):
            print(f"failed: {result}")
        else:
            np.savez(arguments.out / f"{path.stem}.npz", **result)


if __name__ == "__main__":
    main()
