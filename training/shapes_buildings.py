"""Buildings: ten kinds, their doors to the front."""

from __future__ import annotations

from training.shape_draft import MAIN, Draft, Kind
from training.shape_parts import arc, box, cylinder, extruded, frustum, pyramid, regular, revolved, sphere

FACING = (90.0, 0.0, 0.0)
ROOFS = ("red", "brown", "grey", "black", "orange", "teal", "blue", "green", "purple")


def door(d: Draft, wide: float, tall: float, z: float, paint: int, x: float = 0.0, y: float = 0.0) -> None:
    d.add(box(wide, tall, 0.07), paint, (x, y + tall / 2, z))


def gable(wide: float, high: float, over: float = 0.0) -> list[tuple[float, float]]:
    """A roof as seen from the front, `over` beyond the walls."""
    half = wide / 2 + over
    return [(-half, 0), (half, 0), (0, high)]


def house(d: Draft) -> None:
    wide, deep = d.spread(0.6, 1.1, "narrow", "wide"), d.uniform(0.55, 0.8)
    floors = d.integer(1, 2)
    wall, high = floors * d.uniform(0.34, 0.42), d.uniform(0.26, 0.5)
    roof, wood, glass = d.other(*ROOFS), d.other("wooden", "white", "red", "blue", "green"), d.paint("glass")
    d.add(box(wide, wall, deep), MAIN, (0, wall / 2, 0))
    if d.chance(0.75):
        if d.chance(0.5):  # the gable to the front or to the sides
            d.add(extruded(gable(wide, high, 0.06), deep + 0.1), roof, (0, wall - 0.02, 0))
        else:
            d.add(extruded(gable(deep, high, 0.06), wide + 0.1), roof, (0, wall - 0.02, 0), (0, 90, 0))
    else:
        d.add(pyramid(wide + 0.12, deep + 0.12, high), roof, (0, wall + high / 2 - 0.02, 0))
    door(d, 0.15, 0.25, deep / 2, wood)
    side = wide * 0.31
    for floor in range(floors):
        y = wall * (floor + 0.55) / floors
        for x in (-side, side, 0)[: 2 if floor == 0 else 3]:
            d.colour(glass, box(0.13, 0.14, 0.14), (x, y, deep / 2))
        for z in (-deep / 4, deep / 4):
            d.colour(glass, box(wide + 0.1, 0.14, 0.13), (0, y, z))
    if d.chance(0.6):
        brick = d.other("red", "brown", "grey", "white")
        d.add(box(0.11, high + 0.1, 0.11), brick, (wide * 0.27, wall + high / 2 + 0.04, -deep * 0.18))
        d.has("chimney", 1, brick)
    else:
        d.has("chimney", 0)
    d.has("roof", 1, roof)
    d.has("door", 1, wood)
    d.trait("single-storey" if floors == 1 else "two-storey")


def castle(d: Draft) -> None:
    side, wall = d.uniform(0.75, 0.95), d.spread(0.26, 0.4, "low-walled", "high-walled")
    radius, tall = d.uniform(0.12, 0.16), wall + d.uniform(0.18, 0.36)
    thick, half = 0.1, side / 2
    roofs = d.other(*ROOFS) if d.chance(0.7) else MAIN
    d.sides(box(thick, wall, side), MAIN, (half, wall / 2, 0))
    for z in (-half, half):
        d.add(box(side, wall, thick), MAIN, (0, wall / 2, z))
    for i in range(4):
        place = (i - 1.5) * side / 5.2
        for z in (-half, half):
            d.add(box(0.075, 0.09, thick), MAIN, (place, wall + 0.02, z))
        d.sides(box(thick, 0.09, 0.075), MAIN, (half, wall + 0.02, place))
    d.corners(cylinder(radius, tall), MAIN, (half, tall / 2, half))
    if roofs:
        high = d.uniform(0.2, 0.36)
        d.corners(frustum(radius * 1.25, 0.012, high), roofs, (half, tall + high / 2 - 0.01, half))
        d.has("pointed roof", 4, roofs)
    else:
        d.corners(cylinder(radius * 1.2, 0.1), MAIN, (half, tall, half))
    d.add(box(0.2, wall * 0.75, 0.16), d.paint("wooden"), (0, wall * 0.375, half))
    d.has("tower", 4)
    d.add(box(side, 0.06, side), d.paint("stone"), (0, 0.03, 0))
    if d.chance(0.5):
        keep = tall + d.uniform(0.05, 0.2)
        d.add(box(0.3, keep, 0.3), MAIN, (0, keep / 2, -half * 0.3))
        d.add(pyramid(0.38, 0.38, 0.22), roofs, (0, keep + 0.1, -half * 0.3))
        d.has("keep in the middle", 1)


def skyscraper(d: Draft) -> None:
    wide, deep, tall = d.uniform(0.28, 0.42), d.uniform(0.28, 0.42), d.spread(1.0, 1.5, "", "tall")
    glass = d.paint(d.rng.choice(("glass", "glass", "yellow")) if d.words[MAIN] != "yellow" else "glass")
    steps, y = d.integer(1, 3), 0.0
    for step in range(steps):
        share, high = 1 - 0.25 * step, tall * (0.6, 0.27, 0.2)[step] if steps > 1 else tall
        w, p = wide * share, deep * share
        d.add(box(w, high + 0.02, p), MAIN, (0, y + high / 2, 0))
        rows, columns = max(2, round(high / 0.125)), max(2, round(w / 0.12))
        for row in range(rows):
            level = y + high * (row + 0.55) / rows
            for i in range(columns):
                place = (i - (columns - 1) / 2) / columns
                d.colour(glass, box(0.05, 0.065, p + 0.1), (place * w, level, 0))
                d.colour(glass, box(w + 0.1, 0.065, 0.05), (0, level, place * p))
        y += high
    if steps > 1:
        d.trait("stepped")
    if d.chance(0.5):
        pole = d.uniform(0.15, 0.3)
        d.add(cylinder(0.03, pole), d.paint("metal"), (0, y + pole / 2, 0))
        d.has("antenna", 1)
    else:
        d.has("antenna", 0)
    d.add(box(0.14, 0.13, 0.06), d.dark(), (0, 0.065, deep / 2))


def church(d: Draft) -> None:
    wide, long, wall = d.uniform(0.4, 0.52), d.uniform(0.6, 0.85), d.uniform(0.34, 0.46)
    tower, spire = wall + d.uniform(0.25, 0.45), d.spread(0.25, 0.6, "", "tall-spired")
    roof, wood, glass = d.other(*ROOFS), d.paint("wooden"), d.paint("glass")
    each = d.uniform(0.26, 0.32)
    d.add(box(wide, wall, long), MAIN, (0, wall / 2, -0.1))
    d.add(extruded(gable(wide, wide * 0.6, 0.05), long + 0.04), roof, (0, wall - 0.02, -0.1))
    front = long / 2 - 0.1 + each * 0.25
    d.add(box(each, tower, each), MAIN, (0, tower / 2, front))
    d.add(pyramid(each + 0.08, each + 0.08, spire), roof, (0, tower + spire / 2 - 0.01, front))
    top = tower + spire
    d.add(box(0.05, 0.22, 0.05), d.paint("golden"), (0, top + 0.04, front))
    d.add(box(0.15, 0.05, 0.05), d.paint("golden"), (0, top + 0.08, front))
    door(d, 0.14, 0.22, front + each / 2, wood)
    d.colour(glass, box(0.1, 0.14, each + 0.1), (0, tower - 0.14, front))
    count = d.integer(2, 3)
    for i in range(count):
        d.colour(
            glass, box(wide + 0.1, wall * 0.45, 0.09), (0, wall * 0.5, -0.16 + (i - (count - 1) / 2) * long * 0.27)
        )
    d.has("roof", 1, roof)
    d.has("window on each side", count)


def lighthouse(d: Draft) -> None:
    tall, bottom, top = d.spread(0.8, 1.3, "short", "tall"), d.uniform(0.18, 0.26), d.uniform(0.11, 0.15)
    stripes, bands = d.other("white", "red", "black", "blue"), d.integer(0, 3)
    d.add(cylinder(bottom * 1.45, 0.1), d.paint("stone"), (0, 0.05, 0))
    d.add(frustum(bottom, top, tall), MAIN, (0, 0.1 + tall / 2, 0))
    for i in range(bands):
        d.colour(stripes, box(1, tall / (2 * bands + 1), 1), (0, 0.1 + tall * (2 * i + 1.5) / (2 * bands + 1), 0))
    y = 0.1 + tall
    d.add(cylinder(top * 1.5, 0.06), stripes, (0, y, 0))
    d.add(cylinder(top * 0.85, 0.18), d.paint("yellow") if d.words[MAIN] != "yellow" else d.light(), (0, y + 0.1, 0))
    d.add(revolved([(0, 0), (top * 1.25, 0), (top * 0.6, 0.1), (0, 0.16)]), stripes, (0, y + 0.18, 0))
    d.add(sphere(0.035), stripes, (0, y + 0.34, 0))
    door(d, 0.1, 0.17, bottom - 0.01, d.paint("wooden"), y=0.1)
    d.has("stripe", bands, stripes if bands else None)
    d.has("roof", 1, stripes)


def windmill(d: Draft) -> None:
    tall, bottom, top = d.spread(0.6, 0.95, "short", "tall"), d.uniform(0.24, 0.3), d.uniform(0.15, 0.19)
    sides = d.integer(0, 1)
    roof, arms = d.other(*ROOFS), d.other("white", "wooden", "grey", "red")
    if sides:
        d.add(frustum(bottom, top, tall), MAIN, (0, tall / 2, 0))
    else:
        d.add(pyramid(2 * bottom, 2 * bottom, tall, top / bottom), MAIN, (0, tall / 2, 0))
    cap = d.uniform(0.16, 0.24)
    d.add(frustum(top * 1.25, 0.03, cap), roof, (0, tall + cap / 2 - 0.01, 0))
    radius, spin, hub = d.uniform(0.42, 0.55), d.uniform(10, 80), tall - 0.03
    front = top + 0.1
    d.add(cylinder(0.045, top + 0.2), arms, (0, hub, front / 2 + 0.02), FACING)
    for i in range(4):
        blade = [(-0.025, 0), (-0.025, radius), (0.12, radius), (0.12, 0.16), (0.025, 0.13), (0.025, 0)]
        d.add(extruded(blade, 0.05), arms, (0, hub, front + 0.05), (0, 0, spin + 90 * i))
    door(d, 0.13, 0.2, bottom - 0.03, d.paint("wooden"))
    d.colour(d.paint("glass"), box(0.1, 0.1, 1), (0, tall * 0.55, 0.5))
    d.has("sail", 4, arms)
    d.has("roof", 1, roof)
    d.trait("round" if sides else "square")


def tent(d: Draft) -> None:
    if d.chance(0.5):
        wide, high, long = d.uniform(0.7, 0.95), d.uniform(0.5, 0.7), d.spread(0.7, 1.2, "short", "long")
        d.add(extruded(gable(wide, high), long), MAIN, (0, 0, 0))
        d.cut(extruded(gable(wide * 0.42, high * 0.7), 0.3), (0, -0.005, long / 2 - 0.05), paint=d.dark())
        flaps = d.other()
        d.add(box(0.06, 0.06, long + 0.1), flaps, (0, high - 0.03, 0))
        for end in (-1, 1):
            d.add(box(0.05, high, 0.05), flaps, (0, high / 2, end * (long / 2 + 0.03)))
        d.has("pole", None, flaps)
        d.trait("ridge")
    else:
        radius, high = d.uniform(0.45, 0.55), d.spread(0.6, 1.0, "low", "tall")
        sides, stripe = d.integer(5, 8), d.other()
        d.add(revolved([(0, 0), (radius, 0), (radius * 0.5, high * 0.42), (0.03, high), (0, high)]), MAIN)
        if d.chance(0.5):
            d.around(sides, box(0.12, 2, 0.8), stripe, (0, 0, 0.4), role="paint")
            d.has("stripe", sides, stripe)
        d.cut(extruded([(-0.15, -0.1), (0.15, -0.1), (0, high * 0.45)], 0.4), (0, 0, radius - 0.12), paint=d.dark())
        d.add(sphere(0.05), stripe, (0, high, 0))
        d.trait("pointed")


def igloo(d: Draft) -> None:
    radius, long = d.uniform(0.45, 0.55), d.spread(0.2, 0.42, "", "")
    dome = [(0, 0), *arc(radius, 0, 90, 9)]
    d.add(revolved(dome), MAIN)
    arch = radius * d.uniform(0.42, 0.5)
    d.add(cylinder(arch, radius + long), MAIN, (0, 0.02, (radius + long) / 2), FACING)
    d.cut(box(3, 1, 3), (0, -0.5, 0))
    d.cut(cylinder(arch * 0.62, 0.34), (0, 0.0, radius + long), FACING, paint=d.dark())
    rows = d.integer(2, 4)
    for row in range(1, rows + 1):
        y = radius * row / (rows + 1)
        ring = (radius * radius - y * y) ** 0.5
        d.cut(
            revolved(
                [(ring - 0.02, y - 0.02), (ring + 0.05, y - 0.02), (ring + 0.05, y + 0.02), (ring - 0.02, y + 0.02)]
            )
        )
    d.has("entrance tunnel", 1)
    d.trait("long-tunnelled" if long > 0.36 else "round")


def pagoda(d: Draft) -> None:
    floors, wide = d.integer(2, 5), d.uniform(0.5, 0.65)
    wall, wood = d.other("white", "wooden", "red", "yellow", "stone"), d.dark()
    each, y = d.uniform(0.24, 0.3), 0.06
    d.add(box(wide * 1.25, 0.08, wide * 1.25), d.paint("stone"), (0, 0.03, 0))
    for floor in range(floors):
        side = wide * (1 - 0.13 * floor)
        d.add(box(side * 0.68, each, side * 0.68), wall, (0, y + each / 2, 0))
        d.add(pyramid(side * 1.2, side * 1.2, each * 0.55, 0.45), MAIN, (0, y + each, 0))
        d.colour(wood, box(side * 0.25, each * 0.6, 2), (0, y + each * 0.3, 0))
        y += each
    d.add(cylinder(0.035, 0.36), d.paint("golden"), (0, y + 0.14, 0))
    d.add(sphere(0.055), d.paint("golden"), (0, y + 0.2, 0))
    d.has("roof", floors)
    d.has("wall", None, wall)


def well(d: Draft) -> None:
    radius, wall = d.uniform(0.26, 0.34), d.uniform(0.26, 0.36)
    sides = d.integer(6, 12)
    roof, wood = d.other(*ROOFS), d.other("wooden", "brown", "black")
    d.add(extruded(regular(sides, radius), wall), MAIN, (0, wall / 2, 0), FACING)
    d.cut(cylinder(radius - 0.08, wall), (0, 0.12, 0), paint=d.paint("blue") if d.words[MAIN] != "blue" else d.dark())
    tall, high = d.spread(0.65, 0.95, "low", "tall"), d.uniform(0.2, 0.3)
    d.sides(box(0.07, tall, 0.07), wood, (radius - 0.03, tall / 2, 0))
    d.add(extruded(gable(2 * radius, high, 0.06), radius * 1.7), roof, (0, tall - 0.03, 0))
    d.add(cylinder(0.035, 2 * radius), wood, (0, tall * 0.78, 0), (0, 0, 90))
    if d.chance(0.6):
        d.add(cylinder(0.022, 0.2), wood, (0, tall * 0.7, 0))
        d.add(cylinder(0.075, 0.12), d.paint("metal"), (0, tall * 0.55, 0))
        d.has("bucket", 1)
    d.has("roof", 1, roof)
    d.has("post", 2, wood)


BUILDINGS = (
    Kind("house", house, usual=("white", "yellow", "stone", "red")),
    Kind("castle", castle, usual=("stone", "grey", "white")),
    Kind("skyscraper", skyscraper, ("high-rise",), ("grey", "metal", "blue", "black")),
    Kind("church", church, usual=("white", "stone", "yellow")),
    Kind("lighthouse", lighthouse, usual=("white", "red")),
    Kind("windmill", windmill, usual=("white", "stone", "brown")),
    Kind("tent", tent, usual=("green", "orange", "yellow", "white")),
    Kind("igloo", igloo, usual=("white",)),
    Kind("pagoda", pagoda, usual=("red", "white", "wooden")),
    Kind("well", well, ("wishing well",), ("stone", "grey", "brown")),
)
