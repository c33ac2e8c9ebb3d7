"""A shape in the making: parts with their places and paints, and the facts that captions may tell.

A kind is a function that is given a Draft and puts a thing on it. What it says of the thing, it says with the same
numbers that it builds with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np

from training.shape_paints import COLOURS, RGB, colour_of, mixed
from training.shape_parts import FLIP, Floats, Point, Solid, rotation

Role = Literal["add", "cut", "paint"]
MAIN = 0  # the number of the main paint
ZERO: Point = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Part:
    """A solid in its place. It adds to what is there already, is cut out of it, or only paints what lies in it."""

    solid: Solid
    paint: int | None  # in the palette; a cut without one leaves the colours as they are
    at: Floats
    turn: Floats | None
    role: Role
    blend: float  # how softly it joins what is there: the width of the seam

    def bounds(self) -> tuple[Floats, Floats]:
        hull = self.solid.hull if self.turn is None else self.solid.hull @ self.turn.T
        return hull.min(0) + self.at - self.solid.radius, hull.max(0) + self.at + self.solid.radius


@dataclass(frozen=True)
class Shape:
    """Its parts, on a ground at y = 0: what would be under the ground is cut off."""

    parts: tuple[Part, ...]
    palette: tuple[RGB, ...]

    def bounds(self) -> tuple[Floats, Floats]:
        lows, highs = zip(*(part.bounds() for part in self.parts if part.role == "add"), strict=True)
        low = np.min(lows, 0)
        return np.array([low[0], max(low[1], 0), low[2]], np.float32), np.max(highs, 0)


@dataclass(frozen=True)
class Feature:
    """Something that a caption can mention after "with": four legs, a black roof, no handle."""

    name: str
    count: int | None  # None: several, and nobody counts them; 0: it could have one, and has none
    paint: str | None  # a colour or material word, where it is worth saying


@dataclass(frozen=True)
class Facts:
    kind: str
    group: str
    colour: str  # of the main paint
    material: str | None
    traits: tuple[str, ...]  # adjectives that hold: tall, round
    features: tuple[Feature, ...]


class Draft:
    def __init__(self, rng: Random, main: str) -> None:
        self.rng = rng
        self.words = [main]
        self.palette = [mixed(main, rng)]
        self.parts: list[Part] = []
        self.traits: list[str] = []
        self.features: list[Feature] = []

    # chance
    def uniform(self, low: float, high: float) -> float:
        return self.rng.uniform(low, high)

    def integer(self, low: int, high: int) -> int:
        return self.rng.randint(low, high)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def spread(self, low: float, high: float, least: str = "", most: str = "") -> float:
        """A number in the range; in its lowest or highest quarter it gives the thing a trait."""
        share = self.rng.random()
        if word := least if share < 0.25 else most if share > 0.75 else "":
            self.traits.append(word)
        return low + (high - low) * share

    # paint
    def paint(self, word: str) -> int:
        """The number of this paint in the palette."""
        if word not in self.words:
            self.words.append(word)
            self.palette.append(mixed(word, self.rng))
        return self.words.index(word)

    def other(self, *choice: str) -> int:
        """A paint of another colour than all so far: one of these, or where they are taken, any."""
        taken = {colour_of(word) for word in self.words}
        left = [word for word in choice if colour_of(word) not in taken]
        return self.paint(self.rng.choice(left or [word for word in COLOURS if word not in taken]))

    def dark(self) -> int:
        """For eyes and tyres: black, unless that could not be seen."""
        return self.paint("white" if self.words[MAIN] == "black" else "black")

    def light(self) -> int:
        """For teeth, stripes and bellies: white, unless that could not be seen."""
        return self.paint("grey" if self.words[MAIN] == "white" else "white")

    # parts
    def add(
        self, solid: Solid, paint: int | None = MAIN, at: Point = ZERO, turn: Point | None = None,
        blend: float = 0.0, role: Role = "add",
    ) -> None:  # fmt: skip
        """Turns the solid (by degrees around z, then x, then y), moves it to its place and joins it."""
        matrix = None if turn is None else rotation(*turn)
        self.parts.append(Part(solid, paint, np.array(at, np.float32), matrix, role, blend))

    def cut(self, solid: Solid, at: Point = ZERO, turn: Point | None = None, paint: int | None = None) -> None:
        self.add(solid, paint, at, turn, role="cut")

    def colour(self, paint: int, solid: Solid, at: Point = ZERO, turn: Point | None = None) -> None:
        self.add(solid, paint, at, turn, role="paint")

    def sides(
        self, solid: Solid, paint: int | None = MAIN, at: Point = ZERO, turn: Point | None = None,
        blend: float = 0.0, role: Role = "add",
    ) -> None:  # fmt: skip
        """Twice: as given, and mirrored to the other side in x."""
        self.add(solid, paint, at, turn, blend, role)
        part = self.parts[-1]
        mirror = np.diag(FLIP)
        matrix = None if part.turn is None else mirror @ part.turn @ mirror
        self.parts.append(Part(solid.flipped(), paint, part.at * FLIP, matrix, role, blend))

    def corners(self, solid: Solid, paint: int = MAIN, at: Point = ZERO) -> None:
        """Four times: left and right, in front and behind."""
        for z in (at[2], -at[2]):
            self.sides(solid, paint, (at[0], at[1], z))

    def around(
        self, count: int, solid: Solid, paint: int | None = MAIN, at: Point = ZERO, turn: Point = ZERO,
        start: float = 0.0, blend: float = 0.0, role: Role = "add",
    ) -> None:  # fmt: skip
        """That many times around the y axis, evenly."""
        for i in range(count):
            swing = rotation(0, start + 360 * i / count, 0)
            place = swing @ np.array(at, np.float32)
            self.parts.append(Part(solid, paint, place, swing @ rotation(*turn), role, blend))

    # facts
    def has(self, name: str, count: int | None = None, paint: int | None = None) -> None:
        """The caption may say so: "two wheels", or with their paint, "two black wheels"."""
        self.features.append(Feature(name, count, None if paint is None else self.words[paint]))

    def trait(self, word: str) -> None:
        self.traits.append(word)


@dataclass(frozen=True)
class Kind:
    name: str
    draw: Callable[[Draft], None]
    also: tuple[str, ...] = ()  # other names for it, as exact
    usual: tuple[str, ...] = ()  # paints that it mostly has; any colour can come
