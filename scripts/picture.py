#!/usr/bin/env python3
"""picture.py OUT FILE.png: what `make demo` computed, seen from above: labels, planarity and height above ground, side by side.

Takes the highest point of each pixel. docs/town.png is made by: scripts/picture.py demo/out docs/town.png"""
import pathlib
import struct
import sys
import zlib

import numpy as np

SIDE = 300  # pixels of a panel
CLASSES = {1: (150, 150, 150), 2: (181, 143, 98), 3: (170, 210, 120), 4: (110, 180, 80), 5: (50, 130, 50), 6: (214, 69, 65), 9: (70, 130, 200),
           10: (110, 80, 120), 11: (90, 90, 100), 14: (240, 200, 60), 15: (220, 120, 40), 17: (200, 160, 220)}
RAMP = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)], dtype=float)


def ramp(values):
    """Colours of numbers from 0 to 1, in 24 steps."""
    steps = np.clip(np.round(np.nan_to_num(values) * 23), 0, 23) / 23 * (len(RAMP) - 1)
    low = np.minimum(steps.astype(int), len(RAMP) - 2)
    return RAMP[low] + (RAMP[low + 1] - RAMP[low]) * (steps - low)[:, None]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(path, pixels):
    """pixels: (H, W, 3) uint8 with at most 256 colours."""
    colours, index = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    rows = index.reshape(pixels.shape[:2]).astype(np.uint8)
    raw = np.hstack([np.zeros((len(rows), 1), np.uint8), rows]).tobytes()
    head = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], 8, 3, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"PLTE", colours.astype(np.uint8).tobytes()) +
                     chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def main(folder, target):
    tiles = [np.load(path) for path in sorted(pathlib.Path(folder).glob("*.npz"))]
    xyz = np.concatenate([tile["xyz"] + tile["origin"] for tile in tiles])
    names = list(tiles[0]["feature_names"])
    features = np.concatenate([tile["features"] for tile in tiles])
    labels = np.concatenate([tile["labels"] for tile in tiles])
    order = np.argsort(xyz[:, 2], kind="stable")  # the highest comes last and stays
    low = xyz.min(axis=0)
    at = ((xyz[order, :2] - low[:2]) / (np.ptp(xyz[:, :2], axis=0).max() / (SIDE - 1))).astype(int)
    height = features[order, names.index("height_above_ground")]
    panels = [np.array([CLASSES.get(c, (196, 186, 214)) for c in range(256)], dtype=float)[labels[order]],
              ramp(features[order, names.index("planarity")]), ramp(height / 20)]
    picture = np.full((SIDE, 3 * SIDE + 20, 3), 255, np.uint8)
    for p, colours in enumerate(panels):
        picture[SIDE - 1 - at[:, 1], at[:, 0] + p * (SIDE + 10)] = colours.astype(np.uint8)
    write_png(pathlib.Path(target), picture)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: picture.py OUT FILE.png")
    main(sys.argv[1], sys.argv[2])
