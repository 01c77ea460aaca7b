"""tuile.torch.TileDataset: each point once an epoch, the same order for the same seed, the command line's features and labels."""
import collections
import gc
import itertools
import multiprocessing
import os
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest

import tuile
from conftest import run_tuile
from leaks import SPARE_THREADS, grown, refused, resident, threads

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from tuile.torch import IGNORED, TileDataset, collate_concat, collate_list  # noqa: E402



@pytest.fixture(scope="module")
def config(town):
    return tuile.Config(features={"k": 12}, ground_truth={"source": str(town / "bdtopo.gpkg")}, preprocess={"exclude_classes": [6, 65, 66]})


@pytest.fixture(scope="module")
def expected(town, config, tmp_path_factory):
    """The arrays that the command line writes, by the tile's name."""
    folder = tmp_path_factory.mktemp("expected")
    (folder / "c.yaml").write_text(config.to_yaml())
    run_tuile("process", town / "tiles", "-o", folder, "-c", folder / "c.yaml")
    return {path.stem: dict(np.load(path)) for path in folder.glob("*.npz")}


@pytest.fixture(scope="module")
def workers():
    """Options of a DataLoader with two workers: this process has used tuile, and must not be forked."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tuile.torch"])
    return {"num_workers": 2, "multiprocessing_context": context}


def visits(samples):
    """(tile, row) of every point that is no repeat, in order."""
    seen = []
    for sample in samples:
        info = sample[-1]
        seen.extend(zip(itertools.repeat(info["tile"]), info["index"][:info["count"]].tolist()))
    return seen


def samples_of(dataset, **options):
    return list(DataLoader(dataset, batch_size=None, **options))


def every_valid_point(expected):
    return {(name, row) for name, arrays in expected.items() for row in np.flatnonzero(arrays["valid"]).tolist()}


def orders(samples):
    """What tells the order of samples, and their contents."""
    return [(sample[-1]["tile"], tuple(sample[-1]["index"][:40].tolist()), sample[-1]["count"]) for sample in samples]


def check_samples(samples, expected):
    for points, features, labels, info in samples:
        arrays, rows = expected[info["tile"]], info["index"].numpy()
        assert points.dtype == torch.float32 and features.dtype == torch.float32 and labels.dtype == torch.int64
        assert features.numpy().tobytes() == arrays["features"][rows].tobytes()
        assert np.array_equal(labels.numpy(), arrays["labels"][rows])
        absolute = arrays["origin"] + arrays["xyz"][rows].astype(float)
        assert np.abs(points.numpy().astype(float) + info["origin"].numpy() - absolute).max() < 2e-5
        assert np.abs(points.numpy()).max() < 100 and points[:, 2].min() >= 0


KINDS = {"blocks": {"block_points": 1500}, "patches": {"patch_size": 17.5}, "fixed patches": {"patch_size": 25, "points": 700}}


@pytest.mark.parametrize("kind", KINDS)
def test_two_epochs_give_each_point_once(town, config, expected, workers, kind):
    wanted = every_valid_point(expected)
    dataset = TileDataset(town / "tiles", config, shuffle=True, window=20, seed=3, include_index=True, **KINDS[kind])
    for options in ({}, workers):
        epochs = []
        for epoch in (0, 1):
            dataset.set_epoch(epoch)
            samples = samples_of(dataset, **options)
            seen = visits(samples)
            assert len(seen) == len(set(seen)) == len(wanted) and set(seen) == wanted
            check_samples(samples, expected)
            epochs.append(orders(samples))
        assert epochs[0] != epochs[1]
        dataset.set_epoch(0)
        assert orders(samples_of(dataset, **options)) == epochs[0]
        other = TileDataset(town / "tiles", config, shuffle=True, window=20, seed=4, include_index=True, **KINDS[kind])
        assert orders(samples_of(other, **options)) != epochs[0]


def test_the_shuffle_mixes_tiles_and_misses_none(town, config):
    ordered = TileDataset(town / "tiles", config, block_points=500, include_index=True)
    mixed = TileDataset(town / "tiles", config, block_points=500, include_index=True, shuffle=True, window=100_000)
    first, second = list(ordered), list(mixed)
    assert sorted(orders(first)) == sorted(orders(second)) and orders(first) != orders(second)

    def changes(samples):
        tiles = [sample[-1]["tile"] for sample in samples]
        return sum(a != b for a, b in zip(tiles, tiles[1:]))

    assert changes(first) == 3 and changes(second) > len(second) / 2


def test_blocks_are_compact_and_even(town, config, expected):
    sizes = collections.defaultdict(list)
    for points, *_, info in TileDataset(town / "tiles", config, block_points=1000, include_index=True):
        sizes[info["tile"]].append(len(points))
        width, depth = points[:, :2].max(0).values - points[:, :2].min(0).values
        assert width * depth < 6 * 60 * 60 * 1000 / expected[info["tile"]]["valid"].sum()
        assert abs(points[:, 0].max() + points[:, 0].min()) < 0.021
    for name, counts in sizes.items():
        assert max(counts) <= 1000 and max(counts) - min(counts) <= 1
        assert len(counts) == -(-expected[name]["valid"].sum() // 1000)


def test_patches_are_squares_from_coordinate_0(town, config, expected):
    side = 17.5
    cells = set()
    for points, *_, info in TileDataset(town / "tiles", config, patch_size=side, include_index=True):
        arrays = expected[info["tile"]]
        absolute = np.round(arrays["origin"] + arrays["xyz"].astype(float), 2)
        mine = np.floor(absolute[:, :2] / side + 1e-9).astype(int)
        cell = tuple(np.floor(info["origin"].numpy()[:2] / side).astype(int))
        inside = np.flatnonzero((mine == cell).all(axis=1) & arrays["valid"])
        assert np.array_equal(info["index"].numpy(), inside) and info["count"] == len(inside) == len(points)
        assert (info["tile"], cell) not in cells
        cells.add((info["tile"], cell))
        assert points[:, :2].abs().max() <= side / 2 + 0.011


def test_samples_of_a_patch_together_cover_it(town, config):
    whole = {(s[-1]["tile"], tuple(s[-1]["origin"].tolist())): set(s[-1]["index"].tolist())
             for s in TileDataset(town / "tiles", config, patch_size=25, include_index=True)}
    parts = collections.defaultdict(list)
    for sample in TileDataset(town / "tiles", config, patch_size=25, points=700, include_index=True):
        info = sample[-1]
        rows = info["index"].tolist()
        assert len(rows) == 700 and sample[0].shape == (700, 3)
        patch = whole[info["tile"], tuple(info["origin"].tolist())]
        assert set(rows) <= patch
        # No repeat of a point of the same sample, but where it is the patch's only one.
        if len(patch) >= 700:
            assert len(set(rows)) == 700
        parts[info["tile"], tuple(info["origin"].tolist())].append(rows[:info["count"]])
    assert parts.keys() == whole.keys()
    for patch, samples in parts.items():
        covered = list(itertools.chain(*samples))
        assert len(covered) == len(set(covered)) and set(covered) == whole[patch]
        assert len(samples) == -(-len(covered) // 700) and all(len(rows) == 700 for rows in samples[:-1])


def test_ranks_are_disjoint_and_complete(town, config, expected, workers):
    wanted = every_valid_point(expected)
    for world_size in (2, 3, 6):
        datasets = [TileDataset(town / "tiles", config, rank=rank, world_size=world_size, include_index=True) for rank in range(world_size)]
        seen = [visits(dataset) for dataset in datasets]
        assert sum(map(len, seen)) == len(wanted) and set().union(*seen) == wanted
    # Two workers of one rank have different tiles, too.
    datasets = [TileDataset(town / "tiles", config, rank=rank, world_size=2, include_index=True) for rank in (0, 1)]
    parts = [visits(samples_of(dataset, **workers)) for dataset in datasets]
    assert len(parts[0]) + len(parts[1]) == len(wanted) and set(parts[0]) | set(parts[1]) == wanted


def test_batches_by_default_collate(town, config, expected, workers):
    dataset = TileDataset(town / "tiles", config, patch_size=25, points=512, shuffle=True, features=["planarity", "height_above_ground"])
    assert dataset.feature_names == ["planarity", "height_above_ground"]
    for options in ({}, workers):
        batches = list(DataLoader(dataset, batch_size=4, drop_last=True, **options))
        assert len(batches) > 10
        for points, features, labels in batches:
            assert points.shape == (4, 512, 3) and features.shape == (4, 512, 2) and labels.shape == (4, 512)
            assert labels.dtype == torch.int64 and not torch.isnan(features[..., 0]).any()


def test_batches_of_samples_of_their_own_size(town, config, expected):
    dataset = TileDataset(town / "tiles", config, patch_size=20, include_index=True)
    singles = list(dataset)
    lists = list(DataLoader(dataset, batch_size=5, collate_fn=collate_list))
    joined = list(DataLoader(dataset, batch_size=5, collate_fn=collate_concat))
    assert len(lists) == len(joined) == -(-len(singles) // 5)
    for number, (of_lists, (points, features, labels, info, batch)) in enumerate(zip(lists, joined)):
        own = singles[5 * number:5 * number + 5]
        assert torch.equal(points, torch.cat([s[0] for s in own])) and torch.equal(labels, torch.cat([s[2] for s in own]))
        assert features.numpy().tobytes() == torch.cat([s[1] for s in own]).numpy().tobytes()
        assert batch.tolist() == [i for i, s in enumerate(own) for _ in range(len(s[0]))]
        assert info["tile"] == [s[-1]["tile"] for s in own] and info["origin"].shape == (len(own), 3)
        assert torch.equal(info["index"], torch.cat([s[-1]["index"] for s in own])) and info["count"].tolist() == [len(s[0]) for s in own]
        assert [tuple(p.shape) for p in of_lists[0]] == [tuple(s[0].shape) for s in own] and len(of_lists) == 4
    with pytest.raises(tuile.InvalidArgument, match="no samples"):
        collate_concat([])


def test_labels(town, config, expected):
    plain = {"features.set": "minimal"}
    for dataset in (TileDataset(town / "tiles", config, labels="classification", include_index=True),
                    TileDataset(town / "tiles", plain, include_index=True)):
        for _, _, labels, info in dataset:
            assert np.array_equal(labels.numpy(), expected[info["tile"]]["classification"][info["index"].numpy()])
    assert {len(sample) for sample in TileDataset(town / "tiles", plain, labels=False)} == {2}
    classes = [6, 2, 5]
    for _, _, labels, info in TileDataset(town / "tiles", config, classes=classes, include_index=True):
        codes = expected[info["tile"]]["labels"][info["index"].numpy()]
        wanted = np.array([classes.index(code) if code in classes else IGNORED for code in codes])
        assert np.array_equal(labels.numpy(), wanted)


def test_excluded_points_where_wanted(town, config, expected):
    seen = visits(TileDataset(town / "tiles", config, keep_excluded=True, include_index=True))
    assert len(seen) == len(set(seen)) == sum(len(arrays["valid"]) for arrays in expected.values()) > len(every_valid_point(expected))


def test_small_samples_left_out(town, config):
    counts = [len(sample[0]) for sample in TileDataset(town / "tiles", config, patch_size=13, min_points=1)]
    kept = [len(sample[0]) for sample in TileDataset(town / "tiles", config, patch_size=13, min_points=200)]
    assert kept == [count for count in counts if count >= 200] and len(kept) < len(counts)


def test_a_box(town, config, expected):
    name = min(expected)
    x, y = (expected[name]["origin"] + expected[name]["xyz"].astype(float))[:, :2].mean(axis=0)
    seen = visits(TileDataset(town / "tiles", config, bbox=(x - 5, y - 5, x + 5, y + 5), include_index=True))
    absolute = expected[name]["origin"] + expected[name]["xyz"].astype(float)
    inside = (np.abs(absolute[:, :2] - [x, y]) <= 5).all(axis=1) & expected[name]["valid"]
    assert set(seen) == {(name, row) for row in np.flatnonzero(inside).tolist()}


def double(sample):
    return sample[0] * 2


def test_transform_and_pickle(town, config):
    dataset = TileDataset(town / "tiles", config, transform=double, block_points=4000, shuffle=True, seed=5)
    plain = TileDataset(town / "tiles", config, block_points=4000, shuffle=True, seed=5)
    again = pickle.loads(pickle.dumps(dataset))
    for wanted, got, copied in zip(plain, dataset, again):
        assert torch.equal(wanted[0] * 2, got) and torch.equal(got, copied)
    dataset.set_epoch(7)
    assert int(pickle.loads(pickle.dumps(dataset))._epoch) == 7 and int(again._epoch) == 0


def test_workers_that_live_on_hear_of_the_epoch(town, config, workers):
    dataset = TileDataset(town / "tiles", config, include_index=True, shuffle=True)
    loader = DataLoader(dataset, batch_size=None, persistent_workers=True, **workers)
    epochs = []
    for epoch in (0, 1, 0):
        dataset.set_epoch(epoch)
        epochs.append(orders(loader))
    assert epochs[0] == epochs[2] != epochs[1]


def test_samples_own_their_memory(town, config):
    samples = [sample for sample in TileDataset(town / "tiles", config, block_points=2000)]
    for points, features, labels in samples:
        assert points.storage().size() == 3 * len(points) and features.storage().size() == features.numel()
        features += 1  # writable, and nobody else's


def test_failed_tiles(town, tiles, tmp_path, caplog):
    os.symlink(tiles[0], tmp_path / "good.laz")
    (tmp_path / "bad.laz").write_text("no tile")
    with pytest.raises(tuile.TileError, match="bad.laz"):
        list(TileDataset(tmp_path, {"features.set": "minimal"}))
    names = {sample[-1]["tile"] for sample in TileDataset(tmp_path, {"features.set": "minimal"}, include_index=True, on_error="skip")}
    assert names == {"good"} and any("bad.laz" in record.message for record in caplog.records)


def test_tiles_whose_ground_truth_cannot_be_had(town, caplog):
    nobody = {"features.set": "minimal", "ground_truth": {"source": "wfs", "on_failure": "unlabelled", "cache": {"disk": None},
                                                          "wfs": {"url": "http://127.0.0.1:9/wfs", "retries": 0}}}
    with pytest.raises(tuile.TileError, match="ground truth cannot be had"):
        list(TileDataset(town / "tiles", nobody))
    assert list(TileDataset(town / "tiles", nobody, on_error="skip")) == []
    assert sum("ground truth cannot be had" in record.message for record in caplog.records) == 4
    assert len(list(TileDataset(town / "tiles", nobody, labels="classification"))) > 0


def test_bad_arguments(town):
    def dataset(**options):
        return lambda: TileDataset(town / "tiles", **options)

    good, nothing = TileDataset(town / "tiles"), TileDataset(town / "nothing")
    cases = [(dataset(points=5), tuile.InvalidArgument, "without patch_size"),
             (dataset(patch_size=-1), tuile.InvalidArgument, "patch_size is -1"),
             (dataset(patch_size="2"), TypeError, "patch_size is '2'"),
             (dataset(patch_size=float("nan")), tuile.InvalidArgument, "nan"),
             (dataset(patch_size=1e-9), tuile.InvalidArgument, "0.01"),
             (dataset(block_points=0), tuile.InvalidArgument, "block_points is 0"),
             (dataset(block_points=2.5), TypeError, "2.5"),
             (dataset(window=0), tuile.InvalidArgument, "window is 0"),
             (dataset(seed=-1), tuile.InvalidArgument, "seed is -1"),
             (dataset(rank=1), tuile.InvalidArgument, "world_size is None"),
             (dataset(rank=2, world_size=2), tuile.InvalidArgument, "2 of 2; 0 to 1"),
             (dataset(labels="all"), tuile.InvalidArgument, "'all'"),
             (dataset(labels="truth"), tuile.InvalidArgument, "ground_truth.source"),
             (dataset(labels=1), tuile.InvalidArgument, "labels is 1"),
             (dataset(classes=[]), tuile.InvalidArgument, "empty"),
             (dataset(classes=[2, 2]), tuile.InvalidArgument, "2 twice"),
             (dataset(classes=[300]), tuile.InvalidArgument, "300"),
             (dataset(classes=["a"]), TypeError, "'a'"),
             (dataset(classes=3), TypeError, "in a list"),
             (dataset(transform=3), TypeError, "type int"),
             (dataset(on_error="yield"), tuile.InvalidArgument, "'yield'"),
             (dataset(features=["planarty"]), tuile.ConfigError, "planarity"),
             (dataset(features=3), TypeError, "type int"),
             (dataset(config={"features.missing": "drop"}), tuile.InvalidArgument, "'drop'"),
             (dataset(config={"kk": 3}), tuile.ConfigError, "kk"),
             (lambda: TileDataset([]), tuile.InvalidArgument, "no paths"),
             (lambda: good.set_epoch(-1), tuile.InvalidArgument, "epoch is -1"),
             (lambda: next(iter(nothing)), tuile.ConfigError, "nothing")]
    for case in cases:
        refused(*case)


def test_a_thousand_short_iterations_leave_nothing(tiles):
    dataset = TileDataset(tiles[0], {"features.set": ["z"], "halo": 0, "prefetch.workers": 1}, shuffle=True, window=2)

    def short(number):
        for sample in dataset:
            assert len(sample[0]) > 0
            if number % 2:
                break
            iterator = iter(dataset)
            next(iterator)
            del iterator
            return

    for number in range(100):
        short(number)
    gc.collect()
    memory, running = resident(), threads()
    for number in range(1000):
        short(number)
    gc.collect()
    assert grown(memory) < 50 << 20 and threads() <= running + SPARE_THREADS


def test_an_interrupted_epoch_leaves_no_process(town, config, workers):
    for _ in DataLoader(TileDataset(town / "tiles", config, block_points=300), batch_size=None, **workers):
        break
    gc.collect()
    end = time.monotonic() + 120
    while multiprocessing.active_children() and time.monotonic() < end:
        time.sleep(0.05)
    assert multiprocessing.active_children() == []


def in_a_process(code, *arguments, **options):
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=600, **options)


def test_forked_workers_where_the_parent_has_not_used_tuile(town):
    code = """
import sys
from torch.utils.data import DataLoader
import tuile
from tuile.torch import TileDataset
dataset = TileDataset(sys.argv[1], {"features.set": "minimal"}, shuffle=True)
for epoch in (0, 1):
    dataset.set_epoch(epoch)
    loader = DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context="fork")
    print(sum(len(points) for points, _, _ in loader))
print(sum(len(points) for points, _, _ in dataset))
try:
    list(loader)
except tuile.Unsupported as error:
    print("forkserver" in str(error))
"""
    result = in_a_process(code, town / "tiles")
    lines = result.stdout.split()
    assert len(lines) == 4 and lines[0] == lines[1] == lines[2] and int(lines[0]) > 10_000 and lines[3] == "True", result.stderr


def test_ranks_of_torch_distributed_reach_spawned_workers(town, expected, tmp_path):
    (tmp_path / "rank.py").write_text("""
import sys
import torch.distributed
from torch.utils.data import DataLoader
from tuile.torch import TileDataset

if __name__ == "__main__":
    rank, tiles, meeting = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    dataset = TileDataset(tiles, {"features.set": "minimal"}, include_index=True)
    torch.distributed.init_process_group("gloo", init_method="file://" + meeting, rank=rank, world_size=2)
    loader = DataLoader(dataset, batch_size=None, num_workers=1, multiprocessing_context="spawn")
    print(*sorted({sample[-1]["tile"] for sample in loader}))
    torch.distributed.barrier()
""")
    ranks = [subprocess.Popen([sys.executable, tmp_path / "rank.py", str(rank), town / "tiles", tmp_path / "meeting"], text=True,
                              stdout=subprocess.PIPE) for rank in (0, 1)]
    names = [rank.communicate(timeout=600)[0].split() for rank in ranks]
    assert len(names[0]) == len(names[1]) == 2 and set(names[0]) | set(names[1]) == set(expected)


def test_without_torch_the_error_names_it():
    code = """
import sys
import tuile
assert "torch" not in sys.modules
sys.modules["torch"] = None
try:
    tuile.torch
except ImportError as error:
    print(error)
"""
    result = in_a_process(code)
    assert "needs the package torch" in result.stdout and "python3-torch" in result.stdout, result.stderr
