"""A small picture of a grid of distances and colours, from any side: what a turntable is made of.

Rays are followed through the grid by its own distances. Where they may start is known from the voxels near the
surface, splatted onto a coarse screen first, so that few steps are left and most rays need none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
CELL = 6  # rays along a side of a cell of the coarse screen
FINER = 2  # rays along a side of a pixel
AWAY = 3.4  # how far the eye is, in sides of the grid
STEPS = 40
LIGHT = np.array([-0.45, 0.72, 0.53], np.float32)  # from the left, above and in front, seen by the eye
SHADOW = 0.42  # the ground's, where it is darkest


@dataclass(frozen=True)
class Camera:
    """Looks at a point a little under the grid's middle, since things stand at its bottom; everything in voxels."""

    right: Floats
    up: Floats
    back: Floats  # towards the eye
    side: int
    reach: float  # half of what the picture shows, at the middle's distance

    @classmethod
    def at(cls, turn: float, tilt: float, side: int) -> Camera:
        around, above = np.radians(turn), np.radians(tilt)
        back = np.array([np.sin(around) * np.cos(above), np.sin(above), np.cos(around) * np.cos(above)], np.float32)
        right = np.array([np.cos(around), 0, -np.sin(around)], np.float32)
        return cls(right, np.cross(back, right).astype(np.float32), back, side, 0.65 * side)

    @property
    def middle(self) -> Floats:
        return (np.array([0.5, 0.42, 0.5]) * self.side - 0.5).astype(np.float32)

    @property
    def eye(self) -> Floats:
        return self.middle + self.back * np.float32(AWAY * self.side)

    def rays(self, across: NDArray[np.intp], down: NDArray[np.intp], rays: int) -> Floats:
        """Unit directions of these rays of a screen with so many a side."""
        span = np.float32(2 * self.reach / rays)
        x = (across + np.float32(0.5)) * span - np.float32(self.reach)
        y = np.float32(self.reach) - (down + np.float32(0.5)) * span
        ahead = -self.back * np.float32(AWAY * self.side)
        ways = ahead + x[:, None] * self.right + y[:, None] * self.up
        unit: Floats = ways / np.sqrt(np.einsum("ij,ij->i", ways, ways))[:, None]
        return unit

    def seen(self, points: Floats, rays: int) -> tuple[NDArray[Any], NDArray[Any], Floats]:
        """Where points are on that screen, and how far from the eye."""
        ways = points - self.eye
        away = np.linalg.norm(ways, axis=1)
        shrink = AWAY * self.side / -(ways @ self.back) * rays / (2 * self.reach)
        return rays / 2 + ways @ self.right * shrink, rays / 2 - ways @ self.up * shrink, away.astype(np.float32)


def at(values: Floats, points: Floats) -> Floats:
    """Trilinear: values of (side, side, side, channels) at points in voxels; outside it is as at the border."""
    side, channels = len(values), values.shape[3]
    flat = values.reshape(-1, channels)
    points = np.clip(points, 0, np.float32(side - 1.001))
    whole = points.astype(np.int32)
    x, y, z = (points - whole).T[:, :, None]
    base = (whole[:, 0] * side + whole[:, 1]) * side + whole[:, 2]
    lines = [flat.take(base + step, 0) * (1 - z) + flat.take(base + step + 1, 0) * z
             for step in (0, side, side * side, side * side + side)]  # fmt: skip
    near, far = lines[0] * (1 - y) + lines[1] * y, lines[2] * (1 - y) + lines[3] * y
    result: Floats = near * (1 - x) + far * x
    return result


def render(distance: Floats, colour: Bytes, turn: float = 35, tilt: float = 22, size: int = 128) -> Bytes:
    """The thing seen from `turn` degrees around and `tilt` above, its shadow under it: RGBA, nothing behind it.

    Distances are in voxels, negative inside; colours are RGB for every voxel, good near the surface.
    """
    camera, rays = Camera.at(turn, tilt, len(distance)), size * FINER
    canvas = np.zeros((rays * rays, 4), np.float32)  # premultiplied
    near, far = spans(distance, camera, rays)
    number = np.flatnonzero(np.isfinite(near))
    ways = camera.rays(number % rays, number // rays, rays)
    met, depth = followed(distance, camera.eye, ways, near[number], far[number])
    points = camera.eye + ways[met] * depth[:, None]
    if len(points):
        canvas[number[met], :3] = lit(distance, colour, points, ways[met], camera)
        canvas[number[met], 3] = 1
    small = canvas.reshape(size, FINER, size, FINER, 4).mean((1, 3))
    small[..., 3] += (1 - small[..., 3]) * ground(distance, camera, size).reshape(size, size)  # black, and behind it
    small[..., :3] /= np.maximum(small[..., 3:], np.float32(1e-3))
    picture: Bytes = np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)
    return picture


def spans(distance: Floats, camera: Camera, rays: int) -> tuple[Floats, Floats]:
    """Between which depths each ray can meet the surface; infinite where it cannot."""
    points = np.argwhere(abs(distance) < 1.0).astype(np.float32)
    cells = -(-rays // CELL)
    across, down, away = camera.seen(points, rays)
    reach = np.float32(1.3)  # a voxel's half diagonal and a little
    place = [np.clip((place / CELL).astype(int), 0, cells - 1) for place in (down, across)]
    near, far = np.full((cells + 2, cells + 2), np.inf, np.float32), np.zeros((cells + 2, cells + 2), np.float32)
    for i in range(3):  # a voxel reaches into the cells around its own
        for j in range(3):
            np.minimum.at(near, (place[0] + i, place[1] + j), away - reach)
            np.maximum.at(far, (place[0] + i, place[1] + j), away + reach)
    spread = [np.repeat(np.repeat(v[1:-1, 1:-1], CELL, 0), CELL, 1)[:rays, :rays].ravel() for v in (near, far)]
    return spread[0], spread[1]


def followed(
    distance: Floats, eye: Floats, ways: Floats, near: Floats, far: Floats
) -> tuple[NDArray[np.intp], Floats]:
    """Which rays meet the surface, and how far away."""
    values = distance[..., None]
    going = np.arange(len(ways))
    depth, met = near.copy(), np.zeros(len(ways), bool)
    for _ in range(STEPS):
        here = at(values, eye + ways[going] * depth[going, None])[:, 0]
        met[going] = there = here < 0.03
        depth[going] += np.where(there, here, np.maximum(here, 0.12))
        going = going[~there & (depth[going] < far[going])]
        if not len(going):
            break
    found = np.flatnonzero(met)
    return found, depth[found]


def lit(distance: Floats, colour: Bytes, points: Floats, ways: Floats, camera: Camera) -> Floats:
    """The surface's colours in the light: a soft lamp, the sky and the ground, darker in corners, a hint of gloss."""
    slope = np.stack([np.gradient(distance, axis=axis) for axis in range(3)], -1)
    found = at(np.concatenate([slope, (colour.astype(np.float32) / 255) ** 2.2], -1, dtype=np.float32), points)
    normal = found[:, :3] / np.maximum(np.linalg.norm(found[:, :3], axis=1, keepdims=True), 1e-4)
    axes = np.array([camera.right, camera.up, camera.back])
    lamp = (LIGHT @ axes / np.linalg.norm(LIGHT)).astype(np.float32)
    values = distance[..., None]
    open_ = np.ones(len(points), np.float32)
    for step, weight in ((1.2, 0.30), (2.6, 0.16)):
        open_ -= weight * np.clip(step - at(values, points + normal * np.float32(step))[:, 0], 0, step)
    shade = unhindered(values, points + normal * np.float32(0.8), lamp)
    direct = np.clip(normal @ lamp, 0, 1) * shade
    sky = 0.5 + 0.5 * normal[:, 1]
    light = (0.17 + 0.33 * sky) * np.clip(open_, 0.35, 1) + 0.72 * direct
    half = lamp - ways
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    gloss = 0.10 * np.clip((normal * half).sum(1), 0, 1) ** 24 * shade
    edge = 0.05 * (1 - np.clip(-(normal * ways).sum(1), 0, 1)) ** 3  # so that black things show on black
    bright = np.clip(found[:, 3:] * light[:, None] + (gloss + edge)[:, None], 0, 1)
    return np.asarray(bright ** (1 / 2.2), np.float32)


def unhindered(values: Floats, points: Floats, lamp: Floats) -> Floats:
    """How much of the lamp is seen from points: its edge is soft."""
    seen = np.ones(len(points), np.float32)
    for away in (1.5, 3.5, 6.0, 9.0, 13.0):
        seen = np.minimum(seen, 0.5 + at(values, points + lamp * np.float32(away))[:, 0] / np.float32(0.5 + away / 4))
    return np.clip(seen, 0, 1)


def ground(distance: Floats, camera: Camera, rays: int) -> Floats:
    """The shadow on the ground, for every ray: darkest under what is close to the ground, and soft."""
    side = len(distance)
    filled = distance < 0
    if not filled.any():
        return np.zeros(rays * rays, np.float32)
    lowest = int(np.flatnonzero(filled.any((0, 2)))[0])
    height = np.where(filled.any(1), filled.argmax(1) - lowest, side)
    pad = side // 4
    dark: NDArray[Any] = np.pad(np.exp(-height / (0.2 * side)), pad)
    for axis in (0, 1) * 3:
        dark = np.mean([np.roll(dark, shift, axis) for shift in range(-2, 3)], 0)
    number = np.arange(rays * rays)
    ways = camera.rays(number % rays, number // rays, rays)
    plane = np.float32(lowest - 0.5)
    falls = ways[:, 1] < -1e-3
    reach = np.where(falls, (plane - camera.eye[1]) / np.where(falls, ways[:, 1], -1), 0)
    points = camera.eye + ways * reach[:, None]
    place = np.stack([points[:, 0] + pad, points[:, 2] + pad], 1)
    inside = falls & ((place >= 0) & (place < len(dark) - 1.001)).all(1)
    result = np.zeros(rays * rays, np.float32)
    whole = place[inside].astype(np.int32)
    x, z = (place[inside] - whole).T
    i, j = whole.T
    result[inside] = np.float32(SHADOW) * (
        (dark[i, j] * (1 - x) + dark[i + 1, j] * x) * (1 - z) + (dark[i, j + 1] * (1 - x) + dark[i + 1, j + 1] * x) * z
    )
    return result
