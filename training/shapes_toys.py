"""Toys: ten kinds."""

from __future__ import annotations

import numpy as np

from training.shape_draft import MAIN, Draft, Kind
from training.shape_parts import box, cylinder, ellipsoid, frustum, revolved, sphere, torus, tube

ACROSS = (0.0, 0.0, 90.0)
AHEAD = (90.0, 0.0, 0.0)


def teddy(d: Draft) -> None:
    body, head = d.spread(0.24, 0.33, "thin", "fat"), d.uniform(0.2, 0.25)
    pale, dark, tall = d.other("white", "yellow", "pink", "brown", "wooden"), d.dark(), 0.3
    d.add(ellipsoid(body, tall, body * 0.9), MAIN, (0, 0.1 + tall, 0))
    d.colour(pale, ellipsoid(body * 0.65, tall * 0.7, 0.3), (0, 0.08 + tall, body * 0.9))
    y = 0.1 + 2 * tall + head * 0.6
    d.add(sphere(head), MAIN, (0, y, 0.02))
    d.sides(ellipsoid(0.095, 0.095, 0.06), MAIN, (head * 0.75, y + head * 0.75, 0))
    d.sides(ellipsoid(0.05, 0.05, 0.05), pale, (head * 0.75, y + head * 0.75, 0.045))
    d.add(ellipsoid(head * 0.45, head * 0.36, head * 0.4), pale, (0, y - head * 0.25, head * 0.85))
    d.add(sphere(0.042), dark, (0, y - head * 0.12, head * 1.25))
    d.sides(sphere(0.036), dark, (head * 0.38, y + head * 0.25, head * 0.9))
    if d.chance(0.5):
        d.sides(tube([(body * 0.7, 0.52, 0.05), (body + 0.14, 0.36, 0.16)], 0.095), MAIN)
    else:
        d.sides(tube([(body * 0.7, 0.52, 0.0), (body + 0.2, 0.66, 0.06)], 0.095), MAIN)
        d.trait("waving")
    d.sides(tube([(0.1, 0.2, 0.02), (0.19, 0.12, 0.14), (0.21, 0.12, 0.32)], 0.11), MAIN)
    d.sides(ellipsoid(0.07, 0.07, 0.03), pale, (0.21, 0.12, 0.42))
    if d.chance(0.45):
        bow = d.other()
        d.sides(frustum(0.03, 0.09, 0.15), bow, (0.1, y - head, body * 0.64 + 0.02), (0, 0, -90))
        d.add(sphere(0.05), bow, (0, y - head, body * 0.64 + 0.02))
        d.add(cylinder(head * 0.8, 0.08), bow, (0, y - head * 0.9, 0.01))
        d.has("bow tie", 1, bow)


def snowman(d: Draft) -> None:
    balls, size = d.integer(2, 3), d.uniform(0.26, 0.33)
    dark, scarf = d.dark(), d.other("red", "blue", "green", "purple", "teal", "pink")
    shrink, y = d.uniform(0.72, 0.8), 0.0
    radii = [size * shrink**i for i in range(balls)]
    for radius in radii:
        centre = y + radius * 0.93
        d.add(sphere(radius), MAIN, (0, centre, 0))
        y = centre + radius * 0.68
    head, middle = radii[-1], centre
    nose = d.uniform(0.16, 0.26)
    d.add(frustum(0.045, 0.02, nose), d.paint("orange"), (0, middle, head + nose / 2 - 0.04), AHEAD)
    d.sides(sphere(0.036), dark, (head * 0.36, middle + head * 0.36, head * 0.84))
    d.add(torus(head * 0.82, 0.06), scarf, (0, middle - head * 0.72, 0))
    d.add(box(0.11, 0.24, 0.06, 0.02), scarf, (head * 0.4, middle - head * 0.72 - 0.1, head * 0.82))
    d.has("scarf", 1, scarf)
    buttons = d.integer(2, 3)
    body, base = radii[-2], middle - head - radii[-2] * 0.55
    for i in range(buttons):
        lift = body * (0.3 - 0.36 * i)
        d.add(sphere(0.036), dark, (0, base + lift, (body * body - lift * lift) ** 0.5))
    d.has("button", buttons, dark)
    arms = d.paint("brown")
    d.sides(tube([(body * 0.8, base + 0.08, 0), (body + 0.26, base + d.uniform(0.15, 0.3), 0)], 0.028), arms)
    if d.chance(0.6):
        hat = d.other("black", "red", "blue", "purple", "grey") if d.words[MAIN] != "black" else d.other()
        d.add(cylinder(head * 1.05, 0.05), hat, (0, middle + head * 0.8, 0))
        d.add(cylinder(head * 0.66, 0.2), hat, (0, middle + head * 0.8 + 0.1, 0))
        d.has("hat", 1, hat)
    else:
        d.has("hat", 0)


def robot(d: Draft) -> None:
    wide, tall = d.spread(0.32, 0.5, "narrow", "wide"), d.uniform(0.34, 0.46)
    trim, eyes, legs = d.other(), d.other("yellow", "white", "red", "teal", "green"), d.uniform(0.16, 0.3)
    deep, head = d.uniform(0.24, 0.3), d.uniform(0.2, 0.26)
    d.add(box(wide, tall, deep, 0.03), MAIN, (0, legs + tall / 2, 0))
    d.sides(box(0.11, legs + 0.05, 0.12), trim, (wide * 0.28, legs / 2, 0))
    d.sides(box(0.15, 0.08, 0.24, 0.02), MAIN, (wide * 0.28, 0.04, 0.04))
    y = legs + tall + head / 2 + 0.04
    d.add(cylinder(0.06, 0.14), trim, (0, legs + tall + 0.02, 0))
    d.add(box(head * 1.35, head, head * 1.05, 0.03), MAIN, (0, y, 0))
    d.sides(cylinder(0.05, 0.06), eyes, (head * 0.34, y + 0.03, head * 0.52), AHEAD)
    d.colour(trim, box(head * 0.75, 0.045, 0.2), (0, y - head * 0.27, head * 0.52))
    d.has("eye", 2, eyes)
    up = d.chance(0.3)
    hand = legs + tall + (0.2 if up else -tall * 0.7)
    d.sides(tube([(wide / 2 - 0.02, legs + tall - 0.08, 0), (wide / 2 + 0.12, legs + tall - 0.08, 0),
                  (wide / 2 + 0.14, hand, 0.06)], 0.05), trim)  # fmt: skip
    d.sides(sphere(0.075), MAIN, (wide / 2 + 0.14, hand, 0.06))
    if up:
        d.trait("cheering")
    antennas = d.integer(0, 2)
    for x in {0: [], 1: [0.0], 2: [-0.09, 0.09]}[antennas]:
        d.add(cylinder(0.024, 0.17), trim, (x, y + head / 2 + 0.06, 0))
        d.add(sphere(0.046), eyes, (x, y + head / 2 + 0.15, 0))
    d.has("antenna", antennas)
    panel = d.paint("black") if d.words[MAIN] != "black" else d.light()
    d.colour(panel, box(wide * 0.6, tall * 0.4, 0.12), (0, legs + tall * 0.58, deep / 2))
    lights = d.integer(2, 3)
    for i in range(lights):
        x = (i - (lights - 1) / 2) * wide * 0.2
        d.add(sphere(0.034), eyes, (x, legs + tall * 0.58, deep / 2 + 0.01))
    d.has("light on its chest", lights)


def top(d: Draft) -> None:
    radius, high = d.uniform(0.38, 0.46), d.spread(0.42, 0.75, "flat", "tall")
    stripe, stem = d.other(), d.other("wooden", "metal", "black", "white")
    belly = high * d.uniform(0.5, 0.65)
    d.add(revolved([(0, 0), (0.045, 0), (radius, belly), (radius * 0.85, belly + 0.09), (0.1, high), (0, high)]), MAIN)
    bands = d.integer(1, 2)
    for i in range(bands):
        d.colour(stripe, box(2, belly * 0.24, 2), (0, belly * (0.86 - 0.45 * i), 0))
    d.add(cylinder(0.045, 0.3), stem, (0, high + 0.1, 0))
    d.add(sphere(d.uniform(0.06, 0.085)), stem, (0, high + 0.26, 0))
    d.has("stripe", bands, stripe)
    d.has("stem", 1, stem)


def rings(d: Draft) -> None:
    count, big, thick = d.integer(3, 6), d.uniform(0.34, 0.42), d.uniform(0.075, 0.1)
    post, ball = d.other("wooden", "white", "yellow"), d.other()
    paints = [MAIN]
    if d.chance(0.75):
        paints = [MAIN, d.other(), d.other()]
        d.trait("colourful")
    d.add(cylinder(big * 1.05, 0.08, 0.02), post, (0, 0.04, 0))
    y = 0.08 + thick * 0.8
    for i in range(count):
        radius = big * (1 - 0.55 * i / count) - thick * 0.3
        d.add(torus(radius * 0.75, thick), paints[i % len(paints)], (0, y, 0))
        d.add(cylinder(radius * 0.7, thick), paints[i % len(paints)], (0, y, 0))
        y += thick * 1.72
    d.add(cylinder(0.05, y), post, (0, y / 2, 0))
    d.add(sphere(0.1), ball, (0, y + 0.02, 0))
    d.has("ring", count)
    d.has("ball on top", 1, ball)


def duck(d: Draft) -> None:
    long, wide, head = d.uniform(0.38, 0.46), d.spread(0.26, 0.36, "slim", "plump"), d.uniform(0.2, 0.25)
    beak, dark = d.other("orange", "red", "yellow"), d.dark()
    d.add(ellipsoid(wide, 0.24, long), MAIN, (0, 0.24, 0))
    d.add(ellipsoid(wide * 0.5, 0.12, 0.2), MAIN, (0, 0.36, -long * 0.85), (35, 0, 0), blend=0.08)
    y, z = 0.42 + head * 0.75, long * 0.45
    d.add(sphere(head), MAIN, (0, y, z), blend=0.06)
    d.add(ellipsoid(0.12, 0.05, 0.15), beak, (0, y - 0.05, z + head))
    d.sides(sphere(0.04), dark, (head * 0.5, y + head * 0.3, z + head * 0.76))
    d.sides(ellipsoid(0.06, 0.12, 0.2), MAIN, (wide * 0.95, 0.3, -0.06), (-12, 0, 0))
    d.has("beak", 1, beak)
    if d.chance(0.3):
        hat = d.other()
        d.add(cylinder(head * 0.8, 0.05), hat, (0, y + head * 0.85, z))
        d.add(cylinder(head * 0.5, 0.16), hat, (0, y + head * 0.85 + 0.09, z))
        d.has("hat", 1, hat)


def dice(d: Draft) -> None:
    side, rounding = 0.8, d.spread(0.03, 0.16, "sharp-edged", "rounded")
    pip, face = d.other("white", "black", "yellow", "blue"), side / 2
    d.add(box(side, side, side, rounding), MAIN, (0, face, 0))
    spread, radius = side * d.uniform(0.24, 0.27), d.uniform(0.075, 0.095)
    spots = {
        1: [(0, 0)], 2: [(-1, -1), (1, 1)], 3: [(-1, -1), (0, 0), (1, 1)],
        4: [(-1, -1), (1, 1), (-1, 1), (1, -1)], 5: [(-1, -1), (1, 1), (-1, 1), (1, -1), (0, 0)],
        6: [(-1, -1), (1, 1), (-1, 1), (1, -1), (-1, 0), (1, 0)],
    }  # fmt: skip
    front, right, up = d.rng.choice(((1, 2, 3), (2, 3, 1), (3, 1, 2), (4, 5, 1), (5, 1, 4), (6, 5, 3), (2, 4, 6)))
    for number, normal in ((front, 2), (7 - front, -2), (right, 0), (7 - right, -4), (up, 1)):
        axis, end = (abs(normal) % 4, -1 if normal < 0 else 1)
        for a, b in spots[number]:
            place = [a * spread, b * spread]
            place.insert(axis, end * face)
            d.cut(sphere(radius), (place[0], place[1] + face, place[2]), paint=pip)
    d.has("dot", None, pip)
    d.has("dot on top", up)


def brick(d: Draft) -> None:
    columns, rows = d.rng.choice(((1, 2), (2, 2), (2, 3), (2, 4), (3, 3), (2, 1), (1, 3)))
    pitch, high = 0.25, d.spread(0.16, 0.42, "flat", "tall")
    d.add(box(columns * pitch, high, rows * pitch, 0.01), MAIN, (0, high / 2, 0))
    for i in range(columns):
        for j in range(rows):
            place = ((i - (columns - 1) / 2) * pitch, high + 0.03, (j - (rows - 1) / 2) * pitch)
            d.add(cylinder(0.078, 0.1), MAIN, place)
    d.has("stud", columns * rows)


def pin(d: Draft) -> None:
    tall, fat = d.uniform(0.95, 1.1), d.spread(0.17, 0.23, "slim", "fat")
    stripe, bands = d.other("red", "blue", "black", "green", "yellow"), d.integer(1, 2)
    neck, head = fat * 0.44, fat * 0.6
    side = [(fat * 0.55, 0), (fat * 0.8, tall * 0.12), (fat, tall * 0.32), (fat * 0.85, tall * 0.48),
            (neck, tall * 0.7), (neck, tall * 0.76), (head, tall * 0.88), (head * 0.75, tall * 0.97)]  # fmt: skip
    side.append((0, tall))
    d.add(revolved([(0, 0), *side]), MAIN)
    for i in range(bands):
        d.colour(stripe, box(1, 0.055, 1), (0, tall * (0.69 + 0.1 * i), 0))
    d.has("stripe", bands, stripe)


def horse(d: Draft) -> None:
    mane, rockers = d.other("brown", "black", "white", "yellow"), d.other("wooden", "red", "blue", "yellow")
    body, leg, x = d.uniform(0.28, 0.34), d.spread(0.3, 0.42, "", "long-legged"), 0.15
    angles = np.radians(np.linspace(-38, 38, 7))
    bow = [(x, 0.95 - 0.92 * float(np.cos(a)), 0.92 * float(np.sin(a))) for a in angles]
    d.sides(tube(bow, 0.045), rockers)
    for z in (-0.3, 0.3):
        d.add(cylinder(0.034, 2 * x), rockers, (0, 0.075, z), ACROSS)
    y = 0.12 + leg
    for z in (-body * 0.75, body * 0.75):
        d.sides(tube([(0.08, y, z), (x, 0.09, z * 1.3)], 0.055), MAIN)
    d.add(ellipsoid(0.15, 0.16, body + 0.08), MAIN, (0, y + 0.03, 0))
    head, z = y + 0.36, body + 0.1
    d.add(tube([(0, y + 0.06, body * 0.75), (0, head, z)], 0.11, 0.085), MAIN)
    d.add(tube([(0, head, z), (0, head - 0.12, z + 0.17)], 0.085, 0.062), MAIN)
    d.sides(frustum(0.034, 0.02, 0.1), MAIN, (0.05, head + 0.1, z - 0.01))
    d.sides(sphere(0.028), d.dark(), (0.07, head - 0.0, z + 0.06))
    d.add(tube([(0, head + 0.07, z - 0.08), (0, y + 0.2, body * 0.55)], 0.045), mane)
    d.add(tube([(0, y + 0.08, -body), (0, y + 0.02, -body - 0.16), (0, y - 0.16, -body - 0.2)], 0.05), mane)
    saddle = d.other()
    d.add(ellipsoid(0.13, 0.07, 0.14), saddle, (0, y + 0.17, -0.02))
    d.has("saddle", 1, saddle)
    d.has("mane", 1, mane)
    d.has("rocker", 2, rockers)


TOYS = (
    Kind("teddy bear", teddy, ("teddy",), ("brown", "wooden", "white")),
    Kind("snowman", snowman, usual=("white", "white", "white")),
    Kind("robot", robot, ("toy robot",), ("metal", "red", "blue", "grey")),
    Kind("spinning top", top, usual=("wooden", "red", "blue")),
    Kind("ring tower", rings, ("stacking rings toy",), ("red", "blue", "yellow")),
    Kind("rubber duck", duck, usual=("yellow", "yellow", "pink")),
    Kind("die", dice, usual=("white", "red", "black")),
    Kind("toy brick", brick, ("building brick",), ("red", "blue", "yellow", "green")),
    Kind("bowling pin", pin, ("skittle",), ("white", "white", "wooden")),
    Kind("rocking horse", horse, usual=("wooden", "brown", "white")),
)
