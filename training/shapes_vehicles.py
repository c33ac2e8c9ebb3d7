"""Vehicles: ten kinds, all driving to the front."""

from __future__ import annotations

from training.shape_draft import MAIN, Draft, Kind
from training.shape_parts import arc, box, cylinder, ellipsoid, extruded, frustum, revolved, sphere, torus, tube

ACROSS = (0.0, 0.0, 90.0)  # an axle: what stood on end now lies from left to right
AHEAD = (90.0, 0.0, 0.0)  # what stood on end now points to the front
SIDEWAYS = (0.0, -90.0, 0.0)  # an outline drawn as seen from the left: its x is now ahead


def wheels(d: Draft, radius: float, thick: float, x: float, places: list[float], paint: int, hub: int) -> None:
    """A pair at each place along the vehicle."""
    for z in places:
        d.sides(cylinder(radius, thick, 0.015), paint, (x, radius, z), ACROSS)
        d.sides(cylinder(radius * 0.45, thick + 0.035), hub, (x, radius, z), ACROSS)


def car(d: Draft) -> None:
    long, wide = d.spread(1.0, 1.5, "short", "long"), d.uniform(0.5, 0.6)
    wheel, low, high = d.uniform(0.12, 0.16), d.uniform(0.22, 0.28), d.uniform(0.2, 0.28)
    tyres, glass = d.dark(), d.paint("glass")
    base, top = 0.1, 0.1 + low
    nose, tail = d.uniform(0.2, 0.32) * long, d.uniform(0.02, 0.22) * long
    d.add(box(wide, low, long, 0.06), MAIN, (0, base + low / 2, 0))
    front, back = long / 2 - nose, -long / 2 + tail
    lean, rear = high * d.uniform(0.5, 1.0), high * d.uniform(0.1, 0.6)
    cabin = [(back, top - 0.05), (front, top - 0.05), (front - lean, top + high), (back + rear, top + high)]
    d.add(extruded(cabin, wide * 0.88), MAIN, turn=SIDEWAYS)
    sill, head = top + 0.02, top + high - 0.055
    for start, end in ((back + rear + 0.02, (front + back) / 2 - 0.02), ((front + back) / 2 + 0.02, front - lean)):
        d.colour(glass, box(wide, head - sill, max(0.05, end - start)), (0, (sill + head) / 2, (start + end) / 2))
    d.colour(glass, box(wide * 0.7, head - sill, long), (0, (sill + head) / 2, 0))
    wheels(d, wheel, 0.11, wide / 2 - 0.03, [long * 0.3, -long * 0.3], tyres, d.paint("metal"))
    d.sides(ellipsoid(0.055, 0.05, 0.05), d.paint("white"), (wide * 0.33, base + low * 0.6, long / 2 - 0.01))
    d.has("wheel", 4, tyres)
    if d.chance(0.25):
        rack = d.other()
        d.add(box(wide * 0.6, 0.09, (front - lean - back - rear) * 0.7, 0.02), rack,
              (0, top + high + 0.03, (front - lean + back + rear) / 2))  # fmt: skip
        d.has("box on its roof", 1, rack)


def truck(d: Draft) -> None:
    load, wide, tall = d.spread(0.6, 1.1, "short", "long"), d.uniform(0.46, 0.54), d.uniform(0.5, 0.66)
    cab, wheel = d.uniform(0.32, 0.4), d.uniform(0.11, 0.14)
    tyres, glass, cargo = d.dark(), d.paint("glass"), d.other()
    total = load + cab + 0.06
    d.add(box(wide * 0.8, 0.1, total), d.paint("grey"), (0, 0.17, 0))
    middle = -total / 2 + load / 2
    if d.chance(0.6):
        d.add(box(wide, tall, load, 0.01), cargo, (0, 0.2 + tall / 2, middle))
        d.has("box", 1, cargo)
    else:
        d.add(box(wide, tall * 0.5, load), cargo, (0, 0.2 + tall / 4, middle))
        d.cut(box(wide - 0.14, tall * 0.5, load - 0.14), (0, 0.32 + tall / 4, middle))
        d.has("open load bed", 1, cargo)
    high, front = tall * d.uniform(0.75, 0.95), total / 2 - cab / 2
    d.add(box(wide * 0.96, high, cab, 0.04), MAIN, (0, 0.14 + high / 2, front))
    d.colour(glass, box(wide * 0.75, high * 0.34, 0.3), (0, 0.14 + high * 0.7, total / 2))
    d.colour(glass, box(wide * 1.1, high * 0.32, cab * 0.5), (0, 0.14 + high * 0.7, front + 0.04))
    axles = 3 if load > 0.8 else 2
    places = [total * 0.33, -total * 0.33, -total * 0.33 + 2.3 * wheel][:axles]
    wheels(d, wheel, 0.11, wide / 2 - 0.05, places, tyres, d.paint("metal"))
    d.has("wheel", 2 * axles, tyres)


def bus(d: Draft) -> None:
    long, wide, tall = d.spread(1.1, 1.6, "short", "long"), d.uniform(0.4, 0.46), d.uniform(0.4, 0.5)
    tyres, glass, wheel = d.dark(), d.paint("glass"), 0.1
    floors = 2 if d.chance(0.3) else 1
    high = tall * (1.7 if floors == 2 else 1)
    d.add(box(wide, high, long, 0.04), MAIN, (0, 0.08 + high / 2, 0))
    count = d.integer(4, 6)
    for floor in range(floors):
        y = 0.08 + tall * 0.62 + floor * tall * 0.75
        for i in range(count):
            z = (i - (count - 1) / 2) * long * 0.9 / count
            d.colour(glass, box(wide + 0.1, tall * 0.3, long * 0.9 / count - 0.05), (0, y, z))
        d.colour(glass, box(wide * 0.8, tall * 0.34, 0.1), (0, y, long / 2))
        d.colour(glass, box(wide * 0.6, tall * 0.3, 0.1), (0, y, -long / 2))
    if d.chance(0.5):
        stripe = d.other()
        d.colour(stripe, box(wide + 0.1, 0.06, long + 0.1), (0, 0.08 + tall * 0.32, 0))
        d.has("stripe", 1, stripe)
    wheels(d, wheel, 0.1, wide / 2 - 0.03, [long * 0.32, -long * 0.3], tyres, d.paint("metal"))
    d.has("wheel", 4, tyres)
    if floors == 2:
        d.trait("double-decker")
    d.has("window on each side", count * floors)


def locomotive(d: Draft) -> None:
    long, radius = d.spread(0.5, 0.85, "short", "long"), d.uniform(0.15, 0.19)
    trim, black, cab = d.other(), d.dark(), d.uniform(0.28, 0.36)
    count, wide = d.integer(2, 4), 2 * radius + 0.1
    total = long + cab
    wheel = min(0.13, long / count / 2.1)
    d.add(box(wide * 0.85, 0.23 - wheel, total), black, (0, (0.23 + wheel) / 2, 0))
    axis, middle = 0.22 + radius, cab / 2
    d.add(cylinder(radius, long), MAIN, (0, axis, middle), AHEAD)
    d.add(cylinder(radius * 0.75, 0.07), black, (0, axis, middle + long / 2), AHEAD)
    chimney = d.uniform(0.18, 0.3)
    d.add(
        frustum(0.06, d.uniform(0.07, 0.11), chimney), trim, (0, axis + radius + chimney / 2 - 0.03, total / 2 - 0.13)
    )
    d.add(sphere(0.09), trim, (0, axis + radius, total / 2 - 0.13 - long * 0.45))
    tall, back = d.uniform(0.52, 0.62), -total / 2 + cab / 2
    d.add(box(wide, tall, cab), MAIN, (0, 0.2 + tall / 2, back))
    d.add(box(wide + 0.12, 0.06, cab + 0.12, 0.02), trim, (0, 0.2 + tall, back))
    d.cut(box(wide + 0.2, tall * 0.3, cab * 0.5), (0, 0.2 + tall * 0.7, back))
    places = [total / 2 - wheel - 0.02 - i * (total - 2 * wheel) / count for i in range(count)]
    wheels(d, wheel, 0.08, wide * 0.42, places, black, trim)
    d.add(extruded([(-0.2, 0), (0.2, 0), (0, 0.16)], 0.12), trim, (0, 0.13, total / 2 - 0.06), (90, 0, 0))
    d.has("chimney", 1, trim)
    d.has("wheel", 2 * count, black)


def airplane(d: Draft) -> None:
    long, radius, span = d.uniform(1.1, 1.4), d.uniform(0.1, 0.15), d.spread(0.9, 1.5, "", "wide-winged")
    trim, glass = d.other(), d.paint("glass")
    height, sweep, chord = radius + 0.12, d.uniform(0.0, 0.28), d.uniform(0.22, 0.32)
    d.add(ellipsoid(radius, radius, long / 2), MAIN, (0, height, 0))
    wing = [(0.0, chord / 2), (span / 2, chord * 0.2 - sweep), (span / 2, -chord * 0.3 - sweep), (0.0, -chord / 2)]
    level = height + d.rng.choice((-0.3, 0.0, 0.5)) * radius
    d.sides(extruded(wing, 0.055), trim, (0, level, 0.06), (90, 0, 0))
    tail = [(0.0, 0.1), (span * 0.2, -0.05), (span * 0.2, -0.14), (0.0, -0.1)]
    d.sides(extruded(tail, 0.05), trim, (0, height + 0.02, -long * 0.42), (90, 0, 0))
    fin = d.uniform(0.2, 0.3)
    d.add(
        extruded([(0.1, 0), (-0.06, fin), (-0.15, fin), (-0.1, 0)], 0.055), trim, (0, height, -long * 0.4), (0, -90, 0)
    )
    d.colour(glass, box(radius * 1.6, radius * 0.55, 0.12), (0, height + radius * 0.45, long * 0.36))
    d.has("wing", 2, trim)
    if d.chance(0.5):
        d.add(sphere(0.05), d.dark(), (0, height, long / 2))
        d.add(box(0.42, 0.06, 0.05), d.dark(), (0, height, long / 2 + 0.01), (0, 0, d.uniform(0, 90)))
        d.has("propeller", 1, d.dark())
    else:
        d.sides(cylinder(0.065, 0.24), d.paint("metal"), (span * 0.25, level - 0.06, 0.06 - sweep * 0.4), AHEAD)
        d.has("engine under its wings", 2)
    d.add(box(0.05, 0.12, 0.05), MAIN, (0, 0.09, long * 0.3))
    d.add(cylinder(0.05, 0.05), d.dark(), (0, 0.05, long * 0.3), ACROSS)
    d.sides(tube([(0.13, 0.05, -0.02), (0.04, height, -0.02)], 0.026), MAIN)
    d.sides(cylinder(0.05, 0.05), d.dark(), (0.13, 0.05, -0.02), ACROSS)


def sailboat(d: Draft) -> None:
    long, wide, deep = d.uniform(0.8, 1.1), d.uniform(0.32, 0.42), d.uniform(0.16, 0.24)
    mast, sails = d.spread(0.8, 1.25, "", "tall"), d.other("white", "red", "yellow", "orange", "blue", "pink")
    pole, half = d.paint("wooden"), wide / 2
    deck = [(-half * 0.7, -long / 2), (half * 0.7, -long / 2), (half, 0), (half * 0.6, long * 0.3), (0, long / 2),
            (-half * 0.6, long * 0.3), (-half, 0)]  # fmt: skip
    keel = [(x * 0.55, y * 0.8) for x, y in deck]
    for i in range(4):
        share = (i + 1) / 4
        layer = [(a * share + b * (1 - share), c * share + e * (1 - share))
                 for (a, c), (b, e) in zip(deck, keel, strict=True)]  # fmt: skip
        d.add(extruded(layer, deep / 4 + 0.02), MAIN, (0, deep * (i + 0.5) / 4, 0), AHEAD)
    d.colour(pole, box(wide * 0.6, 0.06, long * 0.5), (0, deep, -long * 0.1))
    d.add(cylinder(0.026, mast), pole, (0, deep + mast / 2 - 0.02, 0.06))
    low, high = deep + 0.1, deep + mast - 0.04
    d.add(extruded([(0.05, low), (0.05, high), (-long * 0.45, low)], 0.05), sails, turn=SIDEWAYS)
    if d.chance(0.6):
        d.add(extruded([(0.06, low), (0.06, high - 0.15), (long * 0.45, low)], 0.05), sails, turn=SIDEWAYS)
        d.has("sail", 2, sails)
    else:
        d.has("sail", 1, sails)


def helicopter(d: Draft) -> None:
    body, tall = d.uniform(0.36, 0.46), d.uniform(0.24, 0.3)
    boom, blades, radius = d.uniform(0.5, 0.7), d.integer(2, 4), d.uniform(0.55, 0.75)
    dark, glass, lift = d.dark(), d.paint("glass"), 0.2
    middle = lift + tall * 0.9
    d.add(ellipsoid(tall * 0.85, tall, body), MAIN, (0, middle, 0))
    d.colour(glass, box(1, tall * 1.1, body), (0, middle + tall * 0.25, body * 0.85))
    d.add(tube([(0, middle + 0.06, -body * 0.6), (0, middle + 0.14, -body - boom)], 0.1, 0.05), MAIN, blend=0.08)
    d.add(extruded([(0, 0), (-0.08, 0.26), (-0.17, 0.26), (-0.13, 0)], 0.055), MAIN,
          (0, middle + 0.1, -body - boom + 0.1), SIDEWAYS)  # fmt: skip
    d.add(box(0.05, 0.3, 0.06), dark, (0.06, middle + 0.15, -body - boom), (35, 0, 0))
    d.add(cylinder(0.045, 0.2), dark, (0, middle + tall + 0.06, 0))
    d.around(blades, box(0.08, 0.045, radius), dark, (0, middle + tall + 0.14, radius / 2), start=d.uniform(0, 180))
    d.sides(tube([(0.22, 0.03, -0.35), (0.22, 0.03, 0.3), (0.22, 0.1, 0.4)], 0.03), dark)
    for z in (-0.16, 0.16):
        d.sides(tube([(0.22, 0.03, z), (0.08, middle, z)], 0.026), dark)
    d.has("rotor blade", blades, dark)


def rocket(d: Draft) -> None:
    radius, tall = d.uniform(0.13, 0.22), d.spread(0.7, 1.1, "short", "tall")
    trim, fins, base = d.other(), d.integer(3, 4), 0.16
    bulge, nose = d.uniform(1.0, 1.25), d.uniform(0.22, 0.4)
    side = [(radius * 0.75, base), (radius * bulge, base + tall * 0.4), (radius, base + tall * 0.75)]
    d.add(revolved([(0, base), *side, (0, base + tall * 0.75)]), MAIN)
    top = base + tall * 0.75
    d.add(revolved([(0, top - 0.01), (radius, top - 0.01), (radius * 0.62, top + nose * 0.55), (0, top + nose)]), trim)
    d.add(frustum(radius * 0.65, radius * 0.4, 0.12), d.paint("metal"), (0, base - 0.03, 0))
    fin = d.uniform(0.16, 0.26)
    outline = [(0, base + 0.3), (radius * 0.6 + fin, base - 0.02), (radius * 0.6 + fin, 0.0), (0, base + 0.05)]
    d.around(fins, extruded(outline, 0.06), trim, start=45)
    d.has("fin", fins, trim)
    windows = d.integer(1, 2)
    for i in range(windows):
        y = base + tall * (0.55 - 0.24 * i)
        d.add(torus(radius * 0.36, 0.032), d.paint("metal"), (0, y, radius * bulge * 0.92), AHEAD)
        d.colour(d.paint("glass"), cylinder(radius * 0.36, radius), (0, y, radius * bulge), AHEAD)
    d.has("round window", windows)


def tractor(d: Draft) -> None:
    back, front = d.spread(0.22, 0.32, "", "big-wheeled"), d.uniform(0.11, 0.15)
    nose, wide, hubs = d.uniform(0.42, 0.55), d.uniform(0.22, 0.28), d.other("yellow", "red", "white", "orange")
    tyres, glass, bonnet = d.dark(), d.paint("glass"), 0.46
    d.add(box(wide, 0.24, nose + 0.3, 0.02), MAIN, (0, bonnet - 0.12, nose / 2 - 0.1))
    d.add(box(wide * 0.9, 0.1, nose + 0.2), d.paint("grey"), (0, 0.2, nose / 2 - 0.1))
    d.colour(tyres, box(wide * 0.7, 0.16, 0.06), (0, bonnet - 0.12, nose + 0.05))
    cab = d.uniform(0.36, 0.46)
    d.add(box(wide * 1.3, cab, 0.36), glass, (0, bonnet - 0.1 + cab / 2, -0.14))
    for z in (-0.31, 0.03):
        d.sides(box(0.055, cab, 0.055), MAIN, (wide * 0.64, bonnet - 0.1 + cab / 2, z))
    d.add(box(wide * 1.3 + 0.1, 0.06, 0.46, 0.02), MAIN, (0, bonnet - 0.08 + cab, -0.14))
    d.add(cylinder(0.03, 0.26), tyres, (wide * 0.2, bonnet + 0.1, nose * 0.6))
    wheels(d, back, 0.16, wide / 2 + 0.1, [-0.16], tyres, hubs)
    wheels(d, front, 0.12, wide / 2 + 0.06, [nose - 0.08], tyres, hubs)
    d.sides(cylinder(0.04, 0.3), tyres, (wide / 4, front, nose - 0.08), ACROSS)
    d.sides(cylinder(0.05, 0.3), tyres, (wide / 4, back, -0.16), ACROSS)
    d.has("exhaust pipe", 1, tyres)
    d.has("wheel", 4, tyres)


def submarine(d: Draft) -> None:
    long, radius, trim = d.spread(0.8, 1.3, "short", "long"), d.uniform(0.2, 0.26), d.other()
    windows, metal = d.integer(2, 4), d.paint("metal")
    d.add(ellipsoid(radius, radius, long / 2), MAIN, (0, radius, 0))
    high = d.uniform(0.16, 0.26)
    d.add(extruded(arc(0.16, 0, 360, 13)[:-1], high + radius), MAIN, (0, radius + (high + radius) / 2, 0.05), AHEAD)
    d.add(tube([(0, 2 * radius, 0.1), (0, 2 * radius + high + 0.18, 0.1), (0, 2 * radius + high + 0.18, 0.24)], 0.035),
          trim)  # fmt: skip
    for i in range(windows):
        z = (i - (windows - 1) / 2) * long * 0.19
        d.sides(cylinder(0.07, 0.12), metal, (radius * 0.93, radius * 1.15, z), ACROSS)
        d.sides(cylinder(0.05, 0.15), d.paint("glass"), (radius * 0.93, radius * 1.15, z), ACROSS)
    for turn in (0, 90):
        d.add(box(2.0 * radius, 0.05, 0.15), trim, (0, radius, -long * 0.42), (0, 0, turn))
    d.add(cylinder(0.035, 0.12), metal, (0, radius, -long / 2), AHEAD)
    d.add(box(0.3, 0.08, 0.05), metal, (0, radius, -long / 2 - 0.05), (0, 0, d.uniform(0, 90)))
    d.has("round window on each side", windows)
    d.has("periscope", 1, trim)


VEHICLES = (
    Kind("car", car, ("automobile",), ("red", "blue", "white", "grey")),
    Kind("truck", truck, ("lorry",), ("red", "white", "blue")),
    Kind("bus", bus, usual=("yellow", "red", "orange")),
    Kind("locomotive", locomotive, ("steam engine", "steam locomotive"), ("red", "green", "black")),
    Kind("airplane", airplane, ("plane", "aeroplane"), ("white", "red", "metal")),
    Kind("sailboat", sailboat, ("sailing boat",), ("wooden", "white", "blue")),
    Kind("helicopter", helicopter, usual=("red", "yellow", "green")),
    Kind("rocket", rocket, ("space rocket",), ("white", "red", "metal")),
    Kind("tractor", tractor, usual=("green", "red", "blue")),
    Kind("submarine", submarine, usual=("yellow", "grey", "teal")),
)
