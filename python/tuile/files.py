"""Tiles read from files and written to them."""
import os
from typing import TYPE_CHECKING, Any, Dict, Iterable, Mapping, Optional, Tuple, Union

from . import _core
from .config import PathLike
from .errors import InvalidArgument
from .feature_processor import FeatureMatrix, Points, _metres, _whole

if TYPE_CHECKING:
    import numpy as np

    from ._core import TilePoints

Crs = Union[int, str]


def _path(path: Any) -> str:
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"the path is {path!r} of type {type(path).__name__}; text or a pathlib.Path is expected")
    return os.fsdecode(path)


def info(path: PathLike) -> Dict[str, Any]:
    """What a LAS, LAZ or COPC file says of itself; reads its header only.

    Args:
        path: a file, or an http(s) URL.

    Returns:
        points; bounds (x0, y0, x1, y1) and z_range in metres (None without points); version, point_format, compressed, copc; scale and
        offset (of the file, three numbers each); grid_scale (metres per unit of the grid that it is read on); epsg (None where unknown),
        crs (its name), wkt; fields (attributes that it has); extra_dimensions; points_by_return; software; warnings.

    Raises:
        NotFound, PermissionDenied, IoError, CorruptData, Unsupported: as they say.
    """
    return _core.file_info(_path(path))


def _wkt(crs: Optional[Crs], like: Optional[Union["TilePoints", PathLike]]) -> str:
    if crs is None:
        if like is None:
            return ""
        said = info(like.path if isinstance(like, _core.TilePoints) else like)
        crs = said["wkt"] or said["epsg"]
        return "" if crs is None else _wkt(crs, None)
    if isinstance(crs, str):
        text = crs.strip()
        if text.upper().startswith("EPSG:") and text[5:].isdigit():
            return _wkt(int(text[5:]), None)
        if "[" not in text:
            raise InvalidArgument(f"crs is {crs!r}; an EPSG code (2154, \"EPSG:2154\") or WKT is expected")
        return text
    return _core.wkt_of_epsg(_whole("crs", crs, "an EPSG code"))
