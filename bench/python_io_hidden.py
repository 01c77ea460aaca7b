"""Share of the loading that a Python processor_func of 0.5 s a tile hides. On a quiet machine: python_io_hidden.py FOLDER_OF_TILES"""
import pathlib
import sys
import time
from typing import Any, Dict, List

import tuile


def main() -> None:
    tiles = sorted(pathlib.Path(sys.argv[1]).glob("*.laz"))
    first: List[Dict[str, Any]] = []
    with tuile.AsyncPipeline(num_workers=2, enable_wfs=False) as pipeline:

        def work(tile: tuile.TilePoints, truth: object) -> None:
            if not first:
                first.append(pipeline.get_stats())
            time.sleep(0.5)

        pipeline.process_tiles(tiles, work)
        stats = pipeline.get_stats()
    waited, loading = (stats[name] - first[0][name] for name in ("wait_seconds", "io_seconds"))
    print(f"{len(tiles)} tiles, io_hidden_ratio {stats['io_hidden_ratio']:.4f}")
    print(f"first tile waited for {1e3 * first[0]['wait_seconds']:.1f} ms; without it {1 - waited / loading:.4f}")


if __name__ == "__main__":
    main()
