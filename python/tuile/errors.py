"""What tuile raises. Each class is also of the built-in kind that fits, so that ``except FileNotFoundError`` works as well. The message names
the value, what was expected and the remedy."""
import builtins
from typing import Any, Tuple


class Error(Exception):
    """Base of everything that tuile raises of its own."""


class InvalidArgument(Error, ValueError):
    """A value outside what the function takes."""


class ConfigError(Error, ValueError):
    """A configuration key or value: says where it stands, what is allowed and the nearest valid key."""


class NotFound(Error, FileNotFoundError):
    """No such file or resource."""


class PermissionDenied(Error, PermissionError):
    """The system refuses access."""


class IoError(Error, OSError):
    """Reading or writing failed; another try may succeed."""


class CorruptData(Error, ValueError):
    """Bytes that contradict themselves or their format; another try cannot help."""


class Unsupported(Error, RuntimeError):
    """Valid, but outside what tuile handles."""


class OutOfMemory(Error, MemoryError):
    """An allocation failed."""


class TimeoutError(Error, builtins.TimeoutError):
    """The caller's deadline passed; the work goes on and can be got later."""


class Cancelled(Error, RuntimeError):
    """Stopped on request: a loader that was shut down, a run that was interrupted."""


class BackendUnavailable(Error, RuntimeError):
    """The backend asked for cannot run here; the message says why."""


class DeviceError(Error, RuntimeError):
    """A GPU failed."""


class TileError(Error):
    """A tile of a run that failed: its place in the run and why. ``error`` is the exception itself."""

    def __init__(self, path: str, error: BaseException) -> None:
        super().__init__(f"{path}: {error}")
        self.path = path
        self.error = error

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.path, self.error)
