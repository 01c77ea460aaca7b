"""What goes with the points of a tile."""
from typing import NamedTuple


class Bounds(NamedTuple):
    """A rectangle in the plane, metres in the tile's CRS, closed on every side."""

    min_x: float
    min_y: float
    max_x: float
    max_y: float
