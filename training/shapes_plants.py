"""Plants: nine kinds. The main paint is that of leaves, petals or fruit; stems and trunks have their own."""

from __future__ import annotations

import numpy as np

from training.shape_draft import MAIN, Draft, Kind
from training.shape_parts import Point, cylinder, ellipsoid, extruded, frustum, revolved, sphere, torus, tube


def leafy(d: Draft) -> int:
    """A green for leaves that are not the main thing; the main paint, if that is green."""
    return MAIN if d.words[MAIN] == "green" else d.paint("green")


def pot(d: Draft, radius: float, high: float) -> int:
    """A flower pot with earth in it, on the ground; its paint."""
    paint = d.other("orange", "white", "blue", "brown", "red", "stone", "yellow", "black")
    d.add(frustum(radius * 0.72, radius, high), paint, (0, high / 2, 0))
    d.add(cylinder(radius * 1.12, high * 0.22, 0.01), paint, (0, high * 0.9, 0))
    d.add(cylinder(radius * 0.9, 0.05), d.paint("brown"), (0, high * 1.0, 0))
    d.has("pot", 1, paint)
    return paint


def tree(d: Draft) -> None:
    trunk, wide = d.spread(0.3, 0.7, "low", "tall"), d.uniform(0.3, 0.42)
    wood, thick = d.other("brown", "wooden", "grey"), d.uniform(0.05, 0.085)
    d.add(frustum(thick * 1.5, thick, trunk + 0.1), wood, (0, (trunk + 0.1) / 2, 0))
    middle = trunk + wide * 0.75
    round_, high = d.chance(0.45), wide * d.uniform(0.85, 1.2)
    if round_:
        d.add(ellipsoid(wide, high, wide), MAIN, (0, middle, 0))
        d.trait("round")
    else:
        puffs = d.integer(5, 8)
        d.add(sphere(wide * 0.7), MAIN, (0, middle + wide * 0.15, 0))
        for i in range(puffs):
            angle, out = i * 2.4, wide * d.uniform(0.45, 0.65)
            place = (out * np.cos(angle), middle + wide * d.uniform(-0.3, 0.4), out * np.sin(angle))
            d.add(sphere(wide * d.uniform(0.38, 0.5)), MAIN, place, blend=0.05)
    d.has("trunk", 1, wood)
    if round_ and d.chance(0.6):
        fruits = d.other("red", "orange", "yellow", "pink")
        for i in range(7):
            angle, y = i * 2.4 + 0.3, (i - 3) / 4.5
            ring = wide * 0.98 * (1 - y * y) ** 0.5
            d.add(sphere(0.06), fruits, (ring * np.cos(angle), middle + y * high, ring * np.sin(angle)))
        d.has("fruit", 7, fruits)


def pine(d: Draft) -> None:
    tiers, wide = d.integer(2, 4), d.spread(0.26, 0.42, "narrow", "wide")
    wood, trunk = d.other("brown", "wooden", "grey"), d.uniform(0.14, 0.26)
    each, y = d.uniform(0.32, 0.42), trunk
    d.add(cylinder(d.uniform(0.055, 0.085), trunk + 0.1), wood, (0, (trunk + 0.1) / 2, 0))
    for tier in range(tiers):
        radius = wide * (1 - 0.62 * tier / tiers)
        d.add(frustum(radius, radius * 0.12, each), MAIN, (0, y + each / 2, 0))
        y += each * 0.55
    top = y + each * 0.45
    if d.chance(0.3):
        star = [(r * np.sin(a), r * np.cos(a)) for a, r in
                ((i * np.pi / 5, 0.13 if i % 2 == 0 else 0.06) for i in range(10))]  # fmt: skip
        d.add(extruded(star, 0.06), d.other("yellow", "golden"), (0, top + 0.05, 0))
        d.has("star on top", 1)
    d.has("tier", tiers)
    d.has("trunk", 1, wood)


def palm(d: Draft) -> None:
    tall, lean = d.spread(0.6, 1.0, "short", "tall"), d.uniform(-0.22, 0.22)
    wood, fronds, out = d.other("brown", "wooden"), d.integer(5, 8), d.uniform(0.36, 0.5)
    top: Point = (lean, tall, 0)
    d.add(tube([(0, 0.07, 0), (lean * 0.35, tall * 0.5, 0), top], 0.07, 0.045), wood)
    for i in range(fronds):
        angle, rise = 2 * np.pi * i / fronds, d.uniform(0.05, 0.16)
        x, z = np.cos(angle), np.sin(angle)
        path = [top, (lean + x * out * 0.5, tall + rise, z * out * 0.5), (lean + x * out, tall - 0.16, z * out)]
        d.add(tube(path, 0.065, 0.028), MAIN)
    if d.chance(0.5):
        nuts = d.integer(2, 4)
        for i in range(nuts):
            angle = 2 * np.pi * i / nuts + 0.5
            d.add(sphere(0.065), d.paint("brown"), (lean + 0.07 * np.cos(angle), tall - 0.07, 0.07 * np.sin(angle)))
        d.has("coconut", nuts)
    d.has("frond", fronds)
    d.has("trunk", 1, wood)


def cactus(d: Draft) -> None:
    tall, thick, arms = d.spread(0.6, 1.1, "short", "tall"), d.uniform(0.1, 0.15), d.integer(0, 3)
    base = 0.02
    if d.chance(0.5):
        pot(d, 0.24, 0.24)
        base = 0.2
    d.add(tube([(0, base + thick * 0.5, 0), (0, base + tall - thick, 0)], thick), MAIN)
    for i in range(arms):
        side, turn = (1, -1, 1)[i], (0, 0, 90)[i]
        y, out, up = base + tall * d.uniform(0.3, 0.5), thick + d.uniform(0.1, 0.16), d.uniform(0.14, 0.28)
        way = np.array([side * np.cos(np.radians(turn)), 0, np.sin(np.radians(turn))])
        path = [tuple(way * o + (0, y + h, 0)) for o, h in ((0, 0), (out, 0.02), (out, up))]
        d.add(tube(path, thick * 0.62), MAIN)
    ribs = d.integer(6, 8)
    d.around(ribs, tube([(0, base + thick, thick * 1.05), (0, base + tall - thick, thick * 1.05)], 0.02), role="cut")
    d.has("arm", arms)
    if d.chance(0.4):
        bloom = d.other("pink", "red", "yellow", "purple")
        d.add(ellipsoid(0.09, 0.06, 0.09), bloom, (0, base + tall + 0.01, 0))
        d.has("flower on top", 1, bloom)


def flower(d: Draft) -> None:
    stem, petals, out = d.spread(0.45, 0.85, "short", "tall"), d.integer(5, 8), d.uniform(0.17, 0.23)
    green, heart = leafy(d), d.other("yellow", "brown", "orange", "white", "black")
    potted = d.chance(0.4)
    if potted:
        pot(d, 0.18, 0.2)
    base = 0.18 if potted else 0.03
    top = base + stem
    d.add(tube([(0, base, 0), (0, top, 0)], 0.036), green)
    if not potted:
        d.add(ellipsoid(0.12, 0.06, 0.12), green, (0, 0.04, 0))
    width = min(0.11, out * 2.6 / petals)
    for i in range(petals):
        angle = 2 * np.pi * i / petals
        place = (out * np.cos(angle), top + out * np.sin(angle), 0.05)
        d.add(ellipsoid(out * 0.72, width, 0.045), MAIN, place, (0, 0, float(np.degrees(angle))))
    d.add(ellipsoid(out * 0.52, out * 0.52, 0.08), heart, (0, top, 0.07))
    leaves = d.integer(1, 2)
    for i in range(leaves):
        side = 1 - 2 * i
        d.add(ellipsoid(0.13, 0.055, 0.045), green, (side * 0.12, base + stem * 0.35, 0), (0, 0, side * 35))
    d.has("petal", petals)
    d.has("centre", 1, heart)
    d.has("leaf", leaves)


def tulip(d: Draft) -> None:
    stem, size = d.spread(0.4, 0.8, "short", "tall"), d.uniform(0.15, 0.2)
    green, leaves = leafy(d), d.integer(2, 3)
    d.add(tube([(0, 0.03, 0), (0, stem, 0)], 0.036), green)
    d.add(ellipsoid(0.1, 0.05, 0.1), green, (0, 0.04, 0))
    for i in range(leaves):
        angle, high = 2 * np.pi * i / leaves + 0.4, stem * d.uniform(0.55, 0.85)
        x, z = np.cos(angle), np.sin(angle)
        d.add(tube([(0, 0.05, 0), (x * 0.1, high * 0.5, z * 0.1), (x * 0.2, high, z * 0.2)], 0.055, 0.028), green)
    cup = [(0, 0), (size * 0.7, 0.03), (size, size * 0.8), (size * 0.85, size * 1.7), (0, size * 1.7)]
    d.add(revolved(cup), MAIN, (0, stem, 0))
    for i in range(6):
        angle = np.pi * (i + 0.5) / 3
        place = (size * 0.95 * np.cos(angle), stem + size * 1.85, size * 0.95 * np.sin(angle))
        d.cut(sphere(size * 0.42), place)
    d.cut(frustum(size * 0.1, size * 0.68, size), (0, stem + size * 1.5, 0))
    d.has("leaf", leaves)


def mushroom(d: Draft) -> None:
    stem, wide = d.spread(0.3, 0.7, "short", "tall"), d.spread(0.26, 0.5, "", "wide-capped")
    stalk, thick, high = d.light(), d.uniform(0.08, 0.13), d.uniform(0.22, 0.36)
    d.add(
        revolved([(0, 0), (thick * 1.35, 0), (thick, stem * 0.35), (thick * 0.85, stem + 0.05), (0, stem + 0.05)]),
        stalk,
    )
    dome = [(wide * np.cos(a), high * np.sin(a)) for a in np.linspace(0, np.pi / 2, 8)]
    d.add(revolved([(0, 0.03), (wide * 0.85, -0.04), *dome]), MAIN, (0, stem, 0))
    spots = d.integer(5, 9) if d.chance(0.6) else 0
    spot = d.light()
    for i in range(spots):
        angle, up = i * 2.4, np.radians(18 + 62 * i / spots)
        place = (wide * np.cos(up) * np.cos(angle), stem + high * np.sin(up), wide * np.cos(up) * np.sin(angle))
        d.colour(spot, sphere(d.uniform(0.06, 0.085)), place)
    if spots:
        d.has("spot", None, spot)
    d.has("stem", 1, stalk)


def potted(d: Draft) -> None:
    size, high, leaves = d.uniform(0.2, 0.28), d.uniform(0.24, 0.34), d.integer(6, 10)
    pot(d, size, high)
    tall = d.spread(0.3, 0.65, "low", "tall")
    for i in range(leaves):
        angle, out, up = i * 2.4, d.uniform(0.16, 0.36), tall * d.uniform(0.6, 1.0)
        x, z = np.cos(angle), np.sin(angle)
        path = [(0, high, 0), (x * out * 0.4, high + up * 0.65, z * out * 0.4), (x * out, high + up, z * out)]
        d.add(tube(path, 0.034, 0.06), MAIN)
    d.has("leaf", leaves)


def pumpkin(d: Draft) -> None:
    radius, flat, ribs = d.uniform(0.36, 0.45), d.spread(0.65, 1.05, "flat", "tall"), d.integer(7, 10)
    stem = d.other("green", "brown", "wooden")
    ring, lobe = radius * 0.52, radius * 0.5
    d.add(ellipsoid(radius * 0.8, radius * flat * 0.88, radius * 0.8), MAIN, (0, radius * flat, 0))
    d.around(ribs, ellipsoid(radius * 2.1 / ribs, radius * flat, lobe), MAIN, (0, radius * flat, ring), blend=0.02)
    top = 2 * radius * flat
    d.add(tube([(0, top - 0.12, 0), (0, top + 0.06, 0), (0.08, top + 0.14, 0)], 0.06, 0.045), stem)
    d.has("stem", 1, stem)
    if d.chance(0.35):
        black, y = d.dark(), radius * flat
        eye = [(-0.08, 0.0), (0.08, 0.0), (0.0, 0.13)]
        d.sides(extruded(eye, 0.4), black, (radius * 0.35, y * 1.15, radius), role="paint")
        d.colour(black, ellipsoid(radius * 0.5, 0.075, 0.5), (0, y * 0.68, radius))
        d.has("carved face", 1)
    if d.chance(0.3):
        d.add(torus(0.11, 0.04), leafy(d), (0.05, top - 0.02, 0.0))


PLANTS = (
    Kind("tree", tree, usual=("green", "green", "orange", "pink")),
    Kind("pine tree", pine, ("fir tree",), ("green", "green", "teal")),
    Kind("palm tree", palm, ("palm",), ("green", "green", "teal")),
    Kind("cactus", cactus, usual=("green", "green", "teal")),
    Kind("flower", flower, usual=("red", "pink", "yellow", "purple", "white")),
    Kind("tulip", tulip, usual=("red", "pink", "yellow", "purple")),
    Kind("mushroom", mushroom, ("toadstool",), ("red", "brown", "orange")),
    Kind("potted plant", potted, ("houseplant",), ("green", "green", "teal", "purple")),
    Kind("pumpkin", pumpkin, usual=("orange", "orange", "yellow")),
)
