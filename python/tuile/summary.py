"""What a run tells when it has ended."""
import json
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Type

from . import _core, errors

_ERROR_OF_KIND: Dict[str, Type[errors.Error]] = {kind: getattr(errors, name) for kind, (name, _) in _core.error_kinds().items()}


class FailedTile(NamedTuple):
    """A tile of a run that was not done, and why.

    ``kind`` is the name of the kind of error, as in reports ("corrupt", "io", "not_found" …); ``message`` names the place.
    """

    path: str
    kind: str
    message: str

    def error(self) -> errors.TileError:
        """The failure as the exception that would have been raised, with its typed cause in ``.error``."""
        prefix = f"{self.path}: "
        message = self.message[len(prefix):] if self.message.startswith(prefix) else self.message
        return errors.TileError(self.path, _ERROR_OF_KIND.get(self.kind, errors.Error)(message))


def kind_of(error: BaseException) -> str:
    """The kind of an exception, as FailedTile has it."""
    for kind, error_class in _ERROR_OF_KIND.items():
        if isinstance(error, error_class):
            return kind
    return "io"


class RunSummary(Mapping[str, Any]):
    """A finished run: a mapping over the JSON that ``tuile process --json`` prints, and the numbers most asked for as attributes.

    Attributes:
        tiles_total, tiles_done, tiles_skipped, tiles_not_begun: tiles; those skipped were done before.
        failed: the tiles that were not done, each with its reason, sorted by path.
        points: points in the tiles done.
        wall_seconds, cpu_seconds: of the run.
        text: the summary for people, several lines.
    """

    def __init__(self, json_text: str, text: str) -> None:
        self._data: Dict[str, Any] = json.loads(json_text)
        self.text = text

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return (f"<tuile.RunSummary: {self.tiles_done} of {self.tiles_total} tiles done, {self.tiles_skipped} skipped, "
                f"{len(self.failed)} failed>")

    def to_json(self) -> str:
        """The summary as JSON text."""
        return json.dumps(self._data, indent=2, ensure_ascii=False)

    @property
    def tiles_total(self) -> int:
        return int(self._data["tiles"]["total"])

    @property
    def tiles_done(self) -> int:
        return int(self._data["tiles"]["done"])

    @property
    def tiles_skipped(self) -> int:
        return int(self._data["tiles"]["skipped"])

    @property
    def tiles_not_begun(self) -> int:
        return int(self._data["tiles"]["not_begun"])

    @property
    def points(self) -> int:
        return int(self._data["points"])

    @property
    def wall_seconds(self) -> float:
        return float(self._data["wall_seconds"])

    @property
    def cpu_seconds(self) -> float:
        return float(self._data["cpu_seconds"])

    @property
    def notes(self) -> List[str]:
        """What was noticed about the inputs: overlaps, copies."""
        return list(self._data["notes"])

    @property
    def failed(self) -> List[FailedTile]:
        return [FailedTile(tile["path"], tile["kind"], tile["message"]) for tile in self._data["failed"]]

    def raise_for_failures(self) -> None:
        """Raises the first failure where there is one; its message names the others.

        Raises:
            TileError: ``.path`` is the tile, ``.error`` the typed exception.
        """
        failed = self.failed
        if not failed:
            return
        first = failed[0].error()
        if len(failed) > 1:
            others = ", ".join(tile.path for tile in failed[1:6]) + (" …" if len(failed) > 6 else "")
            plural = "s" if len(failed) > 2 else ""
            raise errors.TileError(first.path, type(first.error)(f"{first.error}; {len(failed) - 1} other tile{plural} failed: {others}"))
        raise first


def failed_tiles(failures: Sequence[Sequence[str]]) -> List[FailedTile]:
    """FailedTiles out of the tuples that _core gives."""
    return [FailedTile(*failure) for failure in failures]
