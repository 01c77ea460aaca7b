"""Tiles read from files and written to them."""
from typing import TYPE_CHECKING, Any, Dict, Iterable, Mapping, Optional, Union

from . import _core, _validate
from .config import PathLike
from .errors import InvalidArgument
from .feature_processor import FeatureMatrix, Points

if TYPE_CHECKING:
    from ._core import TilePoints

Crs = Union[int, str]


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
    return _core.file_info(_validate.path("path", path))


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
    return _core.wkt_of_epsg(_validate.whole("crs", crs, 1, "the EPSG registry"))


def read(path: PathLike, fields: Optional[Iterable[str]] = None, bbox: Optional[Iterable[float]] = None) -> "TilePoints":
    """Reads a LAS, LAZ or COPC file; what is not asked for is not decoded, as far as the format allows.

    Args:
        path: a file, or an http(s) URL (read by ranges).
        fields: attributes to decode besides coordinates and classes: "intensity", "returns", "rgb", "nir"; None: all that the file has.
            What it lacks is None in the result.
        bbox: (x0, y0, x1, y1), metres, closed: only points inside. Of COPC only the octree nodes that touch it are read.

    Returns:
        A :class:`TilePoints`, its arrays views of the decoded memory.

    Raises:
        NotFound, PermissionDenied, IoError, CorruptData, Unsupported: as they say; Unsupported also for coordinates in degrees.
        InvalidArgument: an attribute that there is not (with the nearest), a box that is empty.
    """
    wanted = None if fields is None else _validate.texts("fields", fields, "names of attributes")
    return _core.read_tile(_validate.path("path", path), wanted, _validate.box(bbox))


def write_laz(path: PathLike, points: Points, *, features: Optional[Union[Mapping[str, Any], FeatureMatrix]] = None, labels: Any = None,
              classification: Any = None, intensity: Any = None, rgb: Any = None, nir: Any = None, scale: Optional[float] = None,
              crs: Optional[Crs] = None, like: Optional[Union["TilePoints", PathLike]] = None) -> None:
    """Writes points as LAZ. The file appears whole or not at all.

    A :class:`TilePoints` is its file again, every dimension, VLR and EVLR bit for bit (of a tile that was read in part, the records of its
    points). An array is a new LAZ 1.4 file of point format 6, or 7 with ``rgb``, or 8 with ``nir``.

    Args:
        path: where to; its folder is made. Not the file that the tile comes from.
        points: a TilePoints, or (N, 3) metres.
        features: what :func:`features` and its like return: each column becomes a float32 extra-bytes dimension of its name, at most 32
            bytes, but for those that LAS records have anyway (x, y, z, intensity, returns, colours).
        labels: (N,) 0 to 255: an extra-bytes dimension ``label``.
        classification: (N,) class codes: instead of the tile's own; of an array the default is 1, unclassified.
        intensity: of an array: (N,) 0 to 65535.
        rgb: of an array: (N, 3) 16-bit colours.
        nir: of an array: (N,) 16-bit near infrared.
        scale: of an array: metres per unit of the file, 0.01 by default; coordinates are rounded to it.
        crs: of an array: EPSG code (2154, "EPSG:2154") or WKT.
        like: of an array: a TilePoints or a file that has the same CRS.

    Raises:
        TypeError, InvalidArgument: arrays that do not fit the points, a name too long, what belongs to arrays given with a tile.
        Unsupported: a CRS that PROJ does not know, coordinates that do not fit the scale.
        NotFound, PermissionDenied, IoError, CorruptData: as they say.
    """
    place = _validate.path("path", path)
    columns = dict(features) if isinstance(features, Mapping) else features
    if isinstance(points, _core.TilePoints):
        given = {"intensity": intensity, "rgb": rgb, "nir": nir, "scale": scale, "crs": crs, "like": like}
        superfluous = [name for name, value in given.items() if value is not None]
        if superfluous:
            raise InvalidArgument(f"{', '.join(superfluous)}: for arrays only, a tile's file stays as it is; write tile.points for another")
        _core.write_tile(place, points, features=columns, labels=labels, classification=classification)
        return
    if crs is not None and like is not None:
        raise InvalidArgument("crs and like are both given; one of them is expected")
    _core.write_points(place, points, features=columns, labels=labels, classification=classification, intensity=intensity, rgb=rgb, nir=nir,
                       scale=0.01 if scale is None else _validate.metres("scale", scale), wkt=_wkt(crs, like))
