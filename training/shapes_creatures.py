"""Creatures: eleven kinds, looking to the front."""

from __future__ import annotations

from training.shape_draft import MAIN, Draft, Kind
from training.shape_parts import Point, box, cylinder, ellipsoid, extruded, frustum, revolved, sphere, torus, tube

AHEAD = (90.0, 0.0, 0.0)


def eyes(d: Draft, x: float, y: float, z: float, size: float = 0.03) -> None:
    d.sides(sphere(size), d.dark(), (x, y, z))


def legs(d: Draft, x: float, z: float, top: float, thick: float, paint: int = MAIN) -> None:
    """Four, straight down."""
    for end in (z, -z):
        d.sides(cylinder(thick, top, thick * 0.3), paint, (x, top / 2, end))
    d.has("leg", 4)


def tail(d: Draft, y: float, z: float, paint: int = MAIN) -> None:
    """Behind: up, level or down."""
    long = d.uniform(0.2, 0.32)
    end = d.rng.choice((0.26, 0.1, -0.12))
    d.add(tube([(0, y, -z + 0.06), (0, y + end * 0.4, -z - long * 0.6), (0, y + end, -z - long)], 0.045), paint)


def collar(d: Draft, y: float, z: float, radius: float, tilt: float) -> None:
    if d.chance(0.35):
        band = d.other("red", "blue", "green", "purple", "pink", "teal")
        d.add(torus(radius, 0.035), band, (0, y, z), (tilt, 0, 0))
        d.has("collar", 1, band)


def cat(d: Draft) -> None:
    body, wide, head = d.uniform(0.3, 0.38), d.spread(0.13, 0.2, "slim", "fat"), d.uniform(0.17, 0.21)
    leg, pale = d.uniform(0.2, 0.3), d.light()
    y = leg + wide * 0.7
    d.add(ellipsoid(wide, wide, body), MAIN, (0, y, 0))
    legs(d, wide * 0.62, body * 0.6, y, 0.052)
    hy, hz = y + wide * 0.6 + head * 0.6, body * 0.9
    d.add(tube([(0, y, body * 0.5), (0, hy, hz)], wide * 0.75, 0.1), MAIN)
    d.add(ellipsoid(head, head * 0.88, head * 0.88), MAIN, (0, hy, hz))
    d.sides(frustum(0.08, 0.012, 0.16), MAIN, (head * 0.6, hy + head * 0.9, hz - 0.02), (0, 0, -14))
    d.add(ellipsoid(0.075, 0.05, 0.055), pale, (0, hy - head * 0.3, hz + head * 0.78))
    d.add(sphere(0.026), d.paint("pink"), (0, hy - head * 0.16, hz + head * 0.95))
    eyes(d, head * 0.42, hy + head * 0.18, hz + head * 0.76)
    d.add(tube([(0, y + 0.04, -body * 0.8), (0, y + 0.1, -body - 0.12), (0, y + 0.32, -body - 0.16),
                (0, y + 0.42, -body - 0.08)], 0.042), MAIN)  # fmt: skip
    if d.chance(0.35):
        stripe, count = d.other("black", "brown", "white", "orange"), d.integer(3, 4)
        for i in range(count):
            d.colour(stripe, box(1, 0.3, 0.06), (0, y + wide * 0.9, (i - (count - 1) / 2) * body * 0.42))
        d.has("stripe", count, stripe)
    collar(d, (y + hy) / 2 + 0.03, body * 0.76, 0.12, 40)


def dog(d: Draft) -> None:
    body, wide, head = d.spread(0.26, 0.44, "", "long"), d.uniform(0.14, 0.19), d.uniform(0.14, 0.18)
    leg, ear = (
        d.spread(0.16, 0.38, "short-legged", "long-legged"),
        d.other("brown", "black", "white", "wooden", "grey"),
    )
    y = leg + wide * 0.6
    d.add(box(2 * wide, 1.9 * wide, 2 * body, wide * 0.8), MAIN, (0, y, 0))
    legs(d, wide * 0.6, body * 0.72, y, 0.058)
    hy, hz = y + wide + head * 0.75, body + 0.03
    d.add(tube([(0, y, body * 0.6), (0, hy, hz)], wide * 0.8, 0.11), MAIN)
    d.add(ellipsoid(head, head * 0.95, head), MAIN, (0, hy, hz))
    muzzle = d.uniform(0.14, 0.22)
    d.add(
        tube([(0, hy - head * 0.3, hz + head * 0.5), (0, hy - head * 0.38, hz + head * 0.6 + muzzle)], 0.085, 0.07),
        MAIN,
    )
    d.add(sphere(0.045), d.dark(), (0, hy - head * 0.2, hz + head * 0.7 + muzzle))
    if d.chance(0.6):
        d.sides(ellipsoid(0.05, 0.15, 0.09), ear, (head * 0.98, hy - 0.02, hz - 0.02), (0, 0, 12))
        d.has("floppy ear", 2, ear)
    else:
        d.sides(frustum(0.07, 0.014, 0.18), ear, (head * 0.62, hy + head * 0.95, hz - 0.03), (0, 0, -8))
        d.has("pointed ear", 2, ear)
    eyes(d, head * 0.45, hy + head * 0.25, hz + head * 0.82)
    tail(d, y + wide * 0.5, body)
    collar(d, (y + hy) / 2 + 0.04, body + 0.01, 0.13, 15)


def elephant(d: Draft) -> None:
    body, wide, head = d.uniform(0.36, 0.44), d.uniform(0.26, 0.32), d.uniform(0.2, 0.24)
    leg, ear = d.uniform(0.22, 0.32), d.spread(0.17, 0.27, "", "big-eared")
    y = leg + wide * 0.75
    d.add(ellipsoid(wide, wide, body), MAIN, (0, y, 0))
    legs(d, wide * 0.55, body * 0.55, y, 0.095)
    hy, hz = y + wide * 0.4, body + head * 0.4
    d.add(sphere(head), MAIN, (0, hy, hz), blend=0.05)
    d.sides(ellipsoid(ear, ear * 1.1, 0.045), MAIN, (head * 0.75 + ear * 0.6, hy + 0.05, hz - 0.06), (0, -30, 0))
    front = hz + head
    if d.chance(0.5):
        path: list[Point] = [(0, hy - 0.05, front - 0.08), (0, hy - 0.26, front + 0.06), (0, 0.16, front + 0.06),
                             (0, 0.1, front + 0.16)]  # fmt: skip
        d.has("lowered trunk", 1)
    else:
        path = [(0, hy - 0.05, front - 0.08), (0, hy - 0.12, front + 0.14), (0, hy + 0.12, front + 0.26),
                (0, hy + 0.3, front + 0.22)]  # fmt: skip
        d.has("raised trunk", 1)
    d.add(tube(path, 0.085, 0.05), MAIN)
    if d.chance(0.6):
        tusk = d.light()
        d.sides(tube([(0.1, hy - 0.14, front - 0.1), (0.13, hy - 0.22, front + 0.06), (0.12, hy - 0.16, front + 0.16)],
                     0.034, 0.026), tusk)  # fmt: skip
        d.has("tusk", 2, tusk)
    else:
        d.has("tusk", 0)
    eyes(d, head * 0.6, hy + head * 0.35, hz + head * 0.72, 0.034)
    d.add(tube([(0, y + 0.1, -body + 0.03), (0, y - 0.16, -body - 0.06)], 0.034), MAIN)


def giraffe(d: Draft) -> None:
    body, leg, neck = d.uniform(0.22, 0.28), d.uniform(0.34, 0.46), d.spread(0.4, 0.65, "", "long-necked")
    wide, patch = d.uniform(0.12, 0.15), d.other("brown", "wooden", "orange", "black", "white")
    y = leg + wide * 0.6
    d.add(ellipsoid(wide, wide, body), MAIN, (0, y, 0))
    legs(d, wide * 0.55, body * 0.6, y, 0.042)
    hy, hz = y + neck, body + 0.14
    d.add(tube([(0, y, body * 0.6), (0, hy, hz)], 0.1, 0.06), MAIN)
    d.add(tube([(0, hy, hz), (0, hy - 0.05, hz + 0.19)], 0.085, 0.055), MAIN)
    d.sides(cylinder(0.024, 0.12), patch, (0.045, hy + 0.11, hz - 0.01))
    d.sides(ellipsoid(0.07, 0.034, 0.03), MAIN, (0.11, hy + 0.04, hz - 0.03), (0, 0, 20))
    eyes(d, 0.065, hy + 0.01, hz + 0.06, 0.026)
    d.add(tube([(0, y + 0.04, -body), (0, y - 0.2, -body - 0.08)], 0.026), patch)
    for i in range(9):
        share = i / 8
        side = 1 if i % 2 else -1
        d.colour(patch, sphere(0.055), (side * 0.07, y + 0.06 + (neck - 0.1) * share, body * 0.65 + 0.2 * share))
    for z in (-0.7, -0.1, 0.4):
        for h in (-0.3, 0.6):
            d.sides(sphere(0.06), patch, (wide, y + wide * h, body * (z + h * 0.25)), role="paint")
    d.has("spot", None, patch)


def rabbit(d: Draft) -> None:
    body, head, ear = d.spread(0.2, 0.28, "slim", "plump"), d.uniform(0.17, 0.2), d.uniform(0.26, 0.42)
    inner, tuft = d.other("pink", "white", "brown"), d.light()
    tall = 0.27
    d.add(ellipsoid(body, tall, body * 1.1), MAIN, (0, tall, 0))
    hy, hz = 2 * tall + head * 0.5, body * 0.45
    d.add(ellipsoid(head, head * 0.92, head), MAIN, (0, hy, hz))
    lean = d.uniform(4, 20)
    x, y = head * 0.45 + ear * 0.008 * lean, hy + head * 0.7 + ear * 0.5
    d.sides(ellipsoid(0.07, ear * 0.65, 0.05), MAIN, (x, y, hz - 0.04), (0, 0, -lean))
    d.sides(ellipsoid(0.034, ear * 0.48, 0.1), inner, (x, y, hz + 0.02), (0, 0, -lean), role="paint")
    d.sides(ellipsoid(0.09, 0.06, 0.15), MAIN, (body * 0.6, 0.06, body * 0.8))
    d.sides(ellipsoid(0.05, 0.15, 0.06), MAIN, (body * 0.45, 0.24, body * 0.95))
    d.add(sphere(0.095), tuft, (0, 0.16, -body * 1.15))
    d.add(sphere(0.028), inner, (0, hy - 0.01, hz + head))
    eyes(d, head * 0.5, hy + head * 0.2, hz + head * 0.8)
    d.has("ear", 2)
    d.has("tail", 1, tuft)
    if ear > 0.38:
        d.trait("long-eared")


def penguin(d: Draft) -> None:
    wide, tall = d.spread(0.22, 0.31, "slim", "fat"), d.uniform(0.38, 0.48)
    belly, beak = d.light(), d.other("orange", "yellow", "red")
    base = 0.06
    d.add(ellipsoid(wide, tall, wide * 0.9), MAIN, (0, base + tall * 0.96, 0))
    y, head = base + 1.75 * tall, wide * d.uniform(0.66, 0.76)
    d.add(sphere(head), MAIN, (0, y, 0.01), blend=0.06)
    d.colour(belly, ellipsoid(wide * 0.75, tall * 0.78, wide), (0, base + tall * 0.82, wide * 0.75))
    d.sides(ellipsoid(head * 0.42, head * 0.5, 0.12), belly, (head * 0.36, y + 0.01, head * 0.92), role="paint")
    d.add(frustum(0.055, 0.02, 0.16), beak, (0, y - 0.03, head + 0.05), AHEAD)
    eyes(d, head * 0.38, y + head * 0.22, head * 0.88)
    d.sides(ellipsoid(0.1, 0.045, 0.16), beak, (wide * 0.45, 0.045, wide * 0.55))
    lift = d.uniform(8, 45)
    d.sides(ellipsoid(0.05, tall * 0.5, 0.11), MAIN, (wide * 0.9 + lift * 0.002, base + tall * 1.0, 0), (0, 0, lift))
    d.has("belly", 1, belly)
    d.has("beak", 1, beak)
    d.has("foot", 2, beak)


def fish(d: Draft) -> None:
    long, tall, thick = d.uniform(0.38, 0.46), d.spread(0.17, 0.32, "slender", "tall"), d.uniform(0.12, 0.16)
    fins, lift = d.other(), 0.05
    y = lift + tall
    d.add(ellipsoid(thick, tall, long), MAIN, (0, y, 0))
    end = long * 0.78
    fork = d.uniform(0.2, 0.3)
    d.add(
        extruded([(0.06, 0), (-0.26, fork), (-0.17, 0), (-0.26, -fork * 0.8)], 0.06, 0.06),
        fins,
        (0, y, -end),
        (0, -90, 0),
    )
    high = d.uniform(0.12, 0.22)
    d.add(extruded([(0.2, 0), (-0.08, high), (-0.24, high * 0.8), (-0.2, 0)], 0.055), fins, (0, y + tall * 0.8, 0),
          (0, -90, 0))  # fmt: skip
    d.add(extruded([(0.12, 0.08), (-0.12, 0.08), (-0.12, -0.06), (-0.04, -0.06)], 0.06), fins, (0, lift + 0.02, 0),
          (0, -90, 0))  # fmt: skip
    d.sides(ellipsoid(0.09, 0.04, 0.09), fins, (thick + 0.04, y - tall * 0.25, long * 0.2), (0, 25, -25))
    d.sides(sphere(0.05), d.light(), (thick * 0.62, y + tall * 0.25, long * 0.68))
    d.sides(sphere(0.03), d.dark(), (thick * 0.62 + 0.032, y + tall * 0.25, long * 0.68 + 0.016))
    d.has("fin", None, fins)
    if d.chance(0.5):
        stripe, count = d.other(), d.integer(2, 4)
        for i in range(count):
            d.colour(stripe, box(1, 1, 0.075), (0, y, long * (0.35 - 0.3 * i)))
        d.has("stripe", count, stripe)


def snail(d: Draft) -> None:
    radius, skin = d.uniform(0.26, 0.34), d.other("yellow", "brown", "wooden", "grey", "green", "pink", "orange")
    long, stripe = d.uniform(0.42, 0.52), d.other()
    d.add(tube([(0, 0.075, -long), (0, 0.1, 0), (0, 0.1, long * 0.8)], 0.06, 0.1), skin)
    head = d.uniform(0.28, 0.4)
    d.add(tube([(0, 0.1, long * 0.75), (0, head, long + 0.05)], 0.1, 0.095), skin, blend=0.04)
    d.sides(tube([(0.05, head, long + 0.07), (0.09, head + 0.2, long + 0.13)], 0.026), skin)
    d.sides(sphere(0.042), d.dark(), (0.09, head + 0.2, long + 0.13))
    y, z = 0.12 + radius, -0.08
    d.add(cylinder(radius, 0.24, 0.11), MAIN, (0, y, z), (0, 0, 90))
    turns = 3
    for side in (-1, 1):
        for i in range(turns):
            share = 0.78 - 0.3 * i
            place = (side * (0.125 - 0.02 * (i == 0)), y, z - radius * 0.05 * i)
            d.colour(stripe, torus(radius * share, 0.036), place, (0, 0, 90))
    d.add(sphere(0.1), MAIN, (0.08, y, z - 0.01))
    d.add(sphere(0.1), MAIN, (-0.08, y, z - 0.01))
    d.has("body", 1, skin)
    d.has("stalk", 2)
    if radius > 0.32:
        d.trait("big-shelled")


def turtle(d: Draft) -> None:
    wide, long, high = d.uniform(0.32, 0.4), d.uniform(0.38, 0.46), d.spread(0.2, 0.38, "flat", "high-domed")
    skin, spot = d.other("green", "brown", "yellow", "teal", "wooden", "grey"), d.other()
    dome = ellipsoid(wide, high, long)
    d.add(ellipsoid(wide * 0.95, 0.09, long * 0.95), skin, (0, 0.16, 0))
    d.add(dome, MAIN, (0, 0.18, 0))
    d.cut(box(2, 0.3, 2), (0, -0.09, 0))
    for end in (0.62, -0.62):
        d.sides(tube([(wide * 0.6, 0.15, long * end), (wide * 1.0, 0.07, long * end * 1.35)], 0.085, 0.075), skin)
    hy, hz = d.uniform(0.24, 0.38), long + 0.16
    d.add(tube([(0, 0.17, long * 0.75), (0, hy, hz)], 0.075, 0.11), skin)
    eyes(d, 0.07, hy + 0.05, hz + 0.075)
    d.add(tube([(0, 0.15, -long * 0.85), (0, 0.09, -long - 0.12)], 0.055, 0.026), skin)
    count = d.integer(4, 6)
    d.colour(spot, sphere(0.1), (0, 0.18 + high, 0))
    d.around(count, sphere(0.08), spot, (0, 0.18 + high * 0.74, wide * 0.68), role="paint")
    d.has("leg", 4, skin)
    d.has("spot on its shell", None, spot)


def pig(d: Draft) -> None:
    body, wide, head = d.uniform(0.34, 0.4), d.spread(0.21, 0.3, "slim", "fat"), d.uniform(0.18, 0.22)
    leg, snout = d.uniform(0.14, 0.2), d.other("pink", "brown", "white", "black")
    y = leg + wide * 0.85
    d.add(ellipsoid(wide, wide, body), MAIN, (0, y, 0))
    legs(d, wide * 0.55, body * 0.55, y, 0.07)
    hy, hz = y + wide * 0.3, body * 0.95
    d.add(sphere(head), MAIN, (0, hy, hz), blend=0.04)
    d.add(cylinder(0.095, 0.14, 0.02), snout, (0, hy - 0.03, hz + head), AHEAD)
    d.sides(sphere(0.026), d.dark(), (0.036, hy - 0.03, hz + head + 0.07), role="paint")
    d.sides(extruded([(-0.085, -0.03), (0.085, -0.03), (0.03, 0.15)], 0.055), MAIN, (head * 0.6, hy + head * 0.75, hz),
            (20, 0, -25))  # fmt: skip
    eyes(d, head * 0.45, hy + head * 0.35, hz + head * 0.8)
    d.add(torus(0.065, 0.03), MAIN, (0, y + wide * 0.45, -body - 0.02), AHEAD)
    d.add(tube([(0, y + 0.05, -body + 0.06), (0, y + wide * 0.35, -body - 0.03)], 0.034), MAIN)
    d.has("snout", 1, snout)


def bird(d: Draft) -> None:
    body, wide = d.uniform(0.28, 0.34), d.spread(0.16, 0.24, "slim", "plump")
    head, beak, wing = d.uniform(0.14, 0.17), d.other("orange", "yellow", "black"), d.other()
    stand, stalk = d.uniform(0.16, 0.28), d.other("brown", "wooden", "orange", "grey")
    y = stand + wide * 0.85
    d.add(ellipsoid(wide, wide * 0.95, body), MAIN, (0, y, 0), (-22, 0, 0))
    hy, hz = y + wide * 0.75 + head * 0.5, body * 0.72
    d.add(sphere(head), MAIN, (0, hy, hz), blend=0.06)
    d.add(frustum(0.06, 0.014, d.uniform(0.14, 0.24)), beak, (0, hy - 0.01, hz + head + 0.06), AHEAD)
    eyes(d, head * 0.6, hy + head * 0.3, hz + head * 0.68)
    d.sides(ellipsoid(0.05, wide * 0.62, body * 0.72), wing, (wide * 0.95, y + 0.02, -0.06), (-30, 0, 0))
    d.add(box(0.15, 0.05, 0.36, 0.02), wing, (0, y - 0.12, -body - 0.1), (-30, 0, 0))
    d.sides(cylinder(0.026, stand + 0.12), stalk, (0.08, (stand + 0.12) / 2, 0.0))
    d.sides(ellipsoid(0.06, 0.034, 0.12), stalk, (0.08, 0.034, 0.05))
    d.has("wing", 2, wing)
    d.has("beak", 1, beak)
    if d.chance(0.3):
        d.add(revolved([(0, 0), (0.06, 0), (0, 0.2)]), wing, (0, hy + head * 0.8, hz), (-25, 0, 0))
        d.has("crest", 1, wing)


CREATURES = (
    Kind("cat", cat, ("kitty",), ("orange", "black", "grey", "white")),
    Kind("dog", dog, usual=("brown", "wooden", "white", "black")),
    Kind("elephant", elephant, usual=("grey", "grey", "stone", "blue")),
    Kind("giraffe", giraffe, usual=("yellow", "yellow", "golden")),
    Kind("rabbit", rabbit, ("bunny",), ("white", "grey", "brown")),
    Kind("penguin", penguin, usual=("black", "black", "blue")),
    Kind("fish", fish, usual=("orange", "blue", "yellow")),
    Kind("snail", snail, usual=("brown", "orange", "purple")),
    Kind("turtle", turtle, ("tortoise",), ("green", "green", "brown")),
    Kind("pig", pig, usual=("pink", "pink", "brown")),
    Kind("bird", bird, usual=("blue", "red", "yellow")),
)
