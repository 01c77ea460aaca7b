"""Features of points in memory: of tiles, exactly what the command line computes, and of any array of coordinates."""
import functools
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Literal, Mapping, NamedTuple, Optional, Sequence, Tuple, Union, overload

from . import _core, _validate
from ._core import FeatureMatrix as FeatureMatrix
from ._gpu import gpu_or_cpu
from .config import Config, PathLike
from .errors import InvalidArgument

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ._core import TilePoints

Points = Union["TilePoints", "npt.NDArray[Any]", Sequence[Sequence[float]]]
Names = Union[str, Sequence[str]]
Columns = Dict[str, "npt.NDArray[np.float32]"]
Features = Union[Columns, FeatureMatrix]
Scale = Union[Mapping[str, float], int]

def _k(value: Optional[int]) -> Optional[int]:
    return None if value is None else _validate.whole("k", value, 3, "neighbours (the point itself counts)", 4096)


def _scales(scales: Optional[Iterable[Scale]]) -> Optional[List[Tuple[Optional[int], Optional[float]]]]:
    if scales is None:
        return None
    out: List[Tuple[Optional[int], Optional[float]]] = []
    for scale in scales:
        if isinstance(scale, Mapping) and len(scale) == 1 and set(scale) <= {"k", "radius"}:
            out.append((_k(scale.get("k")), None) if "k" in scale else (None, _validate.metres("radius", scale["radius"])))  # type: ignore[arg-type]
        else:
            raise InvalidArgument(f"scales holds {scale!r}; {{'k': neighbours}} or {{'radius': metres}} is expected")
    return out


def _halo(halo: Any) -> List["TilePoints"]:
    if halo is None:
        return []
    if isinstance(halo, _core.TilePoints):
        return [halo]
    tiles = list(halo)
    for tile in tiles:
        if not isinstance(tile, _core.TilePoints):
            raise TypeError(f"halo holds a {type(tile).__name__}; TilePoints, the neighbouring tiles, are expected")
    return tiles


class FeatureProcessor:
    """Computes features of points in memory. Threads may share one: their calls queue.

    Args:
        backend: "auto" (the best that can run here), "cpu" or "cuda". "auto" with a configuration is the configuration's.
        threads: computing threads; None: one per processor that the process may use.
        config: what calls do not say themselves: the features, k, radius, scales, preprocessing and the halo's width. A
            :class:`Config`, the path of a YAML file or a mapping; None: the command line's defaults.

    Raises:
        BackendUnavailable: the backend asked for cannot run here; says why.
        ConfigError, InvalidArgument: a value that is none.
    """

    def __init__(self, backend: str = "auto", threads: Optional[int] = None, *,
                 config: Union[Config, PathLike, Mapping[str, Any], None] = None) -> None:
        self._config = Config.of(config)
        backend = _validate.text("backend", backend, "\"auto\", \"cpu\" or \"cuda\"")
        chosen = _core.backend_of(self._config._native) if backend == "auto" else backend
        self._computer = _core.FeatureComputer(chosen, 0 if threads is None else _validate.whole("threads", threads, 0, "threads"))

    @property
    def backend(self) -> str:
        """Name of the backend that computes: "cpu" or "cuda"."""
        return self._computer.backend

    @property
    def description(self) -> str:
        """What it runs on, e.g. "cpu, AVX-512, 16 threads"."""
        return self._computer.description

    @property
    def config(self) -> Config:
        """What calls do not say themselves."""
        return self._config

    def report(self) -> Dict[str, Any]:
        """What was computed so far.

        Returns:
            backend, description, reason (of "auto": why not a better backend), threads, tiles, points, compute_seconds (inside the
            backend), batches_halved, tiles_in_blocks, tiles_moved, and devices: a dict per GPU (id, name, tiles, busy_seconds, uploaded and
            downloaded bytes, allocations, reused, memory_peak in bytes, lost).
        """
        return self._computer.report()

    @overload
    def compute_features(self, points: Points, k: Optional[int] = ..., *, names: Optional[Names] = ..., radius: Optional[float] = ...,
                         max_neighbors: Optional[int] = ..., scales: Optional[Iterable[Scale]] = ..., halo: Any = ...,
                         halo_width: Optional[float] = ..., scale: Optional[float] = ..., classification: Any = ..., intensity: Any = ...,
                         rgb: Any = ..., nir: Any = ..., as_matrix: Literal[False] = ...) -> Columns: ...

    @overload
    def compute_features(self, points: Points, k: Optional[int] = ..., *, names: Optional[Names] = ..., radius: Optional[float] = ...,
                         max_neighbors: Optional[int] = ..., scales: Optional[Iterable[Scale]] = ..., halo: Any = ...,
                         halo_width: Optional[float] = ..., scale: Optional[float] = ..., classification: Any = ..., intensity: Any = ...,
                         rgb: Any = ..., nir: Any = ..., as_matrix: Literal[True]) -> FeatureMatrix: ...

    def compute_features(self, points: Points, k: Optional[int] = None, *, names: Optional[Names] = None, radius: Optional[float] = None,
                         max_neighbors: Optional[int] = None, scales: Optional[Iterable[Scale]] = None, halo: Any = None,
                         halo_width: Optional[float] = None, scale: Optional[float] = None, classification: Any = None,
                         intensity: Any = None, rgb: Any = None, nir: Any = None, as_matrix: bool = False) -> Features:
        """Features of every point.

        Of a :class:`TilePoints` they are what ``tuile process`` computes for the tile with these neighbours, bit for bit: on the
        file's grid, with its classes and attributes, preprocessing included. Of an array they are those of its coordinates: on the
        coarsest grid of 0.01, 0.001 or 0.0001 m on which all of them lie (else rounded to some 2^24 units along the longest side).

        Args:
            points: a TilePoints, or (N, 3) metres: floats or integers of any layout; nothing is copied but to the other byte order.
            k: neighbours, the point itself included, 3 to 4096; None: the configuration's, 20 by default.
            names: columns in the wanted order, or one set: "minimal", "lod2", "asprs", "lod3", "full"; None: the configuration's set,
                "lod2" by default. Of a set, an array gives the columns that are made of what is known of it.
            radius: metres: neighbours are all points within it, at most the nearest ``max_neighbors``, instead of the k nearest.
            max_neighbors: see radius; 3 to 65536; None: the configuration's, 200 by default.
            scales: further neighbourhoods, whose columns are appended: ``[{"k": 50}, {"radius": 2}]`` gives ``planarity_k50`` …
            halo: neighbouring tiles (TilePoints, whole or in part): their points near the tile are neighbours, too.
            halo_width: metres around the tile that count as near; None: the configuration's, 10 by default.
            scale: of an array: metres per unit of the grid; None: chosen as above.
            classification: of an array: (N,) class codes, 2 is ground; for height_above_ground and what is made of it.
            intensity: of an array: (N,) 0 to 65535.
            rgb: of an array: (N, 3) 16-bit colours.
            nir: of an array: (N,) 16-bit near infrared; with rgb it gives ndvi.
            as_matrix: return the :class:`FeatureMatrix` itself, with (N, F) ``values``, instead of a dict.

        Returns:
            A dict from name to (N,) float32, in the order of the columns; :func:`list_features` has the units. The arrays are writable
            views of one (N, F) block, which they keep alive; ``torch.from_dlpack`` and ``torch.from_numpy`` take them without a copy.

        Raises:
            TypeError: points that are no numbers, k that is no integer …
            InvalidArgument: another shape than (N, 3), no points, coordinates that are not finite (names the first row), k below 3 or above
                the number of an array's points, a name that is none (with the nearest).
            Unsupported: coordinates that fit no grid.
            Cancelled, DeviceError, OutOfMemory: as they say.
        """
        matrix, = self._compute([points], k, names, radius, max_neighbors, scales, halo, halo_width, scale=scale,
                                classification=classification, intensity=intensity, rgb=rgb, nir=nir)
        return matrix if as_matrix else matrix.columns()

    @overload
    def process_tile_batch(self, tiles: Iterable[Points], k: Optional[int] = ..., *, names: Optional[Names] = ...,
                           radius: Optional[float] = ..., max_neighbors: Optional[int] = ..., scales: Optional[Iterable[Scale]] = ...,
                           halo: Any = ..., halo_width: Optional[float] = ..., as_matrix: Literal[False] = ...) -> List[Columns]: ...

    @overload
    def process_tile_batch(self, tiles: Iterable[Points], k: Optional[int] = ..., *, names: Optional[Names] = ...,
                           radius: Optional[float] = ..., max_neighbors: Optional[int] = ..., scales: Optional[Iterable[Scale]] = ...,
                           halo: Any = ..., halo_width: Optional[float] = ..., as_matrix: Literal[True]) -> List[FeatureMatrix]: ...

    def process_tile_batch(self, tiles: Iterable[Points], k: Optional[int] = None, *, names: Optional[Names] = None,
                           radius: Optional[float] = None, max_neighbors: Optional[int] = None, scales: Optional[Iterable[Scale]] = None,
                           halo: Any = None, halo_width: Optional[float] = None, as_matrix: bool = False) -> List[Any]:
        """Features of several tiles in one call of the backend; each result is the same as alone.

        Args:
            tiles: what :meth:`compute_features` takes, any number.
            halo: neighbouring tiles of any of them; a tile's own are those within halo_width. Give the tiles themselves where they adjoin.
            k, names, radius, max_neighbors, scales, halo_width, as_matrix: as of :meth:`compute_features`.

        Returns:
            One result per tile, in order.

        Raises:
            As :meth:`compute_features`.
        """
        matrices = self._compute(list(tiles), k, names, radius, max_neighbors, scales, halo, halo_width)
        if as_matrix:
            return matrices
        return [matrix.columns() for matrix in matrices]

    def _compute(self, tiles: List[Points], k: Optional[int], names: Optional[Names], radius: Optional[float], max_neighbors: Optional[int],
                 scales: Optional[Iterable[Scale]], halo: Any, halo_width: Optional[float], *, scale: Optional[float] = None,
                 **attributes: Any) -> List[FeatureMatrix]:
        return self._computer.compute(
            tiles, self._config._native, names=None if names is None else _validate.texts("names", names, "names of features, or of one set,"), k=_k(k), radius=None if radius is None else _validate.metres("radius", radius),
            max_neighbors=None if max_neighbors is None else _validate.whole("max_neighbors", max_neighbors, 3, "neighbours", 65536),
            scales=_scales(scales), halo=_halo(halo),
            halo_width=None if halo_width is None else _validate.metres("halo_width", halo_width, zero=True),
            scale=0.0 if scale is None else _validate.metres("scale", scale), **attributes)

    def __repr__(self) -> str:
        return f"<tuile.{type(self).__name__} on {self.description}>"


class GPUProcessor(FeatureProcessor):
    """A :class:`FeatureProcessor` on the GPU; where there is none that can be used it computes on the CPU, with the same results, and
    says so once (a RuntimeWarning).

    Args:
        enable_memory_pooling: for callers of other libraries: device memory is always pooled.
        threads, config: as of FeatureProcessor.
    """

    def __init__(self, enable_memory_pooling: bool = True, threads: Optional[int] = None, *,
                 config: Union[Config, PathLike, Mapping[str, Any], None] = None) -> None:
        super().__init__(gpu_or_cpu(), threads, config=config)


class Feature(NamedTuple):
    """What is known of a feature; docs/features.md is the same table.

    ``name``; ``unit``: "m", "m²", "1"; ``description``: a few words; ``range``: "[0, 1]", or "" for any number; ``undefined``: where it is
    NaN, or what it is of a degenerate neighbourhood, or "" where it is always defined; ``formula``; ``source`` of the definition, or "".
    """

    name: str
    unit: str
    description: str
    range: str
    undefined: str
    formula: str
    source: str


def list_features(names: Optional[str] = None) -> List[Feature]:
    """What can be computed.

    Args:
        names: one set ("minimal", "lod2", "asprs", "lod3", "full"); None: all.

    Returns:
        A :class:`Feature` of each, in the order of a set's columns.

    Raises:
        InvalidArgument: there is no such set.
    """
    table = {row[0]: Feature(*row) for row in _core.list_features()}
    return [table[name] for name in (table if names is None else _core.set_columns(names))]


@functools.lru_cache(maxsize=8)
def _shared(backend: str, threads: Optional[int]) -> FeatureProcessor:
    return FeatureProcessor(backend, threads)


@overload
def features(points: Points, names: Optional[Names] = ..., k: int = ..., radius: Optional[float] = ..., *,
             max_neighbors: Optional[int] = ..., scales: Optional[Iterable[Scale]] = ..., halo: Any = ...,
             halo_width: Optional[float] = ..., scale: Optional[float] = ..., classification: Any = ..., intensity: Any = ...,
             rgb: Any = ..., nir: Any = ..., as_matrix: Literal[False] = ..., backend: str = ...,
             threads: Optional[int] = ...) -> Columns: ...


@overload
def features(points: Points, names: Optional[Names] = ..., k: int = ..., radius: Optional[float] = ..., *,
             max_neighbors: Optional[int] = ..., scales: Optional[Iterable[Scale]] = ..., halo: Any = ...,
             halo_width: Optional[float] = ..., scale: Optional[float] = ..., classification: Any = ..., intensity: Any = ...,
             rgb: Any = ..., nir: Any = ..., as_matrix: Literal[True], backend: str = ...,
             threads: Optional[int] = ...) -> FeatureMatrix: ...


def features(points: Points, names: Optional[Names] = None, k: int = 20, radius: Optional[float] = None, *,
             max_neighbors: Optional[int] = None, scales: Optional[Iterable[Scale]] = None, halo: Any = None,
             halo_width: Optional[float] = None, scale: Optional[float] = None, classification: Any = None, intensity: Any = None,
             rgb: Any = None, nir: Any = None, as_matrix: bool = False, backend: str = "auto", threads: Optional[int] = None) -> Features:
    """Features of every point: :meth:`FeatureProcessor.compute_features` of a processor that calls share.

    Args:
        points: a :class:`TilePoints`, or (N, 3) metres: floats or integers of any layout.
        names: columns in the wanted order, or one set ("minimal", "lod2", "asprs", "lod3", "full"); None: those of "lod2" that the points
            say something of.
        k: neighbours, the point itself included, 3 to 4096.
        radius: metres: neighbours are all points within it, at most the nearest ``max_neighbors``, instead of the k nearest.
        max_neighbors, scales, halo, halo_width, scale, classification, intensity, rgb, nir, as_matrix: as of
            :meth:`FeatureProcessor.compute_features`.
        backend, threads: as of :class:`FeatureProcessor`.

    Returns:
        A dict from name to (N,) float32: writable views of one (N, F) block, which they keep alive. With ``as_matrix`` the
        :class:`FeatureMatrix`.

    Raises:
        As :meth:`FeatureProcessor.compute_features` and :class:`FeatureProcessor`.

    Example:
        >>> columns = tuile.features(points, ["planarity", "normal_z"], k=30)
        >>> columns["planarity"].mean()
    """
    try:
        processor = _shared(backend, threads)
    except TypeError:  # not hashable, so no key of the cache: refused in there
        processor = FeatureProcessor(backend, threads)
    matrix, = processor._compute([points], k, names, radius, max_neighbors, scales, halo, halo_width, scale=scale,
                                 classification=classification, intensity=intensity, rgb=rgb, nir=nir)
    return matrix if as_matrix else matrix.columns()
