"""Every example runs on a town, as does what docs/cluster.md prints for one machine and for Slurm."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import tuile
from conftest import ROOT, run_tuile
from test_processor import outputs

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run(script, *arguments, **options):
    return subprocess.run([sys.executable, script, *map(str, arguments)], capture_output=True, text=True, timeout=600, **options)


def test_there_are_five():
    assert [path.name[:2] for path in EXAMPLES] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_runs(example, town, tiles, tmp_path):
    if "dask" in example.name:
        pytest.importorskip("distributed")
    ran = run(example, town / "tiles", tmp_path)
    assert ran.returncode == 0, ran.stderr
    made = sorted(tmp_path.glob("*.npz"))
    assert [path.stem for path in made] == [tile.stem for tile in (tiles[:1] if "one_tile" in example.name else tiles)]
    for path, tile in zip(made, tiles):
        points = tuile.info(tile)["points"]
        with np.load(path) as arrays:
            wanted = arrays["features"] if "features" in arrays else arrays["planarity"]
            assert len(wanted) == points and np.isfinite(wanted).any()
    assert "--help" in run(example, "--help").stdout


def test_what_the_first_example_computes_is_the_command_lines(town, tiles, tmp_path):
    """Its three columns, halo and all, bit for bit."""
    names = ["planarity", "verticality", "height_above_ground"]
    assert run(ROOT / "examples/01_one_tile_features.py", town / "tiles", tmp_path / "example").returncode == 0
    run_tuile("process", town / "tiles", "-o", tmp_path / "line", "--features", ",".join(names))
    ours, line = (np.load(tmp_path / folder / f"{tiles[0].stem}.npz") for folder in ("example", "line"))
    for column, name in enumerate(names):
        np.testing.assert_array_equal(ours[name], line["features"][:, column])


def test_the_types_of_the_examples_are_sound(tmp_path):
    if shutil.which("mypy") is None:
        pytest.skip("mypy is not installed")
    sources = ROOT / "python"
    (tmp_path / "mypy.ini").write_text("[mypy]\n[mypy-torch.*,distributed.*,dask.*]\nfollow_imports = skip\n")  # half a minute of others' code
    command = ["mypy", "--config-file", tmp_path / "mypy.ini", "--strict", "--allow-any-generics", "--allow-untyped-calls",
               "--cache-dir", tmp_path, *EXAMPLES]
    checked = subprocess.run(command, capture_output=True, text=True,
                             env={**os.environ, "MYPYPATH": str(sources), "PYTHONPATH": ""})
    complaints = [line for line in checked.stdout.splitlines() if line.startswith(("examples", str(ROOT / "examples")))]
    assert complaints == [] and checked.returncode in (0, 1), checked.stdout + checked.stderr


def documented(language, containing):
    page = (ROOT / "docs/cluster.md").read_text()
    (script,) = [block for block in re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL) if containing in block]
    return script


def test_the_documented_script_for_one_machine(town, tmp_path):
    pytest.importorskip("distributed")
    (tmp_path / "run.yaml").write_text("features: {set: minimal}\n")
    script = tmp_path / "script.py"
    script.write_text(documented("python", "LocalCluster").replace('threads_per_worker=8, memory_limit="16GiB"',
                                                                   'threads_per_worker=1, memory_limit="2GiB", dashboard_address=":0"'))
    ran = run(script, town / "tiles", tmp_path / "out", cwd=tmp_path)
    assert ran.returncode == 0 and "4 of 4 tiles done" in ran.stdout, ran.stderr
    run_tuile("process", town / "tiles", "-o", tmp_path / "line", "-c", tmp_path / "run.yaml")
    assert outputs(tmp_path / "out") == outputs(tmp_path / "line")


def test_the_documented_scripts_compile():
    page = (ROOT / "docs/cluster.md").read_text()
    for script in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        compile(script, "docs/cluster.md", "exec")


def test_the_documented_slurm_array(town, tiles, tmp_path):
    """With stand-ins for Slurm: `srun` runs the command, the array's variables are set by hand, one tile is damaged."""
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "srun").write_text('#!/bin/bash\nexec "$@"\n')
    (commands / "srun").chmod(0o755)
    (commands / "tuile").symlink_to(pathlib.Path(os.environ["TUILE_BINARY"]).resolve())
    (tmp_path / "run.yaml").write_text("features: {set: minimal}\n")
    (tmp_path / "array.sh").write_text(documented("bash", "--array"))
    shutil.copytree(town / "tiles", tmp_path / "tiles")
    (tmp_path / "tiles/broken.laz").write_bytes(tiles[0].read_bytes()[:100])
    for index in range(3):
        ran = subprocess.run(["bash", "array.sh", tmp_path / "tiles", tmp_path / "out"], cwd=tmp_path, capture_output=True, text=True,
                             env={**os.environ, "PATH": f"{commands}:{os.environ['PATH']}", "SLURM_CPUS_PER_TASK": "1",
                                  "SLURM_ARRAY_TASK_ID": str(index), "SLURM_ARRAY_TASK_COUNT": "3"})
        assert ran.returncode == 0, ran.stderr
    run_tuile("process", tmp_path / "tiles", "-o", tmp_path / "line", "-c", tmp_path / "run.yaml", check=False)
    assert outputs(tmp_path / "out") == outputs(tmp_path / "line") and len(outputs(tmp_path / "out")) == 8
    assert len(list((tmp_path / "out").glob("run-*.json"))) == 3


def test_the_installed_package_is_whole(tmp_path):
    build = pathlib.Path(os.environ.get("TUILE_BINARY", ROOT / "build/default/bin/tuile")).resolve().parents[1]
    if not (build / "cmake_install.cmake").exists():
        pytest.skip("the command line tested is not that of a build tree")
    subprocess.run(["cmake", "--install", build, "--component", "python", "--prefix", tmp_path], check=True, capture_output=True)
    (package,) = tmp_path.glob("lib/python3*/site-packages/tuile")
    sources = {path.name for path in (ROOT / "python/tuile").iterdir() if path.is_file()}
    installed = {path.name for path in package.iterdir()}
    assert sources <= installed and {"py.typed", "_core.pyi"} <= installed
    assert [name for name in installed - sources if not re.fullmatch(r"_core\..*\.so", name)] == []
    ran = subprocess.run([sys.executable, "-c", "import tuile; print(tuile.__version__, tuile.__file__)"], capture_output=True, text=True,
                         env={**os.environ, "PYTHONPATH": str(package.parent)})
    version = re.search(r"project\(tuile VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert ran.stdout.split() == [version, str(package / "__init__.py")], ran.stderr
