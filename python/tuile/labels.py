"""Labels from ground truth."""
from typing import TYPE_CHECKING, Any, List, Mapping, NamedTuple, Optional

from ._core import GroundTruth, TilePoints
from .errors import InvalidArgument
from .feature_processor import FeatureProcessor

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Labels(NamedTuple):
    """Labels of a tile's points.

    ``labels`` (N,) uint8: ASPRS classes, 64 and up the user's; ``source`` (N,) uint8: 0 the file's own class, else the layer (from 1) that the
    class comes from, 254: changed by NDVI; ``object`` (N,) int32: row of ``object_ids``, -1: none; ``object_ids``: the objects' identifiers.
    """

    labels: "npt.NDArray[np.uint8]"
    source: "npt.NDArray[np.uint8]"
    object: "npt.NDArray[np.int32]"
    object_ids: List[str]


def label(tile: TilePoints, ground_truth: GroundTruth, features: Optional[Mapping[str, Any]] = None, *,
          valid: Optional["npt.NDArray[Any]"] = None) -> Labels:
    """Labels a tile's points as the command line does.

    Args:
        tile: the points.
        ground_truth: that of the tile, every layer sound.
        features: columns by name, (N,) each; what the conditions of the layers read (``ground_truth.label_needs``) and is not among them is
            computed without neighbouring tiles.
        valid: (N,) bool: points left out by preprocessing, which keep the file's class; None: all are valid.

    Raises:
        InvalidArgument: a layer that is not sound, a column of another length.
    """
    if not isinstance(ground_truth, GroundTruth):
        raise TypeError(f"ground_truth is a {type(ground_truth).__name__}; the GroundTruth that came with the tile is expected")
    unsound = [f"{layer.name} ({layer.outcome}: {layer.reason})" for layer in ground_truth.layers if not layer.sound]
    if unsound:
        raise InvalidArgument("labels cannot be made from a part of the ground truth; missing: " + "; ".join(unsound))
    columns = dict(features or {})
    missing = [name for name in ground_truth.label_needs if name not in columns]
    if missing:
        columns.update(FeatureProcessor().compute_features(tile, names=missing))
    names = ground_truth.label_needs
    return Labels(*ground_truth._label(tile, names, [columns[name] for name in names], valid))
