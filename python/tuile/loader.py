"""Loading tiles ahead of their use: the loader and the pipeline of the original system, with the names they had there."""
import collections
import concurrent.futures
import logging
import os
import threading
import time
import warnings
import weakref
from typing import Any, Callable, Deque, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from . import _core, _validate
from ._core import GroundTruth, TilePoints
from ._validate import Box, PathLike
from .config import Config
from .errors import Cancelled, TileError

Loaded = Tuple[TilePoints, Optional[GroundTruth]]

_log = logging.getLogger("tuile")


class TileFuture:
    """A load that was asked for; valid as long as its loader."""

    def __init__(self, loader: "AsyncTileLoader", path: str, bbox: Optional[Box], fetch_ground_truth: bool) -> None:
        self._loader = loader
        self._path = path
        self._bbox = bbox
        self._fetch_ground_truth = fetch_ground_truth

    def done(self) -> bool:
        """Whether the load of the points has finished, well or not. With ``num_workers=0``: whether somebody got it."""
        return self._loader._native.ready(self._path, self._bbox)

    ready = done

    def result(self, timeout: Optional[float] = None) -> Loaded:
        """As :meth:`AsyncTileLoader.get_tile` of the same tile."""
        return self._loader.get_tile(self._path, timeout, self._bbox, self._fetch_ground_truth)

    get = result

    def __repr__(self) -> str:
        return f"<tuile.TileFuture '{self._path}', {'done' if self.done() else 'under way'}>"


class AsyncTileLoader:
    """Loads tiles, and their ground truth, in background threads; keeps the most recently used ones.

    ``preload_tile`` returns at once; ``get_tile`` returns a loaded tile at once, waits for one under way, or loads it. Decoding, waiting and
    fetching run without the GIL; Ctrl-C ends a wait. Thread-safe. Close it with :meth:`shutdown` or use it in a ``with`` statement.

    Args:
        num_workers: I/O threads; 0 loads nothing ahead: ``get_tile`` does the work itself (the sequential baseline).
        enable_wfs: fetch ground truth beside the points: from ``config``'s ``ground_truth.source``, or IGN's WFS where that says none.
        cache_size: tiles kept, least recently used leave first.
        prefetch_ahead: tiles that :class:`AsyncPipeline` asks for ahead of the one in work; a loader on its own loads what it is asked for.
        show_progress: print what is loaded and what was there already.
        memory_budget: bytes of tiles kept, in use and being loaded above which preloads wait; default: half of what the process may use.
        config: a :class:`Config`, the path of a YAML file, or a mapping: where ground truth and colours come from, CRS, retries.
        retries: further attempts after an error that can pass; default: the configuration's (2).
        keep_preloaded: a preload waits for room rather than push out a tile that was preloaded and not got yet: for callers that get every
            tile they preload.

    Raises:
        ConfigError: the configuration, or a ground truth that cannot be used.
        InvalidArgument: a count out of range.
    """

    def __init__(self, num_workers: int = 2, enable_wfs: bool = True, cache_size: int = 3, prefetch_ahead: int = 1, show_progress: bool = False,
                 *, memory_budget: Optional[int] = None, config: Union[Config, PathLike, Mapping[str, Any], None] = None,
                 retries: Optional[int] = None, keep_preloaded: bool = False) -> None:
        self.num_workers = _validate.whole("num_workers", num_workers, 0, "threads")
        self.cache_size = _validate.whole("cache_size", cache_size, 1, "tiles")
        self.prefetch_ahead = _validate.whole("prefetch_ahead", prefetch_ahead, 0, "tiles")
        self.enable_wfs = bool(enable_wfs)
        self.show_progress = bool(show_progress)
        chosen = Config.of(config)
        settings: Dict[str, Any] = {}
        if not enable_wfs:
            settings["ground_truth.source"] = "none"
        elif chosen._native.ground_truth_source == "none":
            settings["ground_truth.source"] = "wfs"
        if memory_budget is not None:
            settings["memory.budget"] = _validate.whole("memory_budget", memory_budget, 1, "bytes", 2**63 - 1)
        if retries is not None:
            settings["prefetch.retries"] = _validate.whole("retries", retries, 0, "further tries")
        self.config = chosen.updated(settings) if settings else chosen
        self._native = _core.Loader(self.config._native, num_workers, cache_size, bool(keep_preloaded), _log.info)
        # Before the interpreter goes, too: threads must not outlive what they warn with.
        self._close = weakref.finalize(self, self._native.shutdown)
        self._printing = threading.Lock()
        self._warned: "collections.OrderedDict[str, None]" = collections.OrderedDict()
        self._say(f"🔄 AsyncTileLoader initialized: workers={num_workers}, cache={cache_size}, wfs={'enabled' if enable_wfs else 'disabled'}")

    def _say(self, line: str) -> None:
        if self.show_progress:
            with self._printing:
                print(line, flush=True)

    def preload_tile(self, tile_path: PathLike, bbox: Optional[Sequence[float]] = None, fetch_ground_truth: bool = True) -> TileFuture:
        """Begins to load a tile in the background; returns within a millisecond.

        Args:
            tile_path: a LAS, LAZ or COPC file, or its http(s) URL.
            bbox: (min_x, min_y, max_x, max_y), metres: only the points inside.
            fetch_ground_truth: fetch its ground truth, too (with ``enable_wfs``).

        Raises:
            Cancelled: the loader was shut down.
        """
        path, box = _validate.path("tile_path", tile_path), _validate.box(bbox)
        self._native.preload(path, box, fetch_ground_truth)
        self._say(f" Preloading: {os.path.basename(path)}")
        return TileFuture(self, path, box, fetch_ground_truth)

    def preload_tile_batch(self, tile_paths: Iterable[PathLike], fetch_ground_truth: bool = True) -> List[TileFuture]:
        """:meth:`preload_tile` of each, in order."""
        return [self.preload_tile(path, fetch_ground_truth=fetch_ground_truth) for path in tile_paths]

    def get_tile(self, tile_path: PathLike, timeout: Optional[float] = None, bbox: Optional[Sequence[float]] = None,
                 fetch_ground_truth: bool = True) -> Loaded:
        """The tile and its ground truth, waiting for them if need be.

        Args:
            tile_path, bbox, fetch_ground_truth: as :meth:`preload_tile`.
            timeout: seconds to wait at most; None: as long as it takes.

        Returns:
            ``(tile, ground_truth)``. The ground truth is None where none was asked for, or where nothing of it can be had; then, and where
            some layers are missing, a warning says why (``ground_truth.layers`` tell each one's outcome).

        Raises:
            TimeoutError: not there within ``timeout``; the load goes on and can be got later.
            Cancelled: the loader was shut down.
            NotFound, CorruptData, IoError…: why the tile cannot be loaded. A later ``preload_tile`` or ``get_tile`` tries anew.
        """
        path, box = _validate.path("tile_path", tile_path), _validate.box(bbox)
        misses = self._native.statistics()["misses"] if self.show_progress else 0
        tile, truth, failure = self._native.get(path, timeout, box, fetch_ground_truth)
        if self.show_progress:
            was_there = self._native.statistics()["misses"] == misses
            self._say(f"{'✅ Cache HIT' if was_there else '⚠ Cache MISS'}: {os.path.basename(path)}")
        if failure:
            self._warn_once(path, f"{path}: {'some layers of the ground truth are missing' if truth else 'no ground truth'}: {failure}")
        return tile, truth

    def _warn_once(self, path: str, text: str) -> None:
        with self._printing:
            if path in self._warned:
                return
            self._warned[path] = None
            if len(self._warned) > 10_000:
                self._warned.popitem(last=False)
        warnings.warn(text, RuntimeWarning, stacklevel=3)

    def clear_cache(self) -> None:
        """Forgets loaded tiles and stored errors; loads under way go on, tiles in use stay."""
        self._native.clear_cache()

    def get_stats(self) -> Dict[str, Any]:
        """Exact counts since the beginning.

        ``tiles_loaded``, ``loads_failed``, ``requests`` (= ``hits_ready`` + ``hits_in_flight`` + ``misses``), ``cache_hits``,
        ``cache_misses``, ``cache_hit_rate`` (0 to 1), ``wfs_fetches`` and ``wfs_failures`` (tiles), ``retries``, ``evictions``,
        ``tiles_cached``, ``bytes_cached``, ``bytes_held``, ``io_seconds`` (summed over loads), ``wait_seconds`` (summed over requests),
        ``avg_io_time_ms``, ``avg_wait_time_ms``, ``io_hidden_ratio`` (share of the I/O time that nobody waited for).
        """
        return self._native.statistics()

    def print_stats(self) -> None:
        """Prints the statistics, one item a line."""
        print(self._native.text(), end="", flush=True)

    def shutdown(self) -> None:
        """Cancels what is under way, wakes everybody who waits (Cancelled) and ends the threads. Tiles in use stay valid."""
        self._close()

    def __enter__(self) -> "AsyncTileLoader":
        return self

    def __exit__(self, *_: Any) -> None:
        self.shutdown()


class AsyncPipeline:
    """Processes tiles one after the other while the next ones load.

    Args:
        num_workers, enable_wfs, show_progress, cache_size, config: as :class:`AsyncTileLoader`.
        prefetch_ahead: tiles loaded beyond the one in work; of a given ``loader``, no more than it keeps beside that one.
        fail_fast: raise the first failure instead of going on.
        timeout: seconds that a tile may take to load before it counts as failed.
        loader: one to use instead of an own one; it is not shut down with the pipeline.
    """

    def __init__(self, num_workers: int = 2, enable_wfs: bool = True, show_progress: bool = False, *, cache_size: int = 3,
                 prefetch_ahead: int = 1, config: Union[Config, PathLike, Mapping[str, Any], None] = None, fail_fast: bool = False,
                 timeout: Optional[float] = None, loader: Optional[AsyncTileLoader] = None) -> None:
        self._owns_loader = loader is None
        self.prefetch_ahead = _validate.whole("prefetch_ahead", prefetch_ahead, 0, "tiles")
        self.loader = loader or AsyncTileLoader(num_workers, enable_wfs, max(cache_size, prefetch_ahead + 1), prefetch_ahead, show_progress,
                                                config=config, keep_preloaded=True)
        if self.loader.cache_size <= self.prefetch_ahead:
            self.prefetch_ahead = self.loader.cache_size - 1  # what is loaded further ahead would leave before it is used
        self.fail_fast = fail_fast
        self.timeout = timeout
        self._work_seconds = 0.0
        self._span_seconds = 0.0

    def process_tiles(self, tile_paths: Iterable[PathLike], processor_func: Callable[[TilePoints, Optional[GroundTruth]], Any],
                      fetch_ground_truth: bool = True, save_func: Optional[Callable[[str, Any], Any]] = None) -> List[Any]:
        """Calls ``processor_func(tile, ground_truth)`` for every tile, in order, on the caller's thread; meanwhile the next tiles load.

        Args:
            tile_paths: files or URLs.
            processor_func: its results are returned.
            fetch_ground_truth: fetch ground truth beside the points (with ``enable_wfs``).
            save_func: called as ``save_func(path, result)`` on a thread of its own, beside the work on the next tile; at most two results
                wait for it. Its own result takes the place of ``result`` in the list.

        Returns:
            One entry per tile, in order: the result, or a :class:`TileError` (an exception object, not raised) where the tile could not be
            loaded, or a callable raised.

        Raises:
            TileError: the first failure, with ``fail_fast``.
            Cancelled: the pipeline was shut down.
        """
        paths = [_validate.path("a tile's path", path) for path in tile_paths]
        _validate.function("processor_func", processor_func, "a function of (tile, ground_truth)")
        results: List[Any] = [None] * len(paths)
        saving: Deque[Tuple[int, "concurrent.futures.Future[Any]"]] = collections.deque()
        saver = concurrent.futures.ThreadPoolExecutor(1, "tuile-save") if save_func is not None else None
        asked = 0

        def preload(last: int) -> None:
            nonlocal asked
            while self.loader.num_workers > 0 and asked < len(paths) and asked <= last:
                self.loader.preload_tile(paths[asked], fetch_ground_truth=fetch_ground_truth)
                asked += 1

        arrived: Optional[float] = None
        self._work_seconds = self._span_seconds = 0.0
        try:
            for i, path in enumerate(paths):
                # Nothing hides the first load, so it has the processors for itself.
                preload(i + self.prefetch_ahead if i > 0 else 0)
                try:
                    tile, truth = self.loader.get_tile(path, self.timeout, None, fetch_ground_truth)
                except Cancelled:
                    raise
                except Exception as error:
                    self._fail(results, paths, i, error)
                    continue
                preload(i + self.prefetch_ahead)
                begun = time.monotonic()
                arrived = begun if arrived is None else arrived
                try:
                    results[i] = processor_func(tile, truth)
                except Exception as error:
                    self._fail(results, paths, i, error)
                    continue
                finally:
                    ended = time.monotonic()
                    self._work_seconds += ended - begun
                    self._span_seconds = ended - arrived
                    del tile, truth
                if saver is not None and save_func is not None:
                    while len(saving) >= 2:
                        self._settle(results, paths, *saving.popleft())
                    saving.append((i, saver.submit(save_func, path, results[i])))
            while saving:
                self._settle(results, paths, *saving.popleft())
        finally:
            if saver is not None:
                saver.shutdown(wait=True)
        return results

    def _fail(self, results: List[Any], paths: List[str], i: int, error: Exception) -> None:
        results[i] = TileError(paths[i], error)
        if self.fail_fast:
            raise results[i] from error
        _log.warning("%s", results[i])

    def _settle(self, results: List[Any], paths: List[str], i: int, saved: "concurrent.futures.Future[Any]") -> None:
        try:
            results[i] = saved.result()
        except Exception as error:
            self._fail(results, paths, i, error)

    @property
    def utilisation(self) -> float:
        """Of the last run: time in ``processor_func`` over the time from the first tile's arrival to the end of the last call, 0 to 1."""
        return self._work_seconds / self._span_seconds if self._span_seconds > 0 else 0.0

    def get_stats(self) -> Dict[str, Any]:
        """As :meth:`AsyncTileLoader.get_stats`, and ``utilisation``."""
        return {**self.loader.get_stats(), "utilisation": self.utilisation}

    def print_stats(self) -> None:
        """As :meth:`AsyncTileLoader.print_stats`, and the utilisation."""
        self.loader.print_stats()
        print(f"   Compute Utilisation: {100 * self.utilisation:.1f}%", flush=True)

    def shutdown(self) -> None:
        """Shuts its loader down, unless that is somebody else's."""
        if self._owns_loader:
            self.loader.shutdown()

    def __enter__(self) -> "AsyncPipeline":
        return self

    def __exit__(self, *_: Any) -> None:
        self.shutdown()
