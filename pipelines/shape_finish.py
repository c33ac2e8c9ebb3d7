"""The last touches on a made thing: flat paints, and no part that hangs in the air.

What the model learned from is painted: each part has one colour. What it makes is that, smeared: a latent of 8 x 8 x 8
cells leaves blotches where a cell says little of the colour, and gaps where a leg is thinner than the cell can tell.
Both are taken back by what is known of such things, not by another network: colours are gathered at the peaks of their
density (mean shift; Comaniciu and Meer 2002), in a space where equal steps look equally large (Oklab; Ottosson 2020),
and a piece that floats near the rest is joined to it where the gap is smallest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SURFACE = 1.5  # voxels: what is nearer to the surface counts as it
BIN = 0.025  # of Oklab: colours are counted in cubes of this side
WIDTH = 0.035  # of Oklab: how far a colour is drawn to others
ALIKE = 0.06  # of Oklab: peaks that are nearer to each other are one paint
LEAST = 0.006  # of the surface: a paint covers at least this much
SHADE = 0.05  # of Oklab: how sure it is which paint a colour is meant to be
ROUNDS = 20  # of the way uphill
GAP = 7.0  # voxels: pieces farther from the rest stay where they are
SPECK = 3  # voxels: a smaller piece is none
BRIDGE = 1.1  # voxels: half as thick as what joins two pieces

_CONES = np.array([
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
])  # fmt: skip
_OPPOSED = np.array([
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
])  # fmt: skip


def finished(distance: Floats, colour: Bytes) -> tuple[Floats, Bytes]:
    """A grid of distances (s, s, s) in voxels, negative inside, and its colours (s, s, s, 3), touched up."""
    if not (distance < 0).any() or (distance < 0).all():
        return distance, colour
    whole = bridged(distance)
    return whole, painted(whole, colour, known=abs(distance) < SURFACE)


def bridged(distance: Floats) -> Floats:
    """Every piece that is not far from the others joined to them, the nearest first, by a rod across the gap."""
    pieces, count = ndimage.label(distance < 0)
    sizes = np.bincount(pieces.ravel())
    left = {number for number in range(1, count + 1) if sizes[number] >= SPECK}
    if len(left) < 2:
        return distance
    main = max(left, key=lambda number: int(sizes[number]))
    left.remove(main)
    joined, result = pieces == main, distance
    while left:
        away, nearest = ndimage.distance_transform_edt(~joined, return_indices=True)
        ways = {number: np.where(pieces == number, away, np.inf) for number in left}
        number = min(left, key=lambda each: float(ways[each].min()))
        if ways[number].min() > GAP:
            break
        one = np.unravel_index(int(ways[number].argmin()), distance.shape)
        other = nearest[(slice(None), *one)]
        rod = _rod(distance.shape, np.array(one, np.float32), other.astype(np.float32))
        result = np.minimum(result, rod)
        joined |= (pieces == number) | (rod < 0)
        left.remove(number)
    return result


def _rod(shape: tuple[int, ...], one: Floats, other: Floats) -> Floats:
    """Distances to a rod with round ends from one voxel to another."""
    places = np.moveaxis(np.indices(shape, np.float32), 0, -1) - one
    way = other - one
    along = np.clip(places @ way / max(float(way @ way), 1e-6), 0, 1)
    rod: Floats = (np.linalg.norm(places - along[..., None] * way, axis=-1) - BRIDGE).astype(np.float32)
    return rod


def painted(distance: Floats, colour: Bytes, known: NDArray[np.bool_]) -> Bytes:
    """Colours with each voxel in one of few paints; those that are not `known` are as the nearest that is."""
    rgb = colour[known]
    shades = oklab(rgb)
    number = peaks(shades)
    kept = np.flatnonzero(np.bincount(number) >= LEAST * len(number))
    paints = np.stack([np.median(rgb[number == each], axis=0) for each in kept])
    away = np.square(shades[:, None] - oklab(paints)[None]).sum(-1)
    votes = np.exp(-(away - away.min(1, keepdims=True)) / (2 * SHADE**2))
    votes /= votes.sum(1, keepdims=True)
    score, room = [], np.zeros(distance.shape, np.float32)
    for vote in votes.T:  # neighbours have a say: a border becomes a line
        room[known] = vote
        score.append(ndimage.gaussian_filter(room, 0.8)[known])
    result: Bytes = colour.copy()
    result[known] = paints[np.argmax(score, axis=0)].round().astype(np.uint8)
    x, y, z = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    spread: Bytes = result[x, y, z]
    return spread


def peaks(shades: NDArray[Any]) -> NDArray[np.int64]:
    """For each of these colours (n, 3) the number of the peak of their density that it lies below."""
    cubes, number, count = np.unique(
        np.floor(shades / BIN).astype(int), axis=0, return_inverse=True, return_counts=True
    )
    number = number.ravel()
    mean = np.stack([np.bincount(number, shades[:, axis]) for axis in range(3)], 1) / count[:, None]
    uphill = mean
    for _ in range(ROUNDS):
        near = np.exp(-np.square(uphill[:, None] - mean[None]).sum(-1) / (2 * WIDTH**2)) * count
        uphill = near @ mean / near.sum(1, keepdims=True)
    tops: list[NDArray[Any]] = []
    below = np.zeros(len(cubes), np.int64)
    for cube in np.argsort(-count, kind="stable"):
        away = [float(np.linalg.norm(uphill[cube] - top)) for top in tops]
        if away and min(away) < ALIKE:
            below[cube] = int(np.argmin(away))
        else:
            below[cube] = len(tops)
            tops.append(uphill[cube])
    return below[number]


def oklab(rgb: NDArray[Any]) -> NDArray[Any]:
    """Colours (n, 3) of 0 to 255 as lightness and two hues (Ottosson 2020, https://bottosson.github.io/posts/oklab)."""
    levels = np.asarray(rgb, np.float32) / 255
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    hues: NDArray[Any] = np.cbrt(light @ _CONES.T) @ _OPPOSED.T
    return hues
