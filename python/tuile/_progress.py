"""A run's progress in one line, as the command line shows it."""
import sys
import time
from typing import Any, NamedTuple, Optional, TextIO


class Progress(NamedTuple):
    """How a run stands, after each tile.

    ``done``, ``failed``, ``skipped`` (done before) and ``total`` count tiles; ``points`` are those of the tiles done in this run;
    ``seconds`` since its start; ``waiting_for`` is what the computation waited for most so far: "load", "write" or "".
    """

    done: int
    failed: int
    skipped: int
    total: int
    points: int
    seconds: float
    waiting_for: str


class ProgressLine:
    """Draws the line over itself on standard error, ten times a second at most.

    Args:
        show: None draws on terminals only.
    """

    def __init__(self, show: Optional[bool] = None, stream: Optional[TextIO] = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self.shown = self._stream.isatty() if show is None else show
        self._drawn = 0.0
        self._width = 0

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *_: Any) -> None:
        if self._width > 0:
            self._stream.write("\n")
            self._stream.flush()

    def update(self, progress: Progress) -> None:
        ended = progress.done + progress.failed + progress.skipped
        if not self.shown or (time.monotonic() - self._drawn < 0.1 and ended < progress.total):
            return
        line = text_of(progress)
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._width = len(line)
        self._drawn = time.monotonic()


def text_of(progress: Progress) -> str:
    """The line itself."""
    ended = progress.done + progress.failed + progress.skipped
    worked = ended - progress.skipped
    filled = 24 * ended // progress.total if progress.total > 0 else 24
    rate = progress.points / progress.seconds if progress.seconds > 0 else 0.0
    left = int(progress.seconds / worked * (progress.total - ended)) if worked > 0 else 0
    line = (f"[{'#' * filled}{'.' * (24 - filled)}] {ended}/{progress.total} tiles  {1e-6 * rate:.2f} M points/s  "
            f"{left // 60:02d}:{left % 60:02d} left")
    if progress.failed > 0:
        line += f"  {progress.failed} failed"
    if progress.waiting_for:
        line += f"  waits for {progress.waiting_for}"
    return line
