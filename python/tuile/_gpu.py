"""What 'use the GPU' means on a machine that has none: compute on the CPU, and say so once."""
import threading
import warnings
from typing import Optional

from . import _core

_lock = threading.Lock()
_said = False


def gpu_or_cpu(stacklevel: int = 3) -> str:
    """The backend for callers who want a GPU: "cuda" where it can run here, else "cpu", with one warning in the life of the process.

    Args:
        stacklevel: whom the warning points at: 2 is the caller of this function, 3 the caller's caller.
    """
    global _said
    available, reason = _core.availability("cuda")
    if available:
        return "cuda"
    with _lock:
        first, _said = not _said, True
    if first:
        warnings.warn(f"no GPU can be used here ({reason}); computing on the CPU instead, with the same results", RuntimeWarning,
                      stacklevel=stacklevel)
    return "cpu"


def backend_for(use_gpu: Optional[bool], stacklevel: int = 3) -> Optional[str]:
    """What ``use_gpu`` asks for: None leaves the configuration's backend, False is "cpu", True as :func:`gpu_or_cpu`."""
    if use_gpu is None:
        return None
    return gpu_or_cpu(stacklevel + 1) if use_gpu else "cpu"
