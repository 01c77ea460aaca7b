"""What the tests of the package share: a synthetic town, the real data where they are, the command line as the oracle."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run_tuile(*arguments, check=True, **options):
    """Runs the command line; its standard output and error are in the result as text."""
    binary = os.environ.get("TUILE_BINARY", str(ROOT / "build/default/bin/tuile"))
    result = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"tuile {' '.join(map(str, arguments))} ended with {result.returncode}:\n{result.stderr}")
    return result


@pytest.fixture(scope="session")
def town(tmp_path_factory):
    """A folder with a town of 2 x 2 tiles of 60 m: tiles/*.laz, bdtopo.gpkg and orthophotos. Not to be written to."""
    folder = tmp_path_factory.mktemp("town")
    run_tuile("synth", "-o", folder, "--tiles", "2x2", "--size", "60", "--density", "8", "--seed", "5")
    return folder


@pytest.fixture(scope="session")
def tiles(town):
    """The tiles of the town, sorted."""
    return sorted((town / "tiles").glob("*.laz"))


@pytest.fixture(scope="session")
def data():
    """The folder of real data; the test is skipped where there is none."""
    folder = pathlib.Path(os.environ.get("TUILE_TEST_DATA", ROOT.parent / "shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; TUILE_TEST_DATA names the folder")
    return folder
