"""The same on a Dask cluster: here one of processes on this machine, or the one whose scheduler is named. docs/cluster.md has others.

    python examples/05_dask_cluster.py TILES_DIR OUT [--scheduler tcp://host:8786] [--group-size 16]
"""
import argparse
import sys
from pathlib import Path

from distributed import Client

import tuile.dask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tiles", type=Path, help="folder that is searched for .laz and .las files; all workers see it")
    parser.add_argument("out", type=Path, help="folder for the outputs; all workers see it")
    parser.add_argument("--scheduler", help="address of a cluster's scheduler")
    parser.add_argument("--group-size", type=int, default=4, help="neighbouring tiles in one task")
    arguments = parser.parse_args()

    client = None
    if arguments.scheduler:
        client = Client(arguments.scheduler)
    summary = tuile.dask.process(arguments.tiles, {"features.set": "lod2"}, client, output=arguments.out, group_size=arguments.group_size)
    print(summary)
    sys.exit(1 if summary.failed else 0)


if __name__ == "__main__":  # the workers' processes import this file
    main()
