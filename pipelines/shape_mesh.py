"""A grid of distances and colours as a mesh: closed, in one piece, as fine and as smooth as asked for.

Marching cubes on the grid brought to the resolution at which that many triangles come out; what hangs on nothing and
hollows that nobody can look into are gone before. The surface is smoothed without shrinking it (Taubin 1995), which
cannot open it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from pipelines.errors import BadRequest
from pipelines.events import Solid
from pipelines.shape_render import at

Floats = NDArray[np.float32]
FACES = {1: 6_500, 2: 13_000, 3: 24_000, 4: 42_000}  # what each detail is to come out at, about
FINEST = 160  # cells along the grid's side, at most
KEPT = 0.7  # of the grid's own resolution, at least: legs and rims must not break
LEAST = 0.02  # voxels: no corner of the grid is nearer to the surface, or triangles would shrink to nothing
FIRM = np.float32(0.5)  # voxels: how far from the surface what was decided otherwise is put
GAP = 1.5  # voxels: pieces nearer to each other than this are joined
FORWARD, BACK = 0.5, -0.53  # Taubin's two steps
ROUNDS = 30  # of both, where smoothing is 1


@dataclass(frozen=True)
class Mesh:
    """Triangles, seen from outside counter-clockwise. It stands on y = 0, its middle above the origin, its longest
    side is 1; y is up, the front is towards z."""

    vertices: Floats  # (n, 3)
    faces: NDArray[np.int32]  # (m, 3)
    colours: NDArray[np.uint8]  # (n, 3), sRGB

    @property
    def normals(self) -> Floats:
        """Outwards, of each vertex: its triangles', by their areas."""
        a, b, c = self.vertices[self.faces.T]
        across = np.cross(b - a, c - a)
        total = np.zeros_like(self.vertices, np.float64)
        for corner in self.faces.T:
            for axis in range(3):
                total[:, axis] += np.bincount(corner, across[:, axis], len(total))
        length = np.linalg.norm(total, axis=1, keepdims=True)
        unit = np.where(length > 0, total / np.maximum(length, 1e-20), (0, 1, 0))
        return unit.astype(np.float32)


def mesh(solid: Solid, detail: int = 2, smoothing: float = 0.3) -> Mesh:
    """The thing's surface. `detail` is 1 to 4, `smoothing` 0 to 1. Raises BadRequest where there is no surface."""
    from skimage.measure import marching_cubes

    distance = np.pad(solid.distance.astype(np.float32), 2, constant_values=3)
    if not (distance < 0).any():
        raise BadRequest("Nothing came of this: the grid is empty. Try another seed, or another prompt.")
    if (solid.distance < 0).all():
        raise BadRequest("This came out as one full block, without a surface. Try another seed, or another prompt.")
    distance, low = _cropped(whole(distance))
    fine, steps = _resampled(distance, _step(distance, detail))
    if not (fine < 0).any():  # the thing is smaller than a step
        fine, steps = distance, np.ones(3, np.float32)
    fine = whole(fine)
    fine = np.where(abs(fine) < LEAST, np.copysign(np.float32(LEAST), fine), fine)
    found = marching_cubes(fine, 0.0, gradient_direction="descent")  # type: ignore[no-untyped-call]
    vertices, faces = found[:2]
    vertices = _smoothed(vertices.astype(np.float64), faces, smoothing)
    places = (vertices * steps + low - 2).astype(np.float32)  # in voxels of the solid's own grid
    return Mesh(_placed(vertices * steps), faces.astype(np.int32), _painted(solid, places))


def whole(distance: Floats) -> Floats:
    """One piece without hollows: pieces that almost touch are joined, others but the largest fall away."""
    pieces, count = ndimage.label(distance < 0)
    if count > 1:
        distance = _joined(distance, pieces, count)
        pieces, count = ndimage.label(distance < 0)
        largest = np.bincount(pieces.ravel())[1:].argmax() + 1
        distance = np.where((pieces > 0) & (pieces != largest), FIRM - distance, distance)
    spaces, count = ndimage.label(distance >= 0)
    if count > 1:
        distance = np.where((spaces > 0) & (spaces != spaces[0, 0, 0]), -FIRM - distance, distance)
    return distance


def _joined(distance: Floats, pieces: NDArray[Any], count: int) -> Floats:
    """With bridges where two pieces are less than GAP apart: there, what is nearly inside is inside."""
    sizes = np.bincount(pieces.ravel())[1:]
    main = pieces == sizes.argmax() + 1
    reach = ndimage.generate_binary_structure(3, 3)
    near = ndimage.binary_dilation(main, reach, iterations=2)
    others = ndimage.binary_dilation((pieces > 0) & ~main, reach, iterations=2)
    bridge = near & others & (distance < GAP) & (distance >= 0)
    return np.where(bridge, np.minimum(-FIRM, distance - GAP), distance).astype(np.float32)


def _cropped(distance: Floats) -> tuple[Floats, Floats]:
    """The part that is filled, with two voxels around it, and where it begins."""
    filled = np.argwhere(distance < 0)
    low, high = filled.min(0) - 2, filled.max(0) + 3
    return distance[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], low.astype(np.float32)


def _step(distance: Floats, detail: int) -> float:
    """Voxels from one sample to the next, so that about as many triangles come out as this detail is to have."""
    inside = distance < 0
    crossings = sum(int((np.diff(inside, axis=axis) != 0).sum()) for axis in range(3))  # each is a vertex
    scale = np.sqrt(FACES[detail] / max(1, 2 * crossings))
    return 1 / float(np.clip(scale, KEPT, FINEST / max(distance.shape)))


def _resampled(distance: Floats, step: float) -> tuple[Floats, Floats]:
    """The grid at another resolution, by cubic interpolation along each axis, and its steps in voxels."""
    steps = []
    for axis in range(3):
        side = distance.shape[axis]
        count = max(4, round((side - 1) / step) + 1)
        steps.append((side - 1) / (count - 1))
        distance = np.moveaxis(np.tensordot(_cubic(side, count), distance, (1, axis)), 0, axis)
    return np.ascontiguousarray(distance), np.array(steps, np.float32)


def _cubic(side: int, count: int) -> Floats:
    """What each of `count` even places along a row of `side` samples takes from them (Catmull and Rom 1974)."""
    place = np.linspace(0, side - 1, count)
    first = np.clip(np.floor(place).astype(int), 0, side - 2)
    t = (place - first)[:, None]
    shares = np.concatenate(
        [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3], 1
    )
    weights = np.zeros((count, side))
    for i in range(4):
        np.add.at(weights, (np.arange(count), np.clip(first + i - 1, 0, side - 1)), shares[:, i] / 2)
    return weights.astype(np.float32)


def _smoothed(vertices: NDArray[np.float64], faces: NDArray[Any], smoothing: float) -> NDArray[np.float64]:
    """A step towards the neighbours' mean and a slightly larger one away from it, again and again."""
    count = len(vertices)
    ends = faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()
    links = sparse.coo_matrix((np.ones(len(ends[0])), ends), (count, count)).tocsr()
    mean = sparse.diags(1 / np.asarray(links.sum(1)).ravel()) @ links
    for _ in range(round(smoothing * ROUNDS)):
        for share in (FORWARD, BACK):
            vertices = vertices + share * (mean @ vertices - vertices)
    return vertices


def _placed(vertices: NDArray[np.float64]) -> Floats:
    """On the ground, in the middle, of unit size."""
    low, high = vertices.min(0), vertices.max(0)
    foot = (low + high) / 2
    foot[1] = low[1]
    placed: Floats = ((vertices - foot) / (high - low).max()).astype(np.float32)
    return placed


def _painted(solid: Solid, places: Floats) -> NDArray[np.uint8]:
    colours: NDArray[np.uint8] = np.rint(at(solid.colour.astype(np.float32), places)).astype(np.uint8)
    return colours
