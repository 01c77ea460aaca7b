"""A cache of what services answered, bounded by its memory."""
import collections
import sys
import threading
from typing import Any, Dict, Hashable, Optional, Set

from .errors import InvalidArgument


def _size_of(value: Any, seen: Optional[Set[int]] = None) -> int:
    """Bytes that a value holds, about: arrays and ground truth tell theirs, containers count what they contain, each object once."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return 0
    seen.add(id(value))
    size = sys.getsizeof(value)
    held = getattr(value, "nbytes", None)
    if isinstance(held, int):
        return max(size, held)  # some count what they hold, views do not
    if isinstance(value, dict):
        return size + sum(_size_of(key, seen) + _size_of(item, seen) for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        return size + sum(_size_of(item, seen) for item in value)
    if hasattr(value, "__dict__"):
        return size + _size_of(vars(value), seen)
    return size


class WFSMemoryCache:
    """Keeps what was fetched, the least recently used leaves first once the memory is used up. Thread-safe.

    The loader and the main job have a cache of their own, in memory and on disk (``ground_truth.cache``); this one is for programs that
    fetch themselves.

    Args:
        max_size_mb: memory, in 2**20 bytes.

    Raises:
        InvalidArgument: not above 0.
    """

    def __init__(self, max_size_mb: float = 500) -> None:
        if not max_size_mb > 0:
            raise InvalidArgument(f"max_size_mb is {max_size_mb}; a number of MiB above 0 is expected")
        self.max_bytes = int(max_size_mb * (1 << 20))
        self._lock = threading.Lock()
        self._entries: "collections.OrderedDict[Hashable, Any]" = collections.OrderedDict()
        self._sizes: Dict[Hashable, int] = {}
        self._bytes = self._hits = self._misses = self._evictions = 0

    def get(self, key: Hashable, default: Any = None) -> Any:
        """What was put under ``key``, which becomes the most recently used; else ``default``."""
        with self._lock:
            if key not in self._entries:
                self._misses += 1
                return default
            self._hits += 1
            self._entries.move_to_end(key)
            return self._entries[key]

    def put(self, key: Hashable, value: Any) -> bool:
        """Keeps ``value`` under ``key``. Returns False where it alone is larger than the cache: then nothing is under ``key``."""
        size = _size_of(value)
        with self._lock:
            self._remove(key)
            if size > self.max_bytes:
                return False
            self._entries[key] = value
            self._sizes[key] = size
            self._bytes += size
            while self._bytes > self.max_bytes:
                self._remove(next(iter(self._entries)))
                self._evictions += 1
            return True

    def _remove(self, key: Hashable) -> None:
        if key in self._entries:
            del self._entries[key]
            self._bytes -= self._sizes.pop(key)

    def clear(self) -> None:
        """Forgets everything but the statistics."""
        with self._lock:
            self._entries.clear()
            self._sizes.clear()
            self._bytes = 0

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._entries

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def get_stats(self) -> Dict[str, Any]:
        """``hits``, ``misses``, ``hit_rate`` (0 to 1), ``evictions``, ``entries``, ``bytes``, ``max_bytes``."""
        with self._lock:
            asked = self._hits + self._misses
            return {"hits": self._hits, "misses": self._misses, "hit_rate": self._hits / asked if asked else 0.0, "evictions": self._evictions,
                    "entries": len(self._entries), "bytes": self._bytes, "max_bytes": self.max_bytes}

    def print_stats(self) -> None:
        """Prints the statistics, one item a line."""
        stats = self.get_stats()
        print("WFSMemoryCache Statistics:\n"
              f"   Entries: {stats['entries']} ({stats['bytes'] / (1 << 20):.1f} of {stats['max_bytes'] / (1 << 20):.1f} MiB)\n"
              f"   Hit Rate: {100 * stats['hit_rate']:.1f}% (hits={stats['hits']}, misses={stats['misses']})\n"
              f"   Evictions: {stats['evictions']}", flush=True)
