"""Airborne LiDAR tiles to per-point features, ground-truth labels and ML-ready datasets."""
from ._core import __version__
from .config import Config, presets
from .errors import (BackendUnavailable, Cancelled, ConfigError, CorruptData, DeviceError, Error, InvalidArgument, IoError, NotFound, OutOfMemory,
                     PermissionDenied, TileError, TimeoutError, Unsupported)
from ._progress import Progress
from .processor import Job, JobList, LiDARProcessor, verify
from .summary import FailedTile, RunSummary
