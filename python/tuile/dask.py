"""The main job on a Dask cluster: one task for each tile or group of neighbouring tiles, the command line's bytes.

Wants the package distributed. docs/cluster.md has whole scripts for one machine, SSH, Slurm and Kubernetes.
"""
import contextlib
import functools
import importlib
import itertools
import json
import logging
import os
import re
import socket
import tempfile
import threading
import time
import uuid
from typing import (TYPE_CHECKING, Any, Callable, ContextManager, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple,
                    Union)

from . import _core, _validate
from ._dask_summary import ClusterTotals
from ._progress import Progress, ProgressLine
from ._validate import Paths
from .config import Config, PathLike
from .errors import Error, InvalidArgument, PermissionDenied
from .processor import Job, JobList
from .summary import FailedTile, RunSummary, failed_tiles, kind_of

if TYPE_CHECKING:
    from distributed import Client

try:
    _distributed: Any = importlib.import_module("distributed")
except ImportError as missing:
    raise ImportError("tuile.dask wants the package distributed: apt install python3-distributed, or pip install distributed") from missing

_log = logging.getLogger("tuile")

#: Kinds of errors that another try, maybe elsewhere, can do without. All others are the tile's own.
_CAN_PASS = frozenset({"io", "timeout", "out_of_memory", "device", "cancelled"})
#: Kinds of errors of a whole task that are the same on every machine.
_NEVER_PASSES = frozenset(kind for kind, (_, never) in _core.error_kinds().items() if never)


class PassingFailures(Error):
    """Tiles of a task failed for what may pass: raised on the worker, so that Dask tries the task again.

    ``failed`` holds (path, kind, message) of each.
    """

    def __init__(self, failed: List[Tuple[str, str, str]]) -> None:
        super().__init__(failed)
        self.failed = failed

    def __str__(self) -> str:
        return "; ".join(message for _, _, message in self.failed)


class _Group(NamedTuple):
    """Jobs of one task."""

    jobs: List[Job]

    def files(self) -> List[Tuple[str, str]]:
        """The tiles and their neighbours, each once, by path: what the command line would look at for these tiles."""
        return sorted({(job.path, job.name) for job in self.jobs}.union(*(job.neighbours for job in self.jobs)))

    def names(self) -> List[str]:
        return [job.name for job in self.jobs]


def process(paths: Optional[Paths], config: Union[Config, PathLike, Mapping[str, Any], None] = None,
            client: Optional["Client"] = None, *, output: Optional[PathLike] = None, group_size: int = 1, retries: int = 2,
            skip_existing: bool = True, progress: Union[bool, Callable[[Progress], None], None] = None,
            resources: Optional[Mapping[str, float]] = None) -> RunSummary:
    """Processes tiles on the workers of a Dask cluster; outputs and sidecars are those of ``tuile process``, byte for byte.

    The headers are read once, here; then each task loads its tiles with the neighbours they need. All paths are made whole, so sidecars
    name whole paths, and workers must see inputs and output under the same ones. A few tasks for each thread are with the scheduler at
    any time, however many tiles there are. A tile that is damaged is a failure in the summary at once; what may pass (network, memory, a
    device) is tried again by Dask, as are the tasks of a worker that was lost: tiles that it had finished are not done again.

    Warnings go to the workers' logs, by the logger "tuile".

    With ``threads: auto`` a task computes with as many threads as its worker has, and a worker has one task of ours at work at a time; with
    ``memory.budget: auto`` it takes half of the worker's memory limit.

    Args:
        paths: files, folders, globs, URLs or ``@list.txt``, one or several; None: the configuration's ``input``.
        config: a Config, the path of a YAML file, a mapping of settings, or None for the defaults. ``trace`` is not used.
        client: of the cluster; None: the current one, else a cluster of processes on this machine that lives as long as the call. That
            needs ``if __name__ == "__main__":`` around the main part of a script.
        output: the folder that outputs go to; None: the configuration's ``output``.
        group_size: neighbouring tiles in one task. More load their shared neighbours once and overlap loading with computing; fewer spread
            better over many workers and lose less with one. 16 suits large runs.
        retries: further tries of a task that failed for what may pass.
        skip_existing: tiles already done are left alone.
        progress: None: a line on standard error where that is a terminal; True or False; or a function that is called after every task.
        resources: what each task takes of the workers' resources, e.g. ``{"GPU": 1}``.

    Returns:
        The summary of the whole run, which is also written to the output folder, as ``run-<id>.json``. Counts are sums over the tasks,
        ``peak_rss`` is the largest worker's, ``cluster`` tells tasks and workers.

    Raises:
        ConfigError, InvalidArgument: as LiDARProcessor.process_tiles; PermissionDenied or IoError: the output folder. What goes wrong on
            workers is in the summary. After KeyboardInterrupt what is done stays valid and the same call goes on from there.
    """
    _validate.whole("group_size", group_size, 1, "tiles")
    _validate.whole("retries", retries, 0, "further tries")
    if not (progress is None or isinstance(progress, bool)):
        _validate.function("progress", progress, "True, False or a function")
    chosen = Config.of(config)
    if output is not None:
        chosen = chosen.updated(output=os.path.abspath(os.fspath(output)))
    inputs = [_whole(path) for path in (_core.input_of(chosen._native) if paths is None else _validate.paths(paths))]
    if not inputs:
        raise InvalidArgument("no paths were given and the configuration has no input; one tile at least is expected")
    begin = time.monotonic()
    plan = _plan(chosen, inputs, skip_existing)
    native = _core.for_cluster(chosen._native)
    folder = _core.output_of(native)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise PermissionDenied(f"cannot create the output folder {folder}: {error}") from None
    with _connected(client) as connected:
        run = _Run(connected, native.yaml(), folder, plan, begin)
        with ProgressLine(progress if isinstance(progress, bool) else False if callable(progress) else None) as line:
            try:
                run.go(_grouped(plan.jobs, group_size), retries, not skip_existing, resources, line,
                       progress if callable(progress) else None)
            finally:
                run.remove_leftovers()
    summary = run.summary()
    _save_report(summary, folder)
    return summary


def _whole(path: str) -> str:
    if re.match(r"https?://", path, re.IGNORECASE):
        return path
    return "@" + os.path.abspath(path[1:]) if path.startswith("@") else os.path.abspath(path)


def _plan(config: Config, inputs: List[str], skip_existing: bool) -> JobList:
    """The jobs of the run. A client needs no GPU to plan for workers that have one: they look what is done then."""
    if _core.backend_of(config._native) == "cuda" and not _core.availability("cuda")[0]:
        config = config.updated(backend="cpu")
    request = _core.RunRequest(input=inputs, overwrite=not skip_existing)
    jobs, failed, notes = _core.jobs(_core.for_cluster(config._native), request)
    return JobList([Job(*job) for job in jobs], failed_tiles(failed), notes)


def _grouped(jobs: Iterable[Job], size: int) -> Iterator[_Group]:
    to_do = (job for job in jobs if not job.done)
    while True:
        group = list(itertools.islice(to_do, size))
        if not group:
            return
        yield _Group(group)


@contextlib.contextmanager
def _connected(client: Any) -> Iterator[Any]:
    if client is None:
        try:
            client = _distributed.default_client()
        except ValueError:
            with tempfile.TemporaryDirectory(prefix="tuile-dask-") as space, \
                    _distributed.LocalCluster(processes=True, dashboard_address=":0", local_directory=space) as cluster, \
                    _distributed.Client(cluster) as own:
                yield own
            return
    if not isinstance(client, _distributed.Client):
        raise TypeError(f"a client of type {type(client).__name__} was given; a distributed.Client is expected")
    if client.asynchronous:
        raise InvalidArgument("the client is asynchronous; one made with asynchronous=False is expected")
    yield client


class _Run:
    """One run: its tasks on their way, and what came of those that ended."""

    def __init__(self, client: Any, config: str, folder: str, plan: JobList, begin: float) -> None:
        self._client = client
        self._config = config
        self._folder = folder
        self._begin = begin
        self._plan = plan
        self._workers: Set[str] = set(client.nthreads())
        self._totals = ClusterTotals(total=len(plan.jobs) + len(plan.failed), skipped=sum(job.done for job in plan.jobs),
                                     failed=plan.failed, notes=plan.notes)

    def go(self, groups: Iterator[_Group], retries: int, overwrite: bool, resources: Optional[Mapping[str, float]], line: ProgressLine,
           tell: Optional[Callable[[Progress], None]]) -> None:
        run_id = uuid.uuid4().hex[:12]
        under_way: Dict[Any, _Group] = {}

        def submit(group: _Group) -> Any:
            if overwrite:  # a tile is done when it has its sidecar: so a task that is tried again knows what it has done itself
                for name in group.names():
                    with contextlib.suppress(FileNotFoundError):
                        os.remove(os.path.join(self._folder, name + ".json"))
            future = self._client.submit(_run_group, self._config, group.files(), group.names(), pure=False, retries=retries,
                                         key=f"tuile-{run_id}-{next(numbers)}", resources=resources)
            under_way[future] = group
            return future

        numbers = itertools.count()
        try:
            window = max(64, 4 * sum(self._client.nthreads().values()))
            ended = _distributed.as_completed([submit(group) for group in itertools.islice(groups, window)])
            for future in ended:
                self._settle(future, under_way.pop(future))
                future.release()
                now = self._totals.progress(time.monotonic() - self._begin)
                line.update(now)
                if tell is not None:
                    tell(now)
                for group in itertools.islice(groups, 1):
                    ended.add(submit(group))
        except BaseException:
            self._client.cancel(list(under_way))
            raise

    def _settle(self, future: Any, group: _Group) -> None:
        error = future.exception() if future.status == "error" else None
        if future.status == "finished":
            try:
                result = future.result()
            except Exception as lost:  # it went with its worker and could not be had again
                error = lost
            else:
                self._totals.add(result, group.jobs)
                return
        if isinstance(error, PassingFailures):
            self._totals.add_failed(error.failed, group.jobs)
            return
        message = f"the task was cancelled ({future.status})" if error is None else f"{type(error).__name__}: {error}"
        kind = "cancelled" if error is None else kind_of(error)
        self._totals.add_failed([(job.public_path, kind, f"{job.public_path}: {message}") for job in group.jobs], group.jobs)

    def remove_leftovers(self) -> None:
        """What lost workers left half written, on the machines where they were."""
        with contextlib.suppress(Exception):  # nothing hangs on it
            if self._workers | self._totals.workers <= set(self._client.nthreads()):
                return
            folders = sorted({self._folder} | {os.path.dirname(os.path.join(self._folder, job.name)) for job in self._plan.jobs})
            self._client.run(_remove_leftovers, folders)
            _remove_leftovers(folders)

    def summary(self) -> RunSummary:
        return self._totals.summary(time.monotonic() - self._begin)


def _save_report(summary: RunSummary, folder: str) -> None:
    name = f"run-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{socket.gethostname()}-{os.getpid()}.json"
    try:
        _core.write_text(os.path.join(folder, name), summary.to_json() + "\n")
    except Error as error:
        _log.warning("%s", error)


# ---- What follows runs on the workers.

def _run_group(config: str, files: List[Tuple[str, str]], names: List[str]) -> Dict[str, Any]:
    """Does the tiles `names`; the other files are neighbours. Returns the run's summary, or why there is none, and who did it.

    Raises:
        PassingFailures: some failed for what may pass; the others are done, and another try leaves them alone.
    """
    share = _share_of_worker()
    request = _core.RunRequest(files=files, only=names, threads=share.threads, memory=share.memory)
    try:
        with share.turn:
            text, _ = _core.process(_config_of(config), request, run_report=False, warn=_warn)
    except Error as error:
        if kind_of(error) in _NEVER_PASSES:
            return {"worker": share.worker, "failed_at_all": kind_of(error), "message": str(error)}
        raise
    summary: Dict[str, Any] = json.loads(text)
    failed = [(tile["path"], tile["kind"], tile["message"]) for tile in summary["failed"]]
    if any(kind in _CAN_PASS for _, kind, _ in failed):
        raise PassingFailures(failed)
    summary["worker"] = share.worker
    return summary


class _Share(NamedTuple):
    """What a task may use: threads and bytes (0: as in a process of its own), after its turn has come."""

    worker: str
    threads: int
    memory: int
    turn: ContextManager[Any]


_turns: Dict[str, threading.Lock] = {}
_turns_lock = threading.Lock()


def _share_of_worker() -> _Share:
    try:
        worker = _distributed.get_worker()
    except ValueError:
        return _Share(f"{socket.gethostname()}:{os.getpid()}", 0, 0, contextlib.nullcontext())
    limit = getattr(getattr(worker, "memory_manager", worker), "memory_limit", None)
    with _turns_lock:
        turn = _turns.setdefault(worker.id, threading.Lock())
    return _Share(worker.address, worker.state.nthreads, int(limit or 0) // 2, turn)


@functools.lru_cache(maxsize=4)
def _config_of(text: str) -> _core.Config:
    return _core.Config(text=text)


def _warn(line: str) -> None:
    _log.warning("%s", line)


def _remove_leftovers(folders: List[str]) -> None:
    for folder in folders:
        with contextlib.suppress(Error):
            _core.remove_stale_temporaries(folder)
