"""Shapes as grids: a signed distance and a paint for every voxel, and files of many of them.

Every shape is brought to unit size and stands on the ground: its longest side fills the grid but for a margin, its
middle is in the middle, its lowest point at the margin's top. Nothing in a grid says how large the thing would be.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.shape_draft import Part, Shape
from training.shape_parts import Floats

Bytes = NDArray[np.uint8]
SIDE = 48
MARGIN = 1 / 16  # of the side, empty all around: 3 voxels of 48
BAND = 3.0  # voxels: distances beyond are cut off
SPECK = 12  # voxels: smaller pieces that hang on nothing are none
SLIGHT = np.float32(0.05)
THIN = 1.75  # voxels: thinner parts are made as thick as this, or the grid could not hold them


@dataclass(frozen=True)
class Grid:
    """Indexed by x (to the right), y (up) and z (to the front)."""

    distance: Floats  # in voxels, negative inside, from -BAND to BAND
    paint: Bytes  # of the nearest part
    palette: Bytes  # (n, 3): the paints' RGB

    @property
    def colour(self) -> Bytes:
        return self.palette[self.paint]


def grid(shape: Shape, side: int = SIDE) -> Grid:
    low, high = shape.bounds()
    scale = side * (1 - 2 * MARGIN) / float((high - low).max())  # voxels per unit
    middle = np.array([side / 2, 0, side / 2]) - (low + high) / 2 * scale
    middle[1] = side * MARGIN - low[1] * scale
    origin = (middle - 0.5).astype(np.float32)  # where the shape's own (0, 0, 0) lies, in voxel numbers
    band = BAND + scale * max(part.blend for part in shape.parts)
    distance = np.full((side, side, side), band, np.float32)
    paint = np.zeros((side, side, side), np.uint8)
    for part in shape.parts:
        put(part, scale, origin, band, distance, paint)
    under = (np.arange(side, dtype=np.float32) - origin[1])[None, :, None]
    np.maximum(distance, -under, out=distance)
    return Grid(whole(np.clip(distance, -BAND, BAND)), paint, np.array(shape.palette, np.uint8))


def whole(distance: Floats) -> Floats:
    """Without what the voxels break off thin edges, and without hollows that nobody can look into."""
    pieces, count = ndimage.label(distance < 0)
    if count > 1:
        sizes = np.bincount(pieces.ravel())
        specks = (sizes <= SPECK)[pieces] & (pieces > 0)
        distance = np.where(specks, SLIGHT - distance, distance)
    spaces, count = ndimage.label(distance >= 0)
    if count > 1:
        distance = np.where((spaces > 0) & (spaces != spaces[0, 0, 0]), -distance - SLIGHT, distance)
    return distance


def put(part: Part, scale: float, origin: Floats, band: float, distance: Floats, paint: Bytes) -> None:
    """Joins one part with what is in the grid, only where it can make a difference."""
    reach = 0.0 if part.role == "paint" else band
    low, high = (corner * scale + origin for corner in part.bounds())
    first = np.clip(np.floor(low - reach), 0, len(distance)).astype(int)
    last = np.clip(np.ceil(high + reach) + 1, 0, len(distance)).astype(int)
    where = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    new = distances(part, scale, origin, first, last)
    old, painted = distance[where], paint[where]
    if part.role == "add":
        nearer = new < old
        join(old, new, part.blend * scale)
    elif part.role == "cut":
        nearer = -new > old
        np.maximum(old, -new, out=old)
    else:
        nearer = new < 0
    if part.paint is not None:
        np.copyto(painted, np.uint8(part.paint), where=nearer)


def distances(part: Part, scale: float, origin: Floats, first: NDArray[Any], last: NDArray[Any]) -> Floats:
    """The part's distance in voxels, on a box of voxels."""
    axes = [
        ((np.arange(a, b, dtype=np.float32) - o) / np.float32(scale) - at).astype(np.float32)
        for a, b, o, at in zip(first, last, origin, part.at, strict=True)
    ]
    x, y, z = np.ix_(*axes)
    if part.turn is not None:  # back into the solid's own place; what does not depend on an axis stays flat along it
        x, y, z = (
            sum((np.float32(t) * axis for t, axis in zip(column, (x, y, z), strict=True) if abs(t) > 1e-6), 0 * x[:1])
            for column in part.turn.T
        )
    result = part.solid.distance(x, y, z) * np.float32(scale)
    if part.role == "add" and (thick := part.solid.thin * scale) < THIN:
        result = result - np.float32((THIN - thick) / 2)
    return np.broadcast_to(result, tuple(last - first))


def join(old: Floats, new: Floats, blend: float) -> None:
    if blend <= 0:
        np.minimum(old, new, out=old)
        return
    seam = np.maximum(np.float32(blend) - abs(old - new), 0)
    np.subtract(np.minimum(old, new), seam * seam * np.float32(0.25 / blend), out=old)


def packed(one: Grid) -> bytes:
    """Distances in 255 steps, paints where the surface is near, both compressed."""
    steps = np.rint(one.distance * (127 / BAND)).astype(np.int8)
    paint = np.where(abs(steps) < 127, one.paint, 0).astype(np.uint8)
    changes = np.diff(steps.ravel(), prepend=np.int8(0)).astype(np.int8)
    head = bytes([len(one.palette), len(steps)]) + one.palette.tobytes()
    return head + zlib.compress(changes.tobytes() + paint.tobytes())


def unpacked(data: bytes) -> Grid:
    colours, side = data[0], data[1]
    palette = np.frombuffer(data, np.uint8, 3 * colours, 2).reshape(-1, 3)
    both = np.frombuffer(zlib.decompress(data[2 + 3 * colours :]), np.int8).reshape(2, -1)
    steps = np.cumsum(both[0], dtype=np.int8).reshape(side, side, side)
    paint = both[1].view(np.uint8).reshape(steps.shape)
    return Grid(steps.astype(np.float32) * np.float32(BAND / 127), paint, palette)


def save(file: Path, seeds: Iterable[int], grids: Iterable[Grid]) -> int:
    """Writes the grids and the seeds they came from; the size of the packed grids in bytes."""
    blobs = [packed(one) for one in grids]
    ends = np.cumsum([len(blob) for blob in blobs])
    np.savez(file, seeds=np.array(list(seeds), np.int64), ends=ends, data=np.frombuffer(b"".join(blobs), np.uint8))
    return int(ends[-1])


@dataclass(frozen=True)
class Stored:
    """A file of grids: its seeds give shapes, facts and captions back."""

    seeds: NDArray[np.int64]
    ends: NDArray[np.int64]
    data: Bytes

    @classmethod
    def load(cls, file: Path) -> Stored:
        with np.load(file, allow_pickle=False) as arrays:
            return cls(arrays["seeds"], arrays["ends"], arrays["data"])

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, number: int) -> Grid:
        start = int(self.ends[number - 1]) if number else 0
        return unpacked(self.data[start : int(self.ends[number])].tobytes())
