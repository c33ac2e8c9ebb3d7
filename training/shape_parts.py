"""Solids as signed distance functions: the parts that procedural shapes are put together from.

A distance is taken at x, y and z that broadcast against each other, so that what does not depend on a coordinate is
not computed along it: a plank is three short rows until the end. y is up; every solid is around the origin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Distance = Callable[[Floats, Floats, Floats], Floats]
Point = tuple[float, float, float]
Outline = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Solid:
    """A distance, negative inside, with what is needed to place it without computing it."""

    distance: Distance
    hull: Floats  # (n, 3): the solid lies in the convex hull of these points, grown by `radius`
    radius: float
    thin: float  # its thickness where it is thinnest

    def flipped(self) -> Solid:
        """The mirror image in x."""
        return Solid(lambda x, y, z: self.distance(-x, y, z), self.hull * FLIP, self.radius, self.thin)


FLIP = np.array([-1, 1, 1], np.float32)


def ring(radius: float, *heights: float) -> Floats:
    """Points around the y axis whose hull holds a circle of this radius at each height."""
    angle = np.arange(16) * (np.pi / 8)
    outside = radius / np.cos(np.pi / 16)
    rows = [np.stack([outside * np.cos(angle), np.full(16, y), outside * np.sin(angle)], 1) for y in heights]
    return np.concatenate(rows).astype(np.float32)


def length(a: Floats, b: Floats) -> Floats:
    return np.sqrt(a * a + b * b)


def both(a: Floats, b: Floats, rounding: float = 0.0) -> Floats:
    """Where two slabs meet, from the distances to each; their common edge may be rounded."""
    inside = np.minimum(np.maximum(a, b), 0)
    return inside + length(np.maximum(a, 0), np.maximum(b, 0)) - np.float32(rounding)


def box(width: float, height: float, depth: float, rounding: float = 0.0) -> Solid:
    half = np.array([width, height, depth], np.float32) / 2 - np.float32(rounding)

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        return both(both(abs(x) - half[0], abs(z) - half[2]), abs(y) - half[1], rounding)

    corners = np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], np.float32) * half
    return Solid(distance, corners, rounding, min(width, height, depth))


def cylinder(radius: float, height: float, rounding: float = 0.0) -> Solid:
    """Standing on end."""
    r, half = np.float32(radius - rounding), np.float32(height / 2 - rounding)

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        return both(length(x, z) - r, abs(y) - half, rounding)

    return Solid(distance, ring(r, -half, half), rounding, min(2 * radius, height))


def frustum(bottom: float, top: float, height: float) -> Solid:
    """A cone cut off at the top; with no radius there, a whole one."""
    return revolved([(0, -height / 2), (bottom, -height / 2), (top, height / 2), (0, height / 2)])


def ellipsoid(x: float, y: float, z: float) -> Solid:
    """With these three radii; its distance is exact only near its surface."""
    rx, ry, rz = (np.float32(r) for r in (x, y, z))

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        first = np.sqrt((x / rx) ** 2 + (z / rz) ** 2 + (y / ry) ** 2)
        second = np.sqrt((x / rx**2) ** 2 + (z / rz**2) ** 2 + (y / ry**2) ** 2)
        return first * (first - 1) / np.maximum(second, np.float32(1e-6))

    tilt = np.array([-0.92, -0.38, 0.38, 0.92])
    rows = [ring(float(np.sqrt(1 - t * t)), float(t)) for t in tilt]
    hull = np.concatenate([*rows, ring(1.0, 0.0), [(0, -1, 0), (0, 1, 0)]]) * (rx, ry, rz)
    return Solid(distance, hull.astype(np.float32), 0.01 * max(x, y, z), 2 * min(x, y, z))


def sphere(radius: float) -> Solid:
    return tube([(0, 0, 0)], radius)


def torus(radius: float, thickness: float) -> Solid:
    """A ring lying flat; `radius` to the middle of its tube, whose own radius is `thickness`."""
    big, small = np.float32(radius), np.float32(thickness)

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        return length(length(x, z) - big, y) - small

    return Solid(distance, ring(radius, 0.0), thickness, 2 * thickness)


def tube(points: Sequence[Point], *radii: float) -> Solid:
    """A bent round rod through the points: one radius, or one for the first and one for the last point."""
    path = np.array(points, np.float32)
    widths = np.linspace(radii[0], radii[-1], len(path)).astype(np.float32)

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        nearest = None
        for i in range(max(1, len(path) - 1)):
            a, b = path[i], path[min(i + 1, len(path) - 1)]
            run = b - a
            px, py, pz = x - a[0], y - a[1], z - a[2]
            share = (px * run[0] + py * run[1] + pz * run[2]) / max(np.float32(run @ run), np.float32(1e-9))
            share = np.clip(share, 0, 1)
            px, py, pz = px - share * run[0], py - share * run[1], pz - share * run[2]
            here = np.sqrt(px * px + py * py + pz * pz) - (
                widths[i] + share * (widths[min(i + 1, len(path) - 1)] - widths[i])
            )
            nearest = here if nearest is None else np.minimum(nearest, here)
        assert nearest is not None
        return nearest

    return Solid(distance, path, max(radii), 2 * min(radii))


def polygon(x: Floats, y: Floats, outline: Floats, open_left: bool = False) -> Floats:
    """The distance to a closed outline in a plane; `open_left`: what lies at x <= 0 is no border."""
    nearest, sign = None, None
    for (ax, ay), (bx, by) in zip(outline, np.roll(outline, -1, 0), strict=True):
        ex, ey = bx - ax, by - ay
        wx, wy = x - ax, y - ay
        above, below = y >= ay, y < by
        left = ex * wy > ey * wx
        crossed = np.where(left, above & below, ~above & ~below)
        sign = crossed if sign is None else sign ^ crossed
        if open_left and ax <= 0 and bx <= 0:
            continue
        share = np.clip((wx * ex + wy * ey) / max(ex * ex + ey * ey, np.float32(1e-9)), 0, 1)
        here = (wx - ex * share) ** 2 + (wy - ey * share) ** 2
        nearest = here if nearest is None else np.minimum(nearest, here)
    assert nearest is not None and sign is not None
    away = np.sqrt(nearest)
    return np.where(sign, -away, away)


def extruded(outline: Outline, depth: float, thin: float | None = None) -> Solid:
    """An outline in x and y with a depth in z; `thin` if it is thinner than deep somewhere."""
    corners = np.array(outline, np.float32)
    half = np.float32(depth / 2)

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        return both(polygon(x, y, corners), abs(z) - half)

    hull = np.concatenate([np.c_[corners, np.full(len(corners), end)] for end in (-half, half)])
    return Solid(distance, hull.astype(np.float32), 0.0, depth if thin is None else min(thin, depth))


def revolved(profile: Outline, thin: float | None = None) -> Solid:
    """A closed profile of (radius, height) turned around the y axis: vases, wheels, domes, cones."""
    corners = np.array([(r if r > 0 else -1e-3, y) for r, y in profile], np.float32)

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        return polygon(length(x, z), y, corners, open_left=True)

    hull = np.concatenate([ring(max(0.0, r), y) for r, y in profile])
    widest, tall = max(r for r, _ in profile), max(y for _, y in profile) - min(y for _, y in profile)
    return Solid(distance, hull, 0.0, min(2 * widest, tall) if thin is None else thin)


def pyramid(width: float, depth: float, height: float, top: float = 0.0) -> Solid:
    """Four-sided, cut off where its sides are `top` of those at the bottom; inside exact, outside nearly so."""
    wide, deep, half = (np.float32(v / 2) for v in (width, depth, height))
    slope_x, slope_z = (np.float32(side * (1 - top) / height) for side in (wide, deep))
    cos_x, cos_z = 1 / np.sqrt(1 + slope_x**2), 1 / np.sqrt(1 + slope_z**2)

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        side_x = (abs(x) - wide + slope_x * (y + half)) * cos_x
        side_z = (abs(z) - deep + slope_z * (y + half)) * cos_z
        return both(both(side_x, side_z), abs(y) - half)

    corners = [
        (i * wide * s, j * half, k * deep * s) for i in (-1, 1) for k in (-1, 1) for j, s in ((-1, 1), (1, top))
    ]
    return Solid(distance, np.array(corners, np.float32), 0.0, min(width, depth, height))


def regular(sides: int, radius: float, start: float = 0.0) -> list[tuple[float, float]]:
    """A regular polygon's corners; a prism when extruded."""
    angles = start + np.arange(sides) * 2 * np.pi / sides
    return [(float(radius * np.cos(a)), float(radius * np.sin(a))) for a in angles]


def arc(radius: float, start: float, end: float, steps: int = 8) -> list[tuple[float, float]]:
    """Points on a circle, angles in degrees."""
    angles = np.radians(np.linspace(start, end, steps))
    return [(float(radius * np.cos(a)), float(radius * np.sin(a))) for a in angles]


def rotation(x: float, y: float, z: float) -> Floats:
    """Turns by degrees around z, then x, then y."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians([x, y, z])), np.sin(np.radians([x, y, z]))
    around_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    around_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    around_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return (around_y @ around_x @ around_z).astype(np.float32)
