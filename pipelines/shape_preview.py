"""Small pictures of a grid from four sides in a few milliseconds: what is seen while a thing is still being made.

Without perspective and shadows (shape_render has those): where each ray goes through the grid is known beforehand, so
a picture is a lookup, a search for the first voxel inside, and a little light.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.shape_render import LIGHT, Camera

if TYPE_CHECKING:
    from PIL.Image import Image

Floats = NDArray[np.float32]
TURNS, TILT = (35, 125, 215, 305), 22
RAYS, LARGER = 56, 2  # along a side of the picture, and how much larger it is shown
SPAN = 1.25  # of the grid's side: what a picture shows


@lru_cache(maxsize=8)
def paths(turn: float, side: int) -> NDArray[np.int32]:
    """The voxels that each ray comes by, from the front to the back: (rays, depths), flat numbers."""
    camera = Camera.at(turn, TILT, side)
    depths = round(1.5 * side)
    spot = (np.arange(RAYS) + 0.5) / RAYS - 0.5
    y, x = np.meshgrid(-spot * SPAN * side, spot * SPAN * side, indexing="ij")
    z = (0.5 - (np.arange(depths) + 0.5) / depths) * 1.5 * side
    points = (
        camera.middle + (x[..., None, None] * camera.right + y[..., None, None] * camera.up) + z[:, None] * camera.back
    )
    near = np.clip(np.rint(points), 0, side - 1).astype(np.int32)
    return ((near[..., 0] * side + near[..., 1]) * side + near[..., 2]).reshape(RAYS * RAYS, depths)


def views(distance: Floats, colour: NDArray[np.uint8]) -> tuple[Image, ...]:
    """The thing from four sides, nothing behind it. Distances in voxels, the grid empty at its border."""
    from PIL import Image as images

    size = RAYS * LARGER
    return tuple(
        images.fromarray(view(distance, colour, turn)).resize((size, size), images.Resampling.BICUBIC)
        for turn in TURNS
    )


def view(distance: Floats, colour: NDArray[np.uint8], turn: float) -> NDArray[np.uint8]:
    """One of them, (RAYS, RAYS, 4)."""
    side = len(distance)
    way = paths(turn, side)
    flat = distance.ravel()
    along = flat[way]
    closest = along.min(1)
    first = np.where(closest < 0, (along < 0).argmax(1), along.argmin(1))
    voxel = way[np.arange(len(way)), first]
    picture = np.zeros((len(way), 4), np.uint8)
    seen = np.flatnonzero(closest < 0.5)
    picture[seen, :3] = lit(flat, colour.reshape(-1, 3), voxel[seen], side, turn)
    picture[:, 3] = np.clip((0.5 - closest) * 255, 0, 255)
    return picture.reshape(RAYS, RAYS, 4)


def lit(flat: Floats, colours: NDArray[Any], voxel: NDArray[Any], side: int, turn: float) -> Floats:
    """Colours of these voxels in the light, by which way the distance grows there."""
    last = len(flat) - 1
    slope = [
        flat[np.minimum(voxel + step, last)] - flat[np.maximum(voxel - step, 0)] for step in (side * side, side, 1)
    ]
    normal = np.stack(slope, 1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    camera = Camera.at(turn, TILT, side)
    lamp = LIGHT[0] * camera.right + LIGHT[1] * camera.up + LIGHT[2] * camera.back
    light = 0.5 + 0.3 * np.clip(normal @ (lamp / np.linalg.norm(lamp)), 0, 1) + 0.25 * (normal[:, 1] * 0.5 + 0.5)
    bright: Floats = np.clip(colours[voxel] * light[:, None], 0, 255)
    return bright
