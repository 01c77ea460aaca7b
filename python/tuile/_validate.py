"""What callers give, checked once: each function returns the value as the C++ side takes it, or raises an error that names it and what is
expected. Types that are none raise TypeError, values that are none InvalidArgument (a ValueError)."""
import math
import numbers
import operator
import os
from typing import Any, Iterable, List, Optional, Sequence, Tuple, Union

from .errors import InvalidArgument

PathLike = Union[str, "os.PathLike[str]"]
Paths = Union[PathLike, Iterable[PathLike]]
Box = Tuple[float, float, float, float]
Shard = Union[str, Tuple[int, int]]

_MOST = 2**31 - 1


def _given(name: str, value: Any) -> str:
    return f"{name} is {value!r} of type {type(value).__name__}"


def whole(name: str, value: Any, least: int, what: str, most: int = _MOST) -> int:
    """A whole number of `what`: an int, or what counts as one (NumPy's are), no bool."""
    limits = f"a whole number of {what} from {least}" + ("" if most == _MOST else f" to {most}")
    if isinstance(value, bool):
        raise TypeError(f"{_given(name, value)}; {limits} is expected")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{_given(name, value)}; {limits} is expected") from None
    if not least <= number <= most:
        raise InvalidArgument(f"{name} is {number}; {limits} is expected")
    return number


def metres(name: str, value: Any, zero: bool = False) -> float:
    """A finite length above 0, or with `zero` of at least 0."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{_given(name, value)}; a number of metres is expected")
    length = float(value)
    if not (math.isfinite(length) and (length > 0 or (zero and length == 0))):
        raise InvalidArgument(f"{name} is {length:g}; a finite number of metres {'of at least' if zero else 'above'} 0 is expected")
    return length


def choice(name: str, value: Any, choices: Sequence[Any]) -> Any:
    """One of `choices`, of its very type: 1 is not True."""
    for one in choices:
        if type(value) is type(one) and value == one:
            return one
    raise InvalidArgument(f"{name} is {value!r}; {', '.join(map(repr, choices[:-1]))} or {choices[-1]!r} is expected")


def function(name: str, value: Any, expected: str = "a function") -> Any:
    """Something that can be called."""
    if not callable(value):
        raise TypeError(f"{_given(name, value)}; {expected} is expected")
    return value


def text(name: str, value: Any, expected: str) -> str:
    """Text."""
    if not isinstance(value, str):
        raise TypeError(f"{_given(name, value)}; {expected} is expected")
    return value


def texts(name: str, value: Any, what: str) -> List[str]:
    """A list of texts; text is split at its commas. what: "names of features" """
    if isinstance(value, str):
        value = value.split(",")
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{_given(name, value)}; {what} are expected")
    listed = list(value)
    for one in listed:
        if not isinstance(one, str):
            raise TypeError(f"{name} holds {one!r} of type {type(one).__name__}; {what} are expected")
    return [one.strip() for one in listed]


def path(name: str, value: Any) -> str:
    """A path or URL as text."""
    return text(name, os.fspath(value) if isinstance(value, os.PathLike) else value, "text or a pathlib.Path")


def paths(value: Any) -> List[str]:
    """Paths as text. A single one is a list of one."""
    if isinstance(value, (str, os.PathLike)):
        value = [value]
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{_given('paths', value)}; a path or several are expected")
    listed = [path("a path", one) for one in value]
    if not listed:
        raise InvalidArgument("no paths were given; one tile at least is expected")
    return listed


def box(value: Any) -> Optional[Box]:
    """(x0, y0, x1, y1) in metres, or None."""
    expected = "(x0, y0, x1, y1), four numbers in metres, x0 <= x1 and y0 <= y1 and none of them NaN, is expected"
    if value is None:
        return None
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise TypeError(f"{_given('bbox', value)}; {expected}")
    corners = tuple(value)
    try:
        x0, y0, x1, y1 = (float(corner) for corner in corners)
    except (TypeError, ValueError):
        raise InvalidArgument(f"bbox is {corners!r}; {expected}") from None
    if not (x0 <= x1 and y0 <= y1):
        raise InvalidArgument(f"bbox is {(x0, y0, x1, y1)}; {expected}")
    return x0, y0, x1, y1


def shard(value: Optional[Shard]) -> str:
    """ "I/N", or "" for all."""
    expected = "'I/N' or (I, N) is expected, with 0 <= I < N"
    if value is None:
        return ""
    if isinstance(value, str):
        if not value:
            raise InvalidArgument(f"shard is empty; {expected}")
        return value
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return f"{value[0]}/{value[1]}"
    raise TypeError(f"{_given('shard', value)}; {expected}")
