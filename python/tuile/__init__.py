"""Airborne LiDAR tiles to per-point features, ground-truth labels and ML-ready datasets."""
import importlib
from typing import TYPE_CHECKING

from ._core import GroundTruth, StreamedTile, TilePoints, TruthLayer, __version__
from .config import Config, presets
from .errors import (BackendUnavailable, Cancelled, ConfigError, CorruptData, DeviceError, Error, InvalidArgument, IoError, NotFound, OutOfMemory,
                     PermissionDenied, TileError, TimeoutError, Unsupported)
from ._progress import Progress
from .files import info, read, write_laz
from .feature_processor import Feature, FeatureMatrix, FeatureProcessor, GPUProcessor, features, list_features
from .labels import Labels, label
from .loader import AsyncPipeline, AsyncTileLoader, TileFuture
from .processor import Job, JobList, LiDARProcessor, verify
from .stream import TileStream, stream
from .summary import FailedTile, RunSummary
from .tiles import Bounds
from .wfs_cache import WFSMemoryCache

__all__ = [
    "__version__", "AsyncPipeline", "AsyncTileLoader", "BackendUnavailable", "Bounds", "Cancelled", "Config", "ConfigError",
    "CorruptData", "DeviceError", "Error", "FailedTile", "Feature", "FeatureMatrix", "FeatureProcessor", "features", "GPUProcessor", "GroundTruth",
    "info", "InvalidArgument", "IoError", "Job", "JobList", "label", "Labels", "LiDARProcessor", "list_features", "NotFound",
    "OutOfMemory", "PermissionDenied", "presets", "Progress", "read", "RunSummary", "stream", "StreamedTile", "TileError", "TileFuture",
    "TilePoints", "TileStream", "TimeoutError", "TruthLayer", "Unsupported", "verify", "WFSMemoryCache", "write_laz",
]

if TYPE_CHECKING:
    from . import dask as dask, torch as torch
else:

    def __getattr__(name):
        # What wants packages of its own is imported when it is asked for.
        if name in ("dask", "torch"):
            return importlib.import_module(f".{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
