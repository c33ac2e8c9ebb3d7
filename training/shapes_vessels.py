"""Vessels: eleven kinds. Open ones are hollow; their walls are thick enough for the grid."""

from __future__ import annotations

import math
from itertools import pairwise

from training.shape_draft import MAIN, Draft, Kind
from training.shape_parts import Outline, arc, cylinder, ellipsoid, frustum, revolved, sphere, torus, tube

WALL = 0.075


def softened(side: Outline) -> list[tuple[float, float]]:
    """With its corners cut, its ends as they are."""
    inner = [
        (a * (1 - share) + b * share, p * (1 - share) + q * share)
        for (a, p), (b, q) in pairwise(side)
        for share in (0.25, 0.75)
    ]
    return [side[0], *inner[1:-1], side[-1]] if len(side) > 2 else list(side)


def hollow(d: Draft, side: Outline, floor: float, wall: float = WALL, inside: int | None = None) -> None:
    """A vessel from its outer side, from bottom to top: what is inside the walls, above the floor, is cut out."""
    side = softened(side)
    high, bottom = side[-1][1], side[0][1]
    d.add(revolved([(0, bottom), *side, (0, high)]), MAIN)
    inner = [(max(0.03, r - wall), max(y, bottom + floor)) for r, y in side if y > bottom + floor * 0.5]
    first = (max(0.03, inner[0][0] - 0.04), bottom + floor)
    top = (inner[-1][0], high + 0.1)
    d.cut(revolved([(0, bottom + floor), first, *inner, top, (0, high + 0.1)]), paint=inside)


def handle(d: Draft, x: float, low: float, high: float, out: float, thick: float, paint: int = MAIN) -> None:
    """A bow at the right side, its ends at x."""
    middle, half = (low + high) / 2, (high - low) / 2
    d.add(tube([(x - 0.03 + px * out, middle + py * half, 0.0) for px, py in arc(1.0, -90, 90, 9)], thick), paint)


def mug(d: Draft) -> None:
    radius, high = d.uniform(0.26, 0.34), d.spread(0.45, 0.85, "low", "tall")
    inside = d.other("white", "brown", "black", "yellow") if d.chance(0.5) else None
    taper = d.uniform(0.82, 1.0)
    handle(d, radius * 0.96, high * 0.2, high * 0.82, d.uniform(0.15, 0.22), d.uniform(0.04, 0.055))
    hollow(d, [(radius * taper, 0), (radius, high)], 0.08, inside=inside)
    d.has("handle", 1)
    if d.chance(0.35):
        stripe = d.other()
        d.colour(stripe, torus(radius + 0.04, 0.1), (0, high / 2, 0))  # outside only
        d.has("stripe", 1, stripe)


def teapot(d: Draft) -> None:
    radius, flat = d.uniform(0.32, 0.38), d.spread(0.7, 1.1, "flat", "tall")
    high = radius * flat
    lid = d.other() if d.chance(0.4) else MAIN
    d.add(ellipsoid(radius, high, radius), MAIN, (0, high, 0))
    d.add(cylinder(radius * 0.55, 0.06), MAIN, (0, 0.03, 0))
    handle(d, radius * 0.8, high * 0.65, high * 1.5, d.uniform(0.22, 0.3), d.uniform(0.04, 0.055))
    tip = d.uniform(1.5, 1.9) * high
    path = [(-radius * 0.75, high * 0.7, 0), (-radius - 0.14, high * 0.95, 0), (-radius - 0.26, tip, 0)]
    d.add(tube([(x, y, 0.0) for x, y, _ in path], 0.09, 0.042), MAIN)
    d.add(ellipsoid(radius * 0.62, 0.1, radius * 0.62), lid, (0, 2 * high - 0.06, 0))
    d.add(sphere(d.uniform(0.055, 0.075)), lid, (0, 2 * high + 0.07, 0))
    d.has("lid", 1, lid or None)
    d.has("handle", 1)
    d.has("spout", 1)


def vase(d: Draft) -> None:
    tall, belly = d.spread(0.7, 1.1, "short", "tall"), d.uniform(0.22, 0.34)
    neck, lip = belly * d.uniform(0.4, 0.7), belly * d.uniform(0.55, 0.9)
    at, base = tall * d.uniform(0.3, 0.55), belly * d.uniform(0.5, 0.75)
    side = [(base, 0), ((base + belly) / 2 + 0.03, at * 0.5), (belly, at), (belly * 0.85, (at + tall * 0.8) / 2),
            (max(0.12, neck), tall * 0.8), (max(0.14, neck, lip), tall)]  # fmt: skip
    hollow(d, side, tall * 0.2)
    if belly > 0.31:
        d.trait("wide")
    bands = d.integer(0, 2)
    if bands:
        stripe = d.other()
        for i in range(bands):
            d.colour(stripe, frustum(1, 1, 0.06), (0, at + (i - (bands - 1) / 2) * 0.15, 0))
        d.has("stripe", bands, stripe)


def bottle(d: Draft) -> None:
    radius, body = d.uniform(0.15, 0.22), d.spread(0.45, 0.75, "short", "tall")
    neck, long, cap = d.uniform(0.055, 0.075), d.uniform(0.16, 0.3), d.other()
    shoulder = d.uniform(0.08, 0.2)
    side = [(radius * 0.95, 0), (radius, 0.03), (radius, body), (radius * 0.75, body + shoulder * 0.6),
            (neck, body + shoulder), (neck, body + shoulder + long)]  # fmt: skip
    d.add(revolved([(0, 0), *side, (0, side[-1][1])]), MAIN)
    d.add(cylinder(neck * 1.35, 0.1, 0.01), cap, (0, side[-1][1], 0))
    d.has("cap", 1, cap)
    if d.chance(0.6):
        label = d.other("white", "yellow", "red", "black", "pink")
        d.colour(label, frustum(1, 1, body * 0.42), (0, body * 0.48, 0))
        d.has("label", 1, label)
    else:
        d.has("label", 0)


def goblet(d: Draft) -> None:
    radius, cup, stem = (
        d.uniform(0.2, 0.28),
        d.uniform(0.3, 0.42),
        d.spread(0.16, 0.42, "short-stemmed", "long-stemmed"),
    )
    base = radius * d.uniform(0.75, 1.0)
    y = 0.04 + stem
    d.add(revolved([(0, 0), (base, 0), (base, 0.05), (0.06, 0.1), (0, 0.1)]), MAIN)
    d.add(cylinder(0.04, stem + 0.1), MAIN, (0, (stem + 0.1) / 2, 0))
    wine = d.other("red", "purple", "yellow") if d.chance(0.6) else None
    lip = radius * d.uniform(0.85, 1.1)
    hollow(d, [(0.07, y), (radius * 0.8, y + cup * 0.25), (radius, y + cup * 0.6), (lip, y + cup)], 0.08, 0.06, wine)
    if d.chance(0.5):
        d.add(sphere(0.07), MAIN, (0, y * 0.55, 0))
        d.has("knob on its stem", 1)


def bowl(d: Draft) -> None:
    radius, high = d.uniform(0.4, 0.5), d.spread(0.22, 0.5, "shallow", "deep")
    inside = d.other() if d.chance(0.6) else None
    side = [(radius * 0.42, 0.05), (radius * 0.75, high * 0.35), (radius * 0.95, high * 0.7), (radius, high)]
    hollow(d, side, 0.07, inside=inside)
    d.add(cylinder(radius * 0.45, 0.09), MAIN, (0, 0.045, 0))
    if inside is not None:
        d.has("inside", 1, inside)
    if d.chance(0.4):
        fruit, count = d.other("red", "orange", "green", "yellow"), d.integer(3, 5)
        size = radius * 0.46 * math.sin(math.pi / count)  # they touch, and can be counted
        d.around(count, sphere(size), fruit, (0, high * 0.6 + size * 0.7, radius * 0.45))
        d.add(cylinder(radius * 0.3, high * 0.6), MAIN, (0, high * 0.35, 0))
        d.add(cylinder(radius * 0.6, 0.1), MAIN if inside is None else inside, (0, high * 0.6, 0))
        d.has("ball in it", count, fruit)


def jug(d: Draft) -> None:
    radius, high = d.uniform(0.24, 0.3), d.spread(0.6, 0.95, "short", "tall")
    neck = radius * d.uniform(0.62, 0.8)
    side = [(radius * 0.8, 0), (radius, high * 0.3), (neck, high * 0.72), (neck * 1.15, high)]
    lip = neck * 1.15
    d.add(tube([(-lip * 0.7, high - 0.1, 0), (-lip - 0.08, high - 0.02, 0)], 0.1, 0.07), MAIN)
    handle(d, neck * 1.0, high * 0.3, high * 0.9, d.uniform(0.24, 0.3), d.uniform(0.045, 0.055))
    hollow(d, side, 0.1)
    d.cut(tube([(-lip * 0.6, high + 0.05, 0), (-lip - 0.12, high + 0.05, 0)], 0.07))
    d.has("handle", 1)
    d.has("spout", 1)
    if d.chance(0.4):
        stripe = d.other()
        d.colour(stripe, frustum(1, 1, 0.07), (0, high * 0.32, 0))
        d.has("stripe", 1, stripe)


def bucket(d: Draft) -> None:
    radius, high = d.uniform(0.32, 0.4), d.spread(0.45, 0.75, "low", "tall")
    metal = d.other("metal", "black", "wooden", "white")
    taper = d.uniform(0.68, 0.85)
    hollow(d, [(radius * taper, 0), (radius, high)], 0.08)
    d.add(torus(radius, 0.042), MAIN, (0, high, 0))
    d.cut(cylinder(radius - WALL, 0.2), (0, high + 0.06, 0))
    arch = d.uniform(0.22, 0.4)
    path = [(radius, high, 0), (radius * 0.85, high + arch * 0.6, 0), (radius * 0.4, high + arch, 0),
            (-radius * 0.4, high + arch, 0), (-radius * 0.85, high + arch * 0.6, 0), (-radius, high, 0)]  # fmt: skip
    d.add(tube([(x, y, 0.0) for x, y, _ in path], 0.036), metal)
    d.add(cylinder(0.05, radius * 0.7), metal, (0, high + arch, 0), (0, 0, 90))
    d.has("handle", 1, metal)
    if d.chance(0.4):
        water = d.other("blue", "yellow", "white")
        inside = (radius * taper - 0.03, radius * (taper + (1 - taper) * 0.65) - 0.03)
        d.add(frustum(*inside, high * 0.6), water, (0, high * 0.35, 0))
        d.trait("filled")


def barrel(d: Draft) -> None:
    radius, tall = d.uniform(0.3, 0.36), d.spread(0.7, 1.0, "short", "tall")
    hoops, hoop = d.integer(2, 4), d.other("metal", "black", "golden", "grey")
    bulge = d.uniform(1.14, 1.28)
    side = [(radius, 0), (radius * (1 + bulge) / 2, tall * 0.22), (radius * bulge, tall / 2),
            (radius * (1 + bulge) / 2, tall * 0.78), (radius, tall)]  # fmt: skip
    d.add(revolved([(0, 0), *softened(side), (0, tall)]), MAIN)
    staves = 12
    d.around(staves, tube([(0, 0.05, radius * bulge), (0, tall - 0.05, radius * bulge)], 0.02), role="cut")
    for i in range(hoops):
        y = tall * (0.1 + 0.8 * i / (hoops - 1))
        near = 1 - abs(2 * y / tall - 1)
        ring = radius * (1 + (bulge - 1) * min(1, near * 1.12))
        d.add(torus(ring - 0.01, 0.036), hoop, (0, y, 0))
    d.cut(cylinder(radius - 0.06, 0.1), (0, tall + 0.005, 0))
    d.has("hoop", hoops, hoop)


def pan(d: Draft) -> None:
    radius, high = d.uniform(0.34, 0.44), d.spread(0.28, 0.62, "low", "tall")
    trim = d.other("black", "wooden", "metal", "red")
    d.add(cylinder(radius, high, 0.03), MAIN, (0, high / 2, 0))
    handles = d.integer(1, 2)
    if handles == 2:
        y, out = high * 0.72, radius + 0.12
        d.sides(
            tube([(radius - 0.02, y, -0.11), (out, y, -0.09), (out, y, 0.09), (radius - 0.02, y, 0.11)], 0.038), trim
        )
    else:
        d.add(tube([(radius - 0.03, high * 0.75, 0), (radius + d.uniform(0.4, 0.6), high * 0.85, 0)], 0.045), trim)
    d.has("handle", handles, trim)
    if d.chance(0.65):
        lid = d.other() if d.chance(0.4) else MAIN
        d.add(ellipsoid(radius * 1.05, d.uniform(0.1, 0.16), radius * 1.05), lid, (0, high, 0))
        d.add(torus(radius, 0.03), trim if lid else MAIN, (0, high, 0))
        d.add(sphere(0.065), trim, (0, high + 0.19, 0))
        d.add(cylinder(0.034, 0.14), trim, (0, high + 0.12, 0))
        d.has("lid", 1, lid or None)
    else:
        d.cut(cylinder(radius - WALL, high), (0, high / 2 + 0.09, 0))
        d.has("lid", 0)


def can(d: Draft) -> None:
    radius, high = d.uniform(0.25, 0.32), d.spread(0.36, 0.58, "low", "tall")
    rose = d.other("metal", "golden", "white", "black") if d.chance(0.5) else MAIN
    d.add(frustum(radius, radius * d.uniform(0.8, 1.0), high), MAIN, (0, high / 2, 0))
    d.cut(cylinder(radius * 0.55, 0.3), (radius * 0.1, high + 0.05, 0), paint=d.dark())
    out, up = d.uniform(0.3, 0.42), high + d.uniform(0.08, 0.2)
    d.add(tube([(-radius * 0.7, high * 0.25, 0), (-radius - out, up, 0)], 0.06, 0.042), MAIN)
    d.add(frustum(0.045, 0.12, 0.1), rose, (-radius - out - 0.03, up + 0.05, 0), (0, 0, 48))
    handle(d, radius * 0.85, high * 0.25, high * 0.92, d.uniform(0.16, 0.22), 0.038)
    arch = d.uniform(0.2, 0.3)
    d.add(tube([(radius * 0.75, high - 0.02, 0), (radius * 0.4, high + arch, 0), (-radius * 0.4, high + arch, 0),
                (-radius * 0.75, high - 0.02, 0)], 0.036), MAIN)  # fmt: skip
    d.has("handle", 2)
    d.has("spout", 1)


VESSELS = (
    Kind("mug", mug, ("cup",), ("white", "red", "blue")),
    Kind("teapot", teapot, ("tea pot",), ("white", "blue", "brown")),
    Kind("vase", vase, usual=("white", "blue", "teal", "golden")),
    Kind("bottle", bottle, usual=("green", "brown", "blue")),
    Kind("goblet", goblet, ("chalice",), ("golden", "metal", "white")),
    Kind("bowl", bowl, usual=("white", "wooden", "blue")),
    Kind("jug", jug, ("pitcher",), ("white", "brown", "blue")),
    Kind("bucket", bucket, ("pail",), ("metal", "blue", "red")),
    Kind("barrel", barrel, ("cask",), ("wooden", "wooden", "brown")),
    Kind("cooking pot", pan, usual=("metal", "red", "black", "orange")),
    Kind("watering can", can, usual=("metal", "green", "blue")),
)
