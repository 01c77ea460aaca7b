"""Datasets for PyTorch that stream from LAZ tiles: features are computed while the model trains, with no files between.

Needs the package torch; nothing else in tuile does.
"""
import logging
import os
import zlib
from contextlib import closing
from typing import Any, Callable, Dict, Generator, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

try:
    import torch
    from torch.utils.data import IterableDataset, get_worker_info
except ImportError as error:
    raise ImportError(f"tuile.torch needs the package torch (pip install torch; Debian: python3-torch), and: {error}") from error

from . import _core, _validate
from ._validate import Paths
from .config import Config, PathLike
from .errors import InvalidArgument
from .feature_processor import Names
from .stream import stream
from .summary import FailedTile

_log = logging.getLogger("tuile")

#: Label of points whose class is none of ``classes``: what torch's losses leave out (their ``ignore_index``).
IGNORED = -100

Sample = Tuple[Any, ...]


class _Rows(NamedTuple):
    """A sample before it is gathered: rows of a tile, of which those from `fresh` on are repeats."""

    rows: "np.ndarray[Any, Any]"
    fresh: int
    origin: "np.ndarray[Any, Any]"


def _label_table(classes: Optional[List[int]]) -> "np.ndarray[Any, Any]":
    """(256,) int64: what every class becomes."""
    if classes is None:
        return np.arange(256)
    table = np.full(256, IGNORED, dtype=np.int64)
    for place, number in enumerate(classes):
        if table[number] != IGNORED:
            raise InvalidArgument(f"classes holds {number} twice")
        table[number] = place
    if (table == IGNORED).all():
        raise InvalidArgument("classes is empty; at least one class code is expected, or None for all")
    return table


class TileDataset(IterableDataset):  # type: ignore[type-arg]
    """Streams samples (points, features, labels) straight from LAZ tiles: tiles are loaded and computed ahead, in the background.

    A sample is a tuple of

    * points: (n, 3) float32, metres relative to the sample's origin (the middle of the block or the centre of the patch in x and y, its
      lowest point in z). Never absolute: Lambert-93 in float32 loses half a metre;
    * features: (n, F) float32, columns as ``feature_names``: what ``tuile process`` writes, bit for bit;
    * labels: (n,) int64, which torch's losses want (not with ``labels=False``);
    * with ``include_index`` a dict: ``index`` (n,) int64, the points' rows in the file; ``origin`` (3,) float64, absolute metres;
      ``count`` (int), rows from there on are repeats; ``tile`` (str), its output name.

    Samples are either **blocks**, spatially compact groups of at most ``block_points`` points whose sizes differ by one at the most within
    a tile, or with ``patch_size`` **patches**, squares anchored at coordinate 0 (whose part in another tile is a sample of that tile). With
    ``points=N`` every sample of a patch has exactly N points: a patch with more gives several samples, each a random part of the whole
    patch, which together hold every point once; the last is filled up by repeats of the patch's points (from row ``count`` on). So each
    valid point comes once an epoch, and none is lost, unless ``min_points`` says so.

    Every DataLoader worker of every rank has tiles of its own: shard ``rank * num_workers + worker`` of ``world_size * num_workers``, runs
    of neighbouring tiles. Ranks get about equally many tiles but not equally many samples: stop an epoch after a fixed number of batches,
    or use torch's ``Join``. Where there are fewer tiles than shards, some workers give nothing; with few large tiles use fewer workers:
    each tile is computed with all threads of its worker anyway. Threads and memory that the configuration leaves to ``auto`` are divided
    among the workers (and the ranks of this machine, of which the environment's LOCAL_WORLD_SIZE tells).

    The order depends on the inputs, ``seed``, the epoch (:meth:`set_epoch`) and the shards alone.

    Workers: ``fork``, torch's default on Linux, works as long as the parent has used none of tuile's threads (making a dataset uses none,
    iterating one does); afterwards workers raise Unsupported: give the DataLoader ``multiprocessing_context="forkserver"`` or ``"spawn"``,
    which work always, in a script whose own work stands below ``if __name__ == "__main__":``. The dataset can be pickled where ``transform`` can.

    Args:
        inputs: files, folders, globs, http(s) URLs or ``@list.txt``; None: what the configuration names as ``input``.
        config: a :class:`tuile.Config`, the path of a YAML file, or a mapping of settings (k, halo, ground truth, preprocessing …).
        features: names of columns, or one set ("minimal", "lod2", "asprs", "lod3", "full"); None: the configuration's.
        labels: "truth": from the configuration's ground truth; "classification": the file's own classes; True: truth where the
            configuration has some, else classification; False: none. A tile whose truth cannot be had counts as failed.
        classes: class codes in the order of the model's outputs: labels are places in it, IGNORED (-100) for other classes. None: labels
            are the codes.
        patch_size: side of the patches, metres; None: blocks.
        points: points of every sample of a patch; None: all points of the patch in one sample.
        block_points: most points in a block.
        min_points: samples with fewer different points are left out.
        shuffle: draws samples at random out of ``window`` of them; those of a tile enter it in random order. Otherwise they come tile by
            tile.
        window: samples held for the shuffle, by each worker: window * n * (12 + 4 F + 8) bytes. More than a tile has mixes tiles.
        seed: of all randomness, 0 or more.
        rank, world_size: this process among those that train together; None: as torch.distributed says where it is initialised, else alone.
        include_index: see above.
        keep_excluded: points that preprocessing leaves out (by default the classes 65 and 66) are in samples, too; their features are NaN.
        transform: called with every sample; what it returns is yielded.
        bbox: (x0, y0, x1, y1), metres: only points inside.
        ready: finished tiles that may wait for their turn, in each worker.
        on_error: "raise" a :class:`tuile.TileError` for a tile that fails, or "skip" it (logged by the logger "tuile").

    Raises:
        InvalidArgument, TypeError, ConfigError: an argument or key that is none.

    Example, a script:
        >>> import torch
        >>> from torch.utils.data import DataLoader
        >>> from tuile.torch import TileDataset
        >>>
        >>> def train():
        ...     dataset = TileDataset("tiles/", {"ground_truth.source": "bdtopo.gpkg"}, features="lod2", classes=[2, 3, 4, 5, 6],
        ...                           patch_size=25, points=8192, shuffle=True)
        ...     model = Network(3 + len(dataset.feature_names), len(dataset.classes)).cuda()
        ...     optimizer = torch.optim.AdamW(model.parameters())
        ...     criterion = torch.nn.CrossEntropyLoss()            # leaves out IGNORED
        ...     loader = DataLoader(dataset, batch_size=8, num_workers=2, pin_memory=True, multiprocessing_context="forkserver",
        ...                         persistent_workers=True)
        ...     for epoch in range(10):
        ...         dataset.set_epoch(epoch)
        ...         for points, features, labels in loader:        # (8, 8192, 3), (8, 8192, F), (8, 8192)
        ...             inputs = torch.cat([points, features.nan_to_num()], dim=-1).cuda(non_blocking=True)
        ...             loss = criterion(model(inputs).transpose(1, 2), labels.cuda(non_blocking=True))
        ...             optimizer.zero_grad()
        ...             loss.backward()
        ...             optimizer.step()
        >>>
        >>> if __name__ == "__main__":                             # the workers read the script again
        ...     train()

    Blocks and whole patches have sizes of their own: ``DataLoader(dataset, batch_size=8, collate_fn=collate_concat)``.
    """

    def __init__(self, inputs: Optional[Paths], config: Union[Config, PathLike, Mapping[str, Any], None] = None, *,
                 features: Optional[Names] = None, labels: Union[bool, str] = True, classes: Optional[Iterable[int]] = None,
                 patch_size: Optional[float] = None, points: Optional[int] = None, block_points: int = 8192, min_points: int = 1,
                 shuffle: bool = False, window: int = 512, seed: int = 0, rank: Optional[int] = None, world_size: Optional[int] = None,
                 include_index: bool = False, keep_excluded: bool = False, transform: Optional[Callable[[Sample], Any]] = None,
                 bbox: Optional[Sequence[float]] = None, ready: int = 1, on_error: str = "raise") -> None:
        super().__init__()
        self._inputs = None if inputs is None else _validate.paths(inputs)
        names = None if features is None else _validate.texts("features", features, "names of features, or of one set,")
        wanted = _validate.choice("labels", labels, (True, False, "truth", "classification"))
        if classes is not None and (isinstance(classes, str) or not isinstance(classes, Iterable)):
            raise TypeError(f"classes is {classes!r} of type {type(classes).__name__}; class codes in a list are expected")
        self._classes = None if classes is None else [_validate.whole("a class", code, 0, "codes", 255) for code in classes]
        self._table = _label_table(self._classes)
        self._side = 0.0 if patch_size is None else _validate.metres("patch_size", patch_size)
        if self._side and not 0.01 <= self._side <= 100_000:
            raise InvalidArgument(f"patch_size is {self._side:g}; 0.01 to 100 000 metres are expected")
        self._points = None if points is None else _validate.whole("points", points, 1, "points")
        if self._points is not None and not self._side:
            raise InvalidArgument("points was given without patch_size; block_points bounds the size of blocks")
        self._block_points = _validate.whole("block_points", block_points, 1, "points")
        self._min_points = _validate.whole("min_points", min_points, 1, "points")
        self._shuffle = bool(shuffle)
        self._window = _validate.whole("window", window, 1, "samples")
        self._seed = _validate.whole("seed", seed, 0, "the generator")
        if (rank is None) != (world_size is None):
            raise InvalidArgument(f"rank is {rank!r} and world_size is {world_size!r}; both or neither are expected")
        self._place: Optional[Tuple[int, int]] = None
        if rank is not None:
            self._place = _validate.whole("rank", rank, 0, "processes"), _validate.whole("world_size", world_size, 1, "processes")
            if self._place[0] >= self._place[1]:
                raise InvalidArgument(f"rank is {rank} of {world_size}; 0 to {self._place[1] - 1} are expected")
        if transform is not None:
            _validate.function("transform", transform)
        self._transform = transform
        self._include_index = bool(include_index)
        self._keep_excluded = bool(keep_excluded)
        self._bbox = _validate.box(bbox)
        self._ready = _validate.whole("ready", ready, 1, "tiles")
        self._on_error = _validate.choice("on_error", on_error, ("raise", "skip"))
        # The configuration comes last: what is wrong with the rest shows at once.
        # Workers would all write the same trace.
        settings: Dict[str, Any] = {"trace": None}
        if names is not None:
            settings["features.set"] = names[0] if len(names) == 1 and isinstance(features, str) else names
        self._config = Config.of(config).updated(settings)
        self._feature_names, drops, has_truth = _core.stream_facts(self._config._native)
        if drops:
            raise InvalidArgument("features.missing is 'drop', which gives tiles columns of their own; 'nan' or 'error' is expected")
        self._labels = ("truth" if has_truth else "classification") if wanted is True else wanted
        if self._labels == "truth" and not has_truth:
            raise InvalidArgument("labels is 'truth', and the configuration has no ground truth; ground_truth.source names one")
        # In shared memory, so that workers that live on see what set_epoch says.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    @property
    def feature_names(self) -> List[str]:
        """Names of the columns of ``features``."""
        return list(self._feature_names)

    @property
    def classes(self) -> Optional[List[int]]:
        """The class codes that labels are places in; None: labels are the codes."""
        return None if self._classes is None else list(self._classes)

    @property
    def config(self) -> Config:
        """The configuration, with what the keywords changed."""
        return self._config

    def set_epoch(self, epoch: int) -> None:
        """Another epoch, another order. To be called before the epoch's iterator is made; workers that live on hear of it."""
        self._epoch.fill_(_validate.whole("epoch", epoch, 0, "epochs"))

    def __iter__(self) -> Iterator[Any]:
        rank, world_size = self._rank()
        worker = get_worker_info()  # type: ignore[no-untyped-call]
        workers, number = (1, 0) if worker is None else (worker.num_workers, worker.id)
        here = min(world_size, int(os.environ.get("LOCAL_WORLD_SIZE", "1") or 1))
        return self._samples((rank * workers + number, world_size * workers), here * workers, int(self._epoch))

    def __getstate__(self) -> Dict[str, Any]:
        # Of worker processes only forked ones know torch.distributed.
        return {**self.__dict__, "_place": self._rank()}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._epoch.share_memory_()

    def __repr__(self) -> str:
        kind = f"patches of {self._side:g} m" if self._side else f"blocks of {self._block_points} points"
        return f"<tuile.torch.TileDataset of {kind}, {len(self._feature_names)} features, labels: {self._labels or 'none'}>"

    def _rank(self) -> Tuple[int, int]:
        if self._place is not None:
            return self._place
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        return 0, 1

    def _samples(self, shard: Tuple[int, int], share: int, epoch: int) -> Iterator[Any]:
        with closing(self._gathered(shard, share, epoch)) as gathered:
            samples: Iterable[Sample] = gathered
            if self._shuffle:
                samples = self._drawn(gathered, np.random.default_rng([self._seed, epoch, *shard]))
            for sample in samples:
                tensors = tuple(torch.from_numpy(item) if isinstance(item, np.ndarray) else item for item in sample[:-1])
                if self._include_index:
                    told = {key: torch.from_numpy(item) if isinstance(item, np.ndarray) else item for key, item in sample[-1].items()}
                    tensors += (told,)
                yield tensors if self._transform is None else self._transform(tensors)

    def _drawn(self, samples: Iterator[Sample], random: np.random.Generator) -> Iterator[Sample]:
        held: List[Sample] = []
        for sample in samples:
            if len(held) < self._window:
                held.append(sample)
                continue
            place = int(random.integers(self._window))
            drawn, held[place] = held[place], sample
            yield drawn
        while held:
            place = int(random.integers(len(held)))
            held[place], held[-1] = held[-1], held[place]
            yield held.pop()

    def _gathered(self, shard: Tuple[int, int], share: int, epoch: int) -> Generator[Sample, None, None]:
        """Samples as arrays, each with memory of its own: a tile goes when its last sample is gathered."""
        with stream(self._inputs, self._config, ready=self._ready, shard=shard, bbox=self._bbox, on_error=self._on_error,
                    share=share) as tiles:
            tile: Any
            for tile in tiles:
                labels = self._labels_of(tile)
                if labels is None and self._labels:
                    self._without_truth(tile)
                    continue
                random = np.random.default_rng([self._seed, epoch if self._shuffle else 0, zlib.crc32(tile.name.encode())])
                plan = self._plan(tile, random)
                for place in random.permutation(len(plan)).tolist() if self._shuffle else range(len(plan)):
                    yield self._gather(tile, labels, plan[place])
                # Not beside the next one.
                del tile, labels, plan

    def _labels_of(self, tile: Any) -> Any:
        if self._labels == "truth":
            return tile.labels
        return tile.points.classification if self._labels == "classification" else None

    def _without_truth(self, tile: Any) -> None:
        failure = FailedTile(tile.path, "not_found", "its ground truth cannot be had, so there are no labels; on_error=\"skip\" goes on")
        if self._on_error == "raise":
            raise failure.error()
        _log.warning("%s: %s", failure.path, failure.message)

    def _plan(self, tile: Any, random: np.random.Generator) -> List[_Rows]:
        """The samples of a tile."""
        points, begin, origin = tile._groups(most=self._block_points, side=self._side, all=self._keep_excluded)
        plan = []
        for group in range(len(origin)):
            rows = points[begin[group]:begin[group + 1]]
            if self._points is None:
                plan.append(_Rows(rows, len(rows), origin[group]))
                continue
            mixed = random.permutation(rows)
            for first in range(0, len(mixed), self._points):
                part = mixed[first:first + self._points]
                # Repeats are points of other samples of the patch, or where this is the only one, of itself.
                filled = np.concatenate([part, np.resize(mixed, self._points - len(part))])
                plan.append(_Rows(filled, len(part), origin[group]))
        return [sample for sample in plan if sample.fresh >= self._min_points]

    def _gather(self, tile: Any, labels: Any, sample: _Rows) -> Sample:
        points, rows = tile.points, sample.rows
        # Integers until they are small.
        origin = np.rint((sample.origin - points.origin) / points.scale).astype(np.int64)
        gathered: List[Any] = [((points.units[rows] - origin) * points.scale).astype(np.float32), tile.features[rows]]
        if labels is not None:
            gathered.append(self._table[labels[rows]])
        index = rows if points.rows is None else points.rows[rows]
        gathered.append({"index": index.astype(np.int64), "origin": sample.origin.copy(), "count": sample.fresh, "tile": tile.name})
        return tuple(gathered)


def collate_list(samples: Sequence[Sample]) -> Tuple[List[Any], ...]:
    """A batch of samples of sizes of their own, as lists: ([points …], [features …], [labels …]). For ``DataLoader(collate_fn=…)``.

    Args:
        samples: of one TileDataset.

    Returns:
        A tuple of lists, one entry per sample in each.
    """
    return tuple(list(items) for items in zip(*samples))


def collate_concat(samples: Sequence[Sample]) -> Tuple[Any, ...]:
    """A batch of samples of sizes of their own, one after the other, as sparse and graph networks take it. For
    ``DataLoader(collate_fn=…)``.

    Args:
        samples: of one TileDataset.

    Returns:
        (points (Σn, 3), features (Σn, F), labels (Σn,), batch (Σn,) int64: the sample that each point belongs to). With
        ``include_index`` the dict stands before ``batch``: ``index`` (Σn,), ``origin`` (B, 3), ``count`` (B,) int64 and ``tile``, a list.
    """
    if not samples:
        raise InvalidArgument("a batch of no samples was given; at least one is expected")
    out: List[Any] = []
    for items in zip(*samples):
        if isinstance(items[0], dict):
            out.append({"index": torch.cat([item["index"] for item in items]), "origin": torch.stack([item["origin"] for item in items]),
                        "count": torch.tensor([item["count"] for item in items]), "tile": [item["tile"] for item in items]})
        else:
            out.append(torch.cat(items))
    sizes = torch.tensor([len(sample[0]) for sample in samples])
    return (*out, torch.repeat_interleave(torch.arange(len(samples)), sizes))
