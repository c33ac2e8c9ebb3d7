"""Furniture: eight kinds and one."""

from __future__ import annotations

import numpy as np

from training.shape_draft import MAIN, Draft, Kind
from training.shape_parts import Point, box, cylinder, ellipsoid, frustum, sphere, tube


def feet(d: Draft, x: float, z: float, height: float, thick: float, paint: int = MAIN) -> None:
    """Four legs under something whose corners are at x and z; square, round or splayed."""
    style = d.integer(0, 2)
    inner = thick / 2
    if style == 0:
        d.corners(box(thick, height, thick), paint, (x - inner, height / 2, z - inner))
    elif style == 1:
        d.corners(cylinder(inner, height), paint, (x - inner, height / 2, z - inner))
    else:
        top: Point = (x - 1.5 * inner, height, z - 1.5 * inner)
        for end in (1, -1):
            path = [(top[0], top[1], end * top[2]), (x - inner / 2, 0.0, end * (z - inner / 2))]
            d.sides(tube(path, inner), paint)


def chair(d: Draft) -> None:
    width, depth = d.spread(0.4, 0.62, "narrow", "wide"), d.uniform(0.4, 0.52)
    seat, back = d.uniform(0.36, 0.48), d.spread(0.35, 0.85, "low-backed", "high-backed")
    thick = d.uniform(0.05, 0.08)
    legs = d.other("wooden", "metal", "black", "white") if d.chance(0.35) else MAIN
    cushion = d.other() if d.chance(0.4) else MAIN
    d.add(box(width, thick, depth, 0.01), MAIN, (0, seat, 0))
    feet(d, width / 2, depth / 2, seat, thick, legs)
    d.has("leg", 4, legs if legs else None)
    behind = -depth / 2 + thick / 2
    if d.chance(0.5):
        d.add(box(width, back, thick, 0.02), MAIN, (0, seat + back / 2, behind))
        d.has("solid back", 1)
    else:
        d.sides(box(thick, back, thick), MAIN, (width / 2 - thick / 2, seat + back / 2, behind))
        bars = d.integer(2, 4)
        for i in range(bars):
            d.add(box(width, thick, thick), MAIN, (0, seat + back * (i + 1) / bars - thick / 2, behind))
        d.has("bar across the back" if bars == 1 else "bar in its back", bars)
    if cushion:
        d.add(box(width * 0.85, 0.06, depth * 0.8, 0.025), cushion, (0, seat + thick / 2 + 0.02, 0.03))
        d.has("cushion", 1, cushion)
    if d.chance(0.35):
        high = seat + d.uniform(0.17, 0.24)
        d.sides(box(thick, thick, depth), MAIN, (width / 2 - thick / 2, high, 0))
        d.sides(box(thick, high - seat, thick), MAIN, (width / 2 - thick / 2, (high + seat) / 2, depth / 2 - thick))
        d.has("armrest", 2)


def stool(d: Draft) -> None:
    height, radius = d.spread(0.4, 0.95, "low", "tall"), d.uniform(0.2, 0.27)
    count, thick = d.integer(3, 4), d.uniform(0.028, 0.04)
    seat = d.other() if d.chance(0.35) else MAIN
    legs, out = MAIN, d.uniform(0.0, 0.12)
    if d.chance(0.5):
        d.add(cylinder(radius, 0.08, 0.02), seat, (0, height, 0))
        d.trait("round")
    else:
        d.add(box(2 * radius, 0.08, 2 * radius, 0.02), seat, (0, height, 0))
        d.trait("square")
    inner = radius * 0.72
    d.around(count, tube([(0, height, inner), (0, 0.03, inner + out)], thick), legs, start=45)
    d.has("leg", count)
    if seat:
        d.has("seat", 1, seat)
    if height > 0.6:
        ring = inner + out * 0.65
        for i in range(count):
            ends = [45 + 360 * (i + step) / count for step in (0, 1)]
            path = [(ring * np.sin(np.radians(a)), height * 0.35, ring * np.cos(np.radians(a))) for a in ends]
            d.add(tube(path, 0.025), legs)


def table(d: Draft) -> None:
    long, deep = d.spread(0.7, 1.5, "", "long"), d.uniform(0.55, 0.75)
    height, thick = d.spread(0.3, 0.75, "low", "high"), d.uniform(0.055, 0.09)
    legs = d.other("wooden", "metal", "black", "white") if d.chance(0.35) else MAIN
    if d.chance(0.4):
        radius = d.uniform(0.4, 0.55)
        d.traits.clear()
        d.trait("round")
        d.add(cylinder(radius, thick, 0.01), MAIN, (0, height, 0))
        if d.chance(0.5):
            d.add(cylinder(0.06, height), legs, (0, height / 2, 0))
            d.add(frustum(radius * 0.6, 0.07, 0.1), legs, (0, 0.05, 0))
            d.has("leg", 1, legs or None)
        else:
            count = d.integer(3, 4)
            d.around(count, tube([(0, height, radius * 0.6), (0, 0, radius * 0.8)], 0.04), legs, start=45)
            d.has("leg", count, legs or None)
    else:
        d.add(box(long, thick, deep, 0.01), MAIN, (0, height, 0))
        feet(d, long / 2 - 0.02, deep / 2 - 0.02, height, d.uniform(0.07, 0.1), legs)
        d.has("leg", 4, legs or None)
        if height > 0.5 and d.chance(0.3):
            d.add(box(long * 0.85, thick * 0.8, deep * 0.85), MAIN, (0, height * 0.35, 0))
            d.has("shelf underneath", 1)


def bed(d: Draft) -> None:
    width, long = d.spread(0.5, 1.0, "narrow", "wide"), d.uniform(1.1, 1.25)
    base, head = d.uniform(0.2, 0.3), d.spread(0.45, 0.8, "", "")
    blanket, sheet = d.other(), d.light()
    d.add(box(width, 0.1, long), MAIN, (0, base, 0))
    d.corners(box(0.08, base, 0.08), MAIN, (width / 2 - 0.04, base / 2, long / 2 - 0.04))
    d.add(box(width, head - 0.1, 0.08, 0.02), MAIN, (0, 0.1 + (head - 0.1) / 2, -long / 2 + 0.04))
    if d.chance(0.6):
        d.add(box(width, base + 0.1, 0.08, 0.02), MAIN, (0, 0.05 + (base + 0.1) / 2, long / 2 - 0.04))
    top = base + 0.05
    d.add(box(width * 0.94, 0.14, long * 0.9, 0.03), sheet, (0, top + 0.06, 0))
    d.add(box(width * 0.98, 0.13, long * 0.58, 0.03), blanket, (0, top + 0.085, long * 0.16))
    pillows = 2 if width > 0.72 else 1
    for i in range(pillows):
        x = (i - (pillows - 1) / 2) * width * 0.46
        d.add(box(width * 0.8 / pillows, 0.1, 0.2, 0.045), sheet, (x, top + 0.16, -long * 0.33))
    d.has("blanket", 1, blanket)
    d.has("pillow", pillows, sheet)


def sofa(d: Draft) -> None:
    seats = d.integer(1, 3)
    each, deep = d.uniform(0.42, 0.5), d.uniform(0.5, 0.6)
    wide, arm = seats * each, d.uniform(0.12, 0.17)
    back, lift = d.uniform(0.6, 0.8), 0.1
    cushions = d.other() if d.chance(0.4) else MAIN
    legs = d.other("wooden", "metal", "black")
    d.add(box(wide + 2 * arm, 0.22, deep, 0.03), MAIN, (0, lift + 0.11, 0))
    d.add(box(wide + 2 * arm, back - lift, 0.17, 0.06), MAIN, (0, lift + (back - lift) / 2, -deep / 2 + 0.04))
    high = d.uniform(0.36, 0.45)
    d.sides(box(arm, high, deep + 0.04, 0.05), MAIN, (wide / 2 + arm / 2, lift + high / 2, 0.01))
    for i in range(seats):
        x = (i - (seats - 1) / 2) * each
        d.add(box(each * 0.95, 0.14, deep * 0.78, 0.045), cushions, (x, lift + 0.26, 0.06))
    d.corners(cylinder(0.04, lift + 0.05), legs, (wide / 2, lift / 2, deep / 2 - 0.08))
    d.has("seat", seats)
    if cushions:
        d.has("cushion", seats, cushions)
    d.trait({1: "narrow", 2: "two-seat", 3: "long"}[seats])


def bookshelf(d: Draft) -> None:
    wide, tall = d.spread(0.45, 0.9, "narrow", "wide"), d.spread(0.75, 1.3, "low", "tall")
    deep, thick, rows = d.uniform(0.28, 0.36), 0.06, d.integer(2, 4)
    d.add(box(wide, tall, deep), MAIN, (0, tall / 2, 0))
    room = (tall - thick) / rows
    books = [d.other() for _ in range(3)] if d.chance(0.8) else []
    for row in range(rows):
        base = thick + row * room
        d.cut(box(wide - 2 * thick, room - thick, deep), (0, base + (room - thick) / 2, thick))
        x = -wide / 2 + thick
        while books and x < wide / 2 - thick - d.uniform(0.07, 0.25):
            width, height = d.uniform(0.06, 0.09), (room - thick) * d.uniform(0.65, 0.9)
            d.add(box(width, height, deep - 0.1), d.rng.choice(books), (x + width / 2, base + height / 2, 0.0))
            x += width
    d.has("shelf", rows)
    d.has("book", None if books else 0)


def lamp(d: Draft) -> None:
    tall, shade = d.spread(0.5, 1.3, "short", "tall"), d.uniform(0.2, 0.32)
    stem = d.other("metal", "wooden", "black", "white", "golden")
    high = d.uniform(0.25, 0.36)
    d.add(frustum(shade, shade * d.uniform(0.45, 0.85), high), MAIN, (0, tall, 0))
    if tall < 0.8 and d.chance(0.5):
        d.add(ellipsoid(0.16, tall * 0.36, 0.16), stem, (0, tall * 0.36, 0))
        d.add(cylinder(0.12, 0.05), stem, (0, 0.025, 0))
    else:
        d.add(cylinder(d.uniform(0.16, 0.22), 0.06, 0.01), stem, (0, 0.03, 0))
    d.add(cylinder(0.03, tall), stem, (0, tall / 2, 0))
    d.has("stand", 1, stem)


def cabinet(d: Draft) -> None:
    wide, tall = d.spread(0.5, 1.1, "narrow", "wide"), d.spread(0.55, 1.3, "low", "tall")
    deep, lift = d.uniform(0.35, 0.45), d.uniform(0.07, 0.14)
    knobs = d.other("metal", "golden", "black", "white")
    d.add(box(wide, tall, deep, 0.015), MAIN, (0, lift + tall / 2, 0))
    d.add(box(wide + 0.06, 0.06, deep + 0.06), MAIN, (0, lift + tall, 0))
    d.corners(box(0.08, lift, 0.08), MAIN, (wide / 2 - 0.05, lift / 2, deep / 2 - 0.05))
    front = deep / 2
    if tall > 0.8 or d.chance(0.4):
        d.cut(box(0.04, tall * 0.9, 0.06), (0, lift + tall / 2, front))
        d.sides(sphere(0.045), knobs, (0.1, lift + tall * 0.5, front + 0.01))
        d.has("door", 2)
        d.has("knob", 2, knobs)
    else:
        rows = d.integer(2, 3)
        for row in range(rows):
            y = lift + tall * (row + 0.5) / rows
            if row:
                d.cut(box(wide * 0.92, 0.04, 0.06), (0, lift + tall * row / rows, front))
            d.add(box(0.2, 0.05, 0.08, 0.02), knobs, (0, y, front + 0.01))
        d.has("drawer", rows)
        d.has("handle", rows, knobs)


def bench(d: Draft) -> None:
    long, deep, seat = d.spread(0.8, 1.5, "short", "long"), d.uniform(0.3, 0.42), d.uniform(0.3, 0.4)
    legs = d.other("metal", "black", "stone", "wooden")
    planks = d.integer(2, 3)
    pitch = deep / planks
    for i in range(planks):
        d.add(box(long, 0.06, pitch * 0.72), MAIN, (0, seat, (i - (planks - 1) / 2) * pitch))
    d.sides(box(0.08, 0.06, deep), legs, (long * 0.4, seat - 0.05, 0))
    d.sides(box(0.08, seat, 0.08), legs, (long * 0.4, seat / 2, deep / 2 - 0.05))
    d.sides(box(0.08, seat, 0.08), legs, (long * 0.4, seat / 2, -deep / 2 + 0.05))
    if d.chance(0.75):
        bars = d.integer(1, 3)
        d.sides(box(0.08, 0.22 + 0.12 * bars, 0.06), legs, (long * 0.4, seat + 0.1 + 0.06 * bars, -deep / 2))
        for i in range(bars):
            d.add(box(long, 0.08, 0.06), MAIN, (0, seat + 0.16 + 0.13 * i, -deep / 2 + 0.05))
        d.has("back", 1)
    else:
        d.has("back", 0)
    d.has("leg", 4, legs)


FURNITURE = (
    Kind("chair", chair, usual=("wooden", "white", "red")),
    Kind("stool", stool, usual=("wooden", "metal", "black")),
    Kind("table", table, usual=("wooden", "white", "brown")),
    Kind("bed", bed, usual=("wooden", "white", "brown")),
    Kind("sofa", sofa, ("couch", "settee"), ("grey", "brown", "blue")),
    Kind("bookshelf", bookshelf, ("bookcase",), ("wooden", "brown", "white")),
    Kind("lamp", lamp, usual=("white", "yellow", "orange")),
    Kind("cabinet", cabinet, ("cupboard",), ("wooden", "white", "brown")),
    Kind("bench", bench, ("park bench",), ("wooden", "green", "brown")),
)
