"""Finished tiles one after the other, straight from LAZ files: nothing is written."""
import logging
import weakref
from typing import TYPE_CHECKING, Any, Iterable, Iterator, List, Mapping, Optional, Sequence, Union

from . import _core, _validate
from ._validate import Shard
from .config import Config, PathLike
from .summary import FailedTile

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Type

    from ._core import StreamedTile

_log = logging.getLogger("tuile")


class TileStream(Iterator[Union["StreamedTile", FailedTile]]):
    """The iterator that :func:`stream` gives. A context manager; :meth:`close` ends the run, and so does forgetting it.

    Attributes:
        failed: the tiles that failed until now, as :class:`FailedTile`.
    """

    def __init__(self, config: Config, inputs: List[str], shard: str, bbox: Optional[Sequence[float]], ready: int, on_error: str,
                 share: int) -> None:
        self.failed: List[FailedTile] = []
        self._on_error = on_error
        self._ended = False
        self._native = _core.Stream(config._native, inputs=inputs, shard=shard, bbox=bbox, ready=ready, share=share)
        # At the interpreter's end, too: the run's threads must not outlive it.
        self._finalizer = weakref.finalize(self, self._native.close)

    def __iter__(self) -> "TileStream":
        return self

    def __next__(self) -> Union["StreamedTile", FailedTile]:
        while not self._ended:
            try:
                result = self._native.next()
            finally:
                for line in self._native.take_warnings():
                    _log.warning("%s", line)
            if result is None:
                self._ended = True
                self.close()
                raise StopIteration
            if not isinstance(result, tuple):
                return result
            failure = FailedTile(*result)
            self.failed.append(failure)
            if self._on_error == "raise":
                raise failure.error()
            if self._on_error == "yield":
                return failure
        raise StopIteration

    def close(self) -> None:
        """Ends the run and waits for its end. Tiles that were handed out stay as they are. Further ones raise Cancelled."""
        self._finalizer()

    def __enter__(self) -> "TileStream":
        return self

    def __exit__(self, kind: "Optional[Type[BaseException]]", error: Optional[BaseException], trace: "Optional[TracebackType]") -> None:
        self.close()


def stream(inputs: Union[PathLike, Iterable[PathLike], None], config: Union[Config, PathLike, Mapping[str, Any], None] = None, *,
           ready: int = 2, shard: Optional[Shard] = None, bbox: Optional[Sequence[float]] = None, on_error: str = "raise",
           share: int = 1) -> TileStream:
    """Processes tiles and hands them over, one after the other, instead of writing them: what ``tuile process`` would write, bit for bit.

    While one tile is looked at, the next are loaded and computed by threads of the run; the GIL is free meanwhile. Tiles come in the run's
    order, in which neighbours stand near each other; it depends on nothing but the inputs.

    Args:
        inputs: files, folders, globs, http(s) URLs or ``@list.txt``; None: what the configuration names as ``input``.
        config: a :class:`Config`, the path of a YAML file, or a mapping of settings; None: the defaults. ``output`` and ``write`` are not
            used.
        ready: finished tiles that may wait to be taken; then the run pauses. They count beyond ``memory.budget``.
        shard: (I, N) or "I/N": the I-th of N parts of the tiles.
        bbox: (x0, y0, x1, y1), metres: only points inside are handed over (``tile.points.rows`` are their places in the file).
        on_error: what a tile that fails does in its turn: "raise" a :class:`TileError` (the iterator can be asked for the tile after it);
            "skip" it (it is logged, and in ``.failed``); "yield" it as a :class:`FailedTile`. Inputs that are no tiles come first.
        share: processes of this machine that work side by side: threads and memory, where the configuration leaves them to ``auto``, are
            this part of what there is.

    Returns:
        An iterator of :class:`StreamedTile`: path, name, index, points (TilePoints), features ((N, F) float32), feature_names, matrix
        (FeatureMatrix), valid ((N,) bool or None), labels, label_source ((N,) uint8 or None), label_object ((N,) int32 or None),
        object_ids. Also a context manager with ``close()``.

    Raises:
        InvalidArgument, TypeError, ConfigError: an argument or key that is none. The iterator raises, besides TileError, what ends the run:
        ConfigError (no tiles; inputs of one name), BackendUnavailable; Cancelled once closed; KeyboardInterrupt (and can go on).

    Example:
        >>> with tuile.stream("tiles/", {"features": {"set": "lod2"}}) as tiles:
        ...     for tile in tiles:
        ...         print(tile.name, tile.features.shape, tile.points.origin)
    """
    return TileStream(Config.of(config), [] if inputs is None else _validate.paths(inputs), _validate.shard(shard), _validate.box(bbox),
                      _validate.whole("ready", ready, 1, "tiles"), _validate.choice("on_error", on_error, ("raise", "skip", "yield")), _validate.whole("share", share, 1, "processes"))
