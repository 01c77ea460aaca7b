"""A whole folder, as `tuile process` does it: features with halos, labels, sidecars; what is done already is skipped.

    python examples/04_process_directory.py TILES_DIR OUT [--config run.yaml] [--ground-truth bdtopo.gpkg]
"""
import argparse
import sys
from pathlib import Path

from tuile import Config, LiDARProcessor, verify


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tiles", type=Path, help="folder that is searched for .laz and .las files")
    parser.add_argument("out", type=Path, help="folder for the outputs")
    parser.add_argument("--config", type=Path, help="YAML file (docs/configuration.md)")
    parser.add_argument("--ground-truth", default="none", help="vector file with BD TOPO's layers, or 'wfs'")
    arguments = parser.parse_args()

    config = Config(arguments.config, settings={"ground_truth.source": arguments.ground_truth})
    processor = LiDARProcessor(config=config, enable_async_io=True, async_workers=2, enable_batch_processing=True)
    summary = processor.process_directory(input_dir=arguments.tiles, output_dir=arguments.out, skip_existing=True)
    print(summary)
    print("every file is sound" if verify(arguments.out)["ok"] else "tuile verify tells what is damaged")
    sys.exit(1 if summary.failed else 0)


if __name__ == "__main__":
    main()
