"""The Python of the README runs as written, each block a script of its own."""
import importlib.util
import os
import re
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT, run_tuile

BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(town, tiles, tmp_path_factory):
    """A folder with all that the README speaks of."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(town / "tiles", folder / "tiles")
    shutil.copy(town / "bdtopo.gpkg", folder / "bdtopo.gpkg")
    shutil.copy(tiles[0], folder / "tile.laz")
    shutil.copy(tiles[0], folder / "town_0_0.laz")
    (folder / "run.yaml").write_text("features: {set: [planarity]}\n")
    run_tuile("process", folder / "town_0_0.laz", "-o", folder / "demo/out", "--ground-truth", folder / "bdtopo.gpkg")
    return folder


def test_there_are_blocks():
    assert len(BLOCKS) >= 2 and any("tuile.read" in block for block in BLOCKS)
    assert all(len(line) <= 120 for block in BLOCKS for line in block.splitlines())


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_it_runs_as_written(block, folder):
    for module in ("torch", "distributed"):
        if re.search(rf"\b(import|from) {module}\b|tuile\.{module}\b", block) and importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: this block of the README was not run")
    script = folder / "script.py"
    script.write_text(block, encoding="utf-8")
    ran = subprocess.run([sys.executable, script], cwd=folder, env=dict(os.environ), capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr


def test_what_it_writes_is_there(folder):
    assert (folder / "out.laz").is_file() and len(list((folder / "out").glob("*.npz"))) == 4
