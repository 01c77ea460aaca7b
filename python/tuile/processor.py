"""The main job: directories of tiles to features, labels and sidecars, as the command line's ``tuile process``."""
import logging
import os
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _core, _validate
from ._gpu import backend_for
from ._progress import Progress, ProgressLine
from ._validate import Paths, Shard
from .config import Config, PathLike
from .errors import InvalidArgument, NotFound
from .summary import FailedTile, RunSummary, failed_tiles


_log = logging.getLogger("tuile")


def _warn(line: str) -> None:
    _log.warning("%s", line)


class Job(NamedTuple):
    """A tile as a job of its own.

    ``neighbours`` are the (path, name) whose border points it needs; ``bounds`` is (x0, y0, x1, y1) in metres; ``public_path`` is the path
    without the secrets that a URL may hold, as failures name it.
    """

    path: str
    name: str
    neighbours: List[Tuple[str, str]]
    points: int
    bounds: Tuple[float, float, float, float]
    done: bool
    public_path: str


class JobList(NamedTuple):
    """The tiles of a run in its order, in which neighbours stand near each other; inputs that no job can be made of; remarks."""

    jobs: List[Job]
    failed: List[FailedTile]
    notes: List[str]


def _folder(path: PathLike) -> str:
    text = os.fspath(path)
    if not os.path.exists(text):
        raise NotFound(f"{text}: no such folder; name the one that holds the tiles")
    if not os.path.isdir(text):
        raise InvalidArgument(f"{text} is no folder; process_tiles takes files")
    return text


class LiDARProcessor:
    """Turns tiles into outputs: the same bytes as ``tuile process`` with the same configuration.

    Args:
        config_path: a YAML file (docs/configuration.md); None: the defaults.
        config: instead of a file, a :class:`Config` or a mapping of settings.
        use_gpu: True: the GPU, or where there is none the CPU, with one warning; False: the CPU; None: as the configuration says.
        enable_async_io: loading and writing are hidden behind the computation. False: one after the other (``prefetch.workers: 0``).
        async_workers: I/O threads (``prefetch.workers``); None: as the configuration says, which tunes them by default.
        enable_batch_processing: several tiles may be computed together. False: one at a time (``batch.size: 1``).
        enable_memory_pooling: taken for compatibility: device memory always comes from a pool, and host buffers are kept for reuse.
        show_progress: a line on standard error; None: where that is a terminal.

    Raises:
        ConfigError: an unknown key, a value out of range; InvalidArgument: both a file and a configuration.

    Warnings of a run go to the logger "tuile".
    """

    def __init__(self, config_path: Optional[PathLike] = None, *, config: Union[Config, Mapping[str, Any], None] = None,
                 use_gpu: Optional[bool] = None, enable_async_io: bool = True, async_workers: Optional[int] = None,
                 enable_batch_processing: bool = True, enable_memory_pooling: bool = True, show_progress: Optional[bool] = None) -> None:
        if config_path is not None and config is not None:
            raise InvalidArgument("both config_path and config were given; give one of them")
        settings: Dict[str, Any] = {}
        if not enable_async_io:
            settings["prefetch.workers"] = 0
        elif async_workers is not None:
            settings["prefetch.workers"] = async_workers
        if not enable_batch_processing:
            settings["batch.size"] = 1
        backend = backend_for(use_gpu)
        if backend is not None:
            settings["backend"] = backend
        chosen = Config.of(config_path if config is None else config)
        self._config = chosen.updated(settings) if settings else chosen
        self._show_progress = show_progress

    @property
    def config(self) -> Config:
        """The configuration, with what the keywords changed."""
        return self._config

    def process_directory(self, input_dir: PathLike, output_dir: PathLike, skip_existing: bool = True, *, shard: Optional[Shard] = None,
                          bbox: Optional[Sequence[float]] = None, fail_fast: bool = False,
                          progress: Optional[Callable[[Progress], None]] = None) -> RunSummary:
        """Processes every .las and .laz file below a folder.

        A tile that fails is in the summary, not an exception. Ctrl-C ends the run soon: what is done stays valid, and the same call goes on
        from there. The GIL is free meanwhile.

        Args:
            input_dir: searched with its subfolders, whose names the outputs keep.
            output_dir: made where it does not exist.
            skip_existing: tiles already done (same input, neighbours, configuration, backend and version) are left alone.
            shard: (I, N) or "I/N": the I-th of N parts of the tiles, for N processes that share the work.
            bbox: (x0, y0, x1, y1), metres: only points inside are written.
            fail_fast: ends the run at the first tile that fails.
            progress: called after every tile; an exception in it ends the run and is raised.

        Returns:
            The summary; ``raise_for_failures()`` turns failed tiles into an exception.

        Raises:
            NotFound: no such folder; InvalidArgument; ConfigError: no tiles, two inputs with one output name, an output that would
                overwrite an input; BackendUnavailable; PermissionDenied or IoError: the output folder; KeyboardInterrupt.
        """
        return self._run([_folder(input_dir)], os.fspath(output_dir), [], skip_existing, shard, bbox, fail_fast, progress)

    def process_tiles(self, paths: Paths, output_dir: PathLike, skip_existing: bool = True, *, only: Iterable[str] = (),
                      shard: Optional[Shard] = None, bbox: Optional[Sequence[float]] = None, fail_fast: bool = False,
                      progress: Optional[Callable[[Progress], None]] = None) -> RunSummary:
        """Processes files. As :meth:`process_directory`, but for

        Args:
            paths: files, folders, globs, http(s) URLs or ``@list.txt``.
            only: output names (file names without .laz) of the tiles to do; the others are only neighbours.
        """
        if isinstance(only, str):
            raise TypeError(f"only is {only!r} of type str; a list of names is expected")
        return self._run(_validate.paths(paths), os.fspath(output_dir), list(only), skip_existing, shard, bbox, fail_fast, progress)

    def process(self, skip_existing: bool = True, *, shard: Optional[Shard] = None, bbox: Optional[Sequence[float]] = None,
                fail_fast: bool = False, progress: Optional[Callable[[Progress], None]] = None) -> RunSummary:
        """Processes what the configuration names as ``input`` into its ``output``. Otherwise as :meth:`process_directory`."""
        return self._run([], "", [], skip_existing, shard, bbox, fail_fast, progress)

    def plan(self, paths: Paths, output_dir: PathLike, skip_existing: bool = True, *, shard: Optional[Shard] = None,
             bbox: Optional[Sequence[float]] = None) -> Dict[str, Any]:
        """What processing would do; reads headers only.

        Returns:
            backend, backend_reason, columns (names of the features), threads, workers, ahead, batch, memory_budget and memory_needed
            (bytes), tiles (path, output, points, neighbours, done), failed (a list of FailedTile) and notes, as
            ``tuile process --dry-run --json``.

        Raises:
            as :meth:`process_tiles`.
        """
        plan = _core.plan(self._config._native, self._request(_validate.paths(paths), os.fspath(output_dir), [], skip_existing, shard, bbox))
        plan["failed"] = failed_tiles(plan["failed"])
        return plan

    def jobs(self, paths: Paths, output_dir: PathLike, skip_existing: bool = True, *, shard: Optional[Shard] = None,
             bbox: Optional[Sequence[float]] = None) -> JobList:
        """The tiles as jobs for a scheduler; reads headers only. A job is done by ``process_tiles([path] + neighbours, only=[name])`` where
        all files lie in one folder; :func:`tuile.dask.process` does that for any. URLs keep the secrets they hold.

        Raises:
            as :meth:`process_tiles`.
        """
        request = self._request(_validate.paths(paths), os.fspath(output_dir), [], skip_existing, shard, bbox)
        jobs, failed, notes = _core.jobs(self._config._native, request)
        return JobList([Job(*job) for job in jobs], failed_tiles(failed), notes)

    @staticmethod
    def _request(inputs: List[str], output: str, only: List[str], skip_existing: bool, shard: Optional[Shard],
                 bbox: Optional[Sequence[float]]) -> _core.RunRequest:
        return _core.RunRequest(input=inputs, output=output, only=only, shard=_validate.shard(shard), bbox=_validate.box(bbox),
                                overwrite=not skip_existing)

    def _run(self, inputs: List[str], output: str, only: List[str], skip_existing: bool, shard: Optional[Shard],
             bbox: Optional[Sequence[float]], fail_fast: bool, progress: Optional[Callable[[Progress], None]]) -> RunSummary:
        if progress is not None:
            _validate.function("progress", progress)
        request = self._request(inputs, output, only, skip_existing, shard, bbox)
        with ProgressLine(self._show_progress) as line:

            def tell(*numbers: Any) -> None:
                now = Progress(*numbers)
                line.update(now)
                if progress is not None:
                    progress(now)

            watched = tell if line.shown or progress is not None else None
            return RunSummary(*_core.process(self._config._native, request, fail_fast=fail_fast, progress=watched, warn=_warn))


def verify(folder: PathLike) -> Dict[str, Any]:
    """Checks finished outputs against their sidecars: files present, sizes, checksums, row counts. Reads every output once.

    Returns:
        ok (bool), tiles (sidecar, problems), leftovers (temporaries of runs that were killed), without_sidecar, files_checked,
        bytes_checked.

    Raises:
        NotFound, PermissionDenied, IoError: the folder itself cannot be read.
    """
    return _core.verify(os.fspath(folder))
