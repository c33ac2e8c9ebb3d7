"""Tools: ten kinds, most of them standing on their handles or blades."""

from __future__ import annotations

from training.shape_draft import MAIN, Draft, Kind
from training.shape_parts import arc, box, cylinder, ellipsoid, extruded, regular, revolved, torus, tube

LYING = (0.0, 0.0, 90.0)  # what stood on end lies from left to right
FACING = (90.0, 0.0, 0.0)  # what lay flat faces the front


def grip(d: Draft, radius: float, height: float, *words: str) -> int:
    """A handle from the ground up, of another paint than the head; its paint."""
    paint = d.other(*words)
    if d.chance(0.5):
        d.add(cylinder(radius, height, radius * 0.4), paint, (0, height / 2, 0))
    else:
        d.add(revolved([(0, 0), (radius * 1.3, 0), (radius * 1.3, height * 0.1), (radius, height * 0.3),
                        (radius, height), (0, height)]), paint)  # fmt: skip
    return paint


def hammer(d: Draft) -> None:
    long, thick = d.spread(0.7, 1.1, "short", "long"), d.uniform(0.04, 0.055)
    handle = grip(d, thick, long, "wooden", "black", "red", "yellow", "orange")
    head, wide = d.uniform(0.08, 0.12), d.uniform(0.3, 0.46)
    style = d.integer(0, 2)
    top = long - head * 0.4
    if style == 0:  # a claw
        d.add(box(wide * 0.7, 1.3 * head, 1.3 * head, 0.02), MAIN, (wide * 0.1, top, 0))
        d.add(cylinder(head * 0.85, 0.1), MAIN, (wide * 0.5, top, 0), LYING)
        claw = [(0.0, head * 0.6), (-wide * 0.3, head * 0.45), (-wide * 0.6, -head * 0.5),
                (-wide * 0.55, -head * 0.95), (-wide * 0.25, -head * 0.45), (0.0, -head * 0.6)]  # fmt: skip
        d.add(extruded([(x - 0.02, y) for x, y in claw], head), MAIN, (0, top, 0))
        d.has("claw", 1)
    elif style == 1:  # a mallet
        d.add(box(wide, 2.2 * head, 1.8 * head, 0.02), MAIN, (0, top, 0))
        d.has("square head", 1)
    else:
        d.add(cylinder(head, wide, 0.015), MAIN, (0, top, 0), LYING)
        d.has("round head", 1)
    d.has("handle", 1, handle)


def axe(d: Draft) -> None:
    long, thick = d.spread(0.75, 1.15, "short", "long"), d.uniform(0.035, 0.05)
    handle = d.other("wooden", "black", "red", "yellow", "brown")
    bend = d.uniform(-0.03, 0.03)
    d.add(tube([(bend, thick, 0), (0, long * 0.4, 0), (0, long, 0)], thick), handle)
    size, blades = d.uniform(0.24, 0.36), 2 if d.chance(0.3) else 1
    blade = [(-0.05, -0.06), *arc(size, -38, 38, 7), (-0.05, 0.06)]
    solid = extruded(blade, 0.075)
    (d.sides if blades == 2 else d.add)(solid, MAIN, (0.0, long - 0.13, 0))
    if blades == 1:
        d.add(box(0.14, 0.12, 0.1), MAIN, (-0.05, long - 0.13, 0))
    d.has("handle", 1, handle)
    d.has("blade", blades)
    if blades == 2:
        d.trait("double-bladed")


def screwdriver(d: Draft) -> None:
    metal = d.other("metal", "black", "grey")
    grip_long, radius = d.uniform(0.32, 0.45), d.uniform(0.085, 0.13)
    shaft = d.spread(0.3, 0.7, "short", "long")
    ribs = d.integer(5, 8)
    body = [(0, 0), (radius * 0.8, 0), (radius, 0.05), (radius, grip_long * 0.75), (radius * 0.6, grip_long * 0.85),
            (radius * 0.75, grip_long), (0, grip_long)]  # fmt: skip
    d.add(revolved(body), MAIN)
    d.around(ribs, tube([(0, 0.07, radius * 1.08), (0, grip_long * 0.7, radius * 1.08)], 0.022), role="cut")
    d.add(cylinder(0.034, shaft), metal, (0, grip_long + shaft / 2 - 0.02, 0))
    top = grip_long + shaft
    d.add(extruded([(-0.034, -0.1), (0.034, -0.1), (0.06, 0), (0.05, 0.06), (-0.05, 0.06), (-0.06, 0)], 0.045), metal,
          (0, top, 0))  # fmt: skip
    d.has("shaft", 1, metal)


def wrench(d: Draft) -> None:
    long, wide = d.spread(0.55, 0.9, "short", "long"), d.uniform(0.1, 0.14)
    head, thick = d.uniform(0.17, 0.22), d.uniform(0.07, 0.1)
    d.add(box(wide, long, thick, 0.02), MAIN, (0, head + long / 2, 0))
    ends = [(head + long, 1)]
    if d.chance(0.5):
        ends.append((head, -1))
        d.trait("double-ended")
    else:
        d.add(cylinder(head * 0.9, thick), MAIN, (0, head, 0), FACING)
        d.cut(extruded(regular(6, head * 0.5), 0.5), (0, head, 0))
        d.has("ring at one end", 1)
    for y, way in ends:
        d.add(cylinder(head, thick), MAIN, (0, y, 0), FACING)
        d.cut(box(head * 0.8, head * 1.5, 0.5), (0, y + way * head * 0.85, 0), (0, 0, d.uniform(-20, 20)))
    d.has("jaw", len(ends))


def saw(d: Draft) -> None:
    long, deep = d.spread(0.75, 1.2, "short", "long"), d.uniform(0.2, 0.3)
    handle = d.other("wooden", "red", "orange", "yellow", "black", "blue")
    teeth = d.integer(8, 12)
    blade = [(0.0, deep), (long, deep), (long, deep * 0.5)]
    for i in range(teeth, 0, -1):
        x = long * i / teeth
        low = 0.07 + (deep * 0.5 - 0.07) * i / teeth
        blade += [(x - long / teeth * 0.1, low - 0.03), (x - long / teeth * 0.9, low + 0.035)]
    blade.append((0.0, 0.07))
    d.add(extruded(blade, 0.055), MAIN, (-long / 2 + 0.1, 0, 0))
    centre = (-long / 2 - 0.02, 0.06 + deep / 2, 0)
    d.add(box(0.3, deep + 0.12, 0.1, 0.045), handle, centre)
    d.cut(box(0.12, deep * 0.5, 0.4, 0.03), (centre[0] - 0.02, centre[1], 0))
    d.has("handle", 1, handle)
    d.has("tooth")


def shovel(d: Draft) -> None:
    long, wide, deep = d.spread(0.6, 1.0, "short", "long"), d.uniform(0.26, 0.36), d.uniform(0.32, 0.42)
    shaft = d.other("wooden", "black", "brown", "yellow", "red")
    half = wide / 2
    if d.chance(0.5):
        blade = [(-half, deep), (-half, deep * 0.4), (-half * 0.6, deep * 0.12), (0, 0), (half * 0.6, deep * 0.12),
                 (half, deep * 0.4), (half, deep)]  # fmt: skip
        d.has("pointed blade", 1)
    else:
        blade = [(-half, deep), (-half, 0), (half, 0), (half, deep)]
        d.has("square blade", 1)
    d.add(extruded(blade, 0.06), MAIN)
    d.sides(box(0.05, deep * 0.75, 0.11), MAIN, (half - 0.025, deep * 0.62, 0.02))
    d.add(cylinder(0.04, long), shaft, (0, deep + long / 2 - 0.1, 0))
    top = deep + long - 0.1
    if d.chance(0.6):
        d.add(tube([(-0.1, top, 0), (-0.1, top + 0.13, 0), (0.1, top + 0.13, 0), (0.1, top, 0), (-0.1, top, 0)], 0.03),
              shaft)  # fmt: skip
    else:
        d.add(tube([(-0.12, top, 0), (0.12, top, 0)], 0.038), shaft)
    d.has("handle", 1, shaft)


def paintbrush(d: Draft) -> None:
    long, wide = d.spread(0.4, 0.75, "short", "long"), d.spread(0.16, 0.4, "narrow", "wide")
    band, hair = d.other("metal", "golden", "black"), d.other()
    flat, bristles = d.uniform(0.1, 0.14), d.uniform(0.26, 0.36)
    side = [(0.035, 0.0), (0.05, long * 0.15), (0.04, long * 0.5), (0.06, long * 0.75), (wide / 2 - 0.01, long)]
    outline = [(-x, y) for x, y in side] + [(x, y) for x, y in reversed(side)]
    d.add(extruded(outline, flat * 0.75), MAIN)
    d.add(box(wide, 0.13, flat, 0.01), band, (0, long + 0.04, 0))
    top = long + 0.1
    hairs = [(-wide * 0.47, top), (wide * 0.47, top), (wide * 0.5, top + bristles * 0.6), (0, top + bristles),
             (-wide * 0.5, top + bristles * 0.6)]  # fmt: skip
    d.add(extruded(hairs, flat * 0.85), hair)
    d.has("bristles", None, hair)
    d.has("band", 1, band)


def magnifier(d: Draft) -> None:
    radius, long = d.uniform(0.22, 0.32), d.spread(0.35, 0.65, "", "long-handled")
    thick, handle = d.uniform(0.04, 0.06), d.other("wooden", "black", "brown", "white", "red", "blue")
    width = d.uniform(0.045, 0.06)
    d.add(cylinder(width, long, 0.02), handle, (0, long / 2, 0))
    d.add(ellipsoid(width * 1.3, long * 0.3, width * 1.3), handle, (0, long * 0.4, 0))
    y = long + radius + thick * 0.6
    d.add(cylinder(0.034, 0.14), MAIN, (0, long, 0))
    d.add(torus(radius, thick), MAIN, (0, y, 0), FACING)
    d.add(cylinder(radius, 0.05), d.paint("glass"), (0, y, 0), FACING)
    d.has("handle", 1, handle)


def broom(d: Draft) -> None:
    long, wide = d.spread(0.6, 0.95, "short", "long"), d.uniform(0.3, 0.45)
    stick, high = d.other("wooden", "metal", "white", "black", "blue"), d.uniform(0.24, 0.34)
    band = d.other() if d.chance(0.5) else stick
    d.add(extruded([(-wide / 2, 0), (wide / 2, 0), (wide * 0.3, high), (-wide * 0.3, high)], 0.13), MAIN)
    notches = d.integer(3, 4)
    for i in range(notches):
        x = (i - (notches - 1) / 2) * wide * 0.8 / notches
        d.cut(box(0.028, high * 0.6, 0.4), (x, 0.0, 0.1))
    d.add(box(wide * 0.66, 0.08, 0.15, 0.02), band, (0, high, 0))
    d.add(cylinder(0.036, long), stick, (0, high + long / 2 - 0.03, 0))
    d.has("stick", 1, stick)
    if band != stick:
        d.has("band", 1, band)


def ladder(d: Draft) -> None:
    tall, wide, thick = d.spread(0.8, 1.3, "short", "tall"), d.uniform(0.34, 0.46), d.uniform(0.05, 0.065)
    rungs = d.integer(4, 7)
    step = d.other("metal", "wooden", "black", "yellow") if d.chance(0.3) else MAIN
    lean = d.uniform(0.25, 0.4) if d.chance(0.5) else 0.0
    d.sides(tube([(wide / 2, 0.03, lean), (wide / 2 - 0.05 * bool(lean), tall, 0)], thick / 2), MAIN)
    for i in range(rungs):
        share = (i + 0.6) / rungs
        d.add(box(wide, thick * 0.9, thick * 1.1), step, (0, tall * share, lean * (1 - share)))
    if lean:
        d.sides(tube([(wide / 2, 0.03, -lean), (wide / 2 - 0.05, tall, 0)], thick / 2), MAIN)
        d.add(box(wide * 0.95, 0.07, 0.16), MAIN, (0, tall, 0))
        d.add(box(wide, thick, thick), MAIN, (0, tall * 0.2, -lean * 0.8))
        d.trait("folding")
    d.has("rung" if not lean else "step", rungs, step or None)


TOOLS = (
    Kind("hammer", hammer, usual=("metal", "black", "grey")),
    Kind("axe", axe, usual=("metal", "red", "grey")),
    Kind("screwdriver", screwdriver, usual=("red", "yellow", "blue", "green")),
    Kind("wrench", wrench, ("spanner",), ("metal", "grey", "red")),
    Kind("saw", saw, ("handsaw",), ("metal", "grey")),
    Kind("shovel", shovel, ("spade",), ("metal", "grey", "green")),
    Kind("paintbrush", paintbrush, ("brush",), ("wooden", "red", "blue")),
    Kind("magnifying glass", magnifier, ("magnifier",), ("black", "metal", "golden")),
    Kind("broom", broom, usual=("yellow", "green", "red")),
    Kind("ladder", ladder, usual=("wooden", "metal", "orange")),
)
