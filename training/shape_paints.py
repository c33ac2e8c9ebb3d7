"""The colours of shapes: words, and the RGB ranges they stand for. No two ranges overlap, so a colour has one word."""

from __future__ import annotations

import hashlib
from random import Random

RGB = tuple[int, int, int]
Range = tuple[RGB, RGB]  # the lowest and the highest of each channel

COLOURS: dict[str, Range] = {
    "red": ((195, 25, 25), (230, 60, 55)), "orange": ((235, 120, 20), (255, 150, 50)),
    "yellow": ((240, 205, 40), (255, 230, 90)), "green": ((40, 140, 45), (90, 185, 90)),
    "teal": ((20, 150, 150), (60, 185, 180)), "blue": ((30, 70, 185), (75, 120, 235)),
    "purple": ((105, 50, 160), (145, 85, 210)), "pink": ((240, 130, 165), (255, 170, 200)),
    "brown": ((90, 50, 25), (125, 75, 50)), "black": ((22, 22, 22), (42, 42, 44)),
    "white": ((238, 238, 232), (252, 252, 250)), "grey": ((115, 115, 115), (145, 145, 145)),
}  # fmt: skip
MATERIALS: dict[str, tuple[str, Range]] = {  # what colour people would call it, when asked, and its range
    "wooden": ("brown", ((160, 105, 55), (195, 135, 85))),
    "metal": ("grey", ((165, 172, 182), (190, 197, 208))),
    "golden": ("yellow", ((205, 165, 45), (228, 190, 75))),
    "stone": ("grey", ((150, 142, 128), (164, 158, 145))),
}
GLASS: Range = ((175, 215, 235), (195, 230, 248))  # windows; never a main colour
WITHHELD = 26  # of 256


def colour_of(word: str) -> str:
    """The colour word for a paint: a material has its usual one."""
    return MATERIALS[word][0] if word in MATERIALS else word


def bounds(word: str) -> Range:
    if word == "glass":
        return GLASS
    return MATERIALS[word][1] if word in MATERIALS else COLOURS[word]


def mixed(word: str, rng: Random) -> RGB:
    """A colour that this word is true of."""
    low, high = bounds(word)
    light = rng.random()  # the channels go together, or greys would not be grey
    r, g, b = (
        round(a + (z - a) * min(1, max(0, light + rng.uniform(-0.12, 0.12)))) for a, z in zip(low, high, strict=True)
    )
    return r, g, b


def withheld(kind: str, colour: str) -> bool:
    """Whether no training may see things of this kind in this colour: drawing them is the test."""
    return hashlib.sha256(f"{kind}:{colour}".encode()).digest()[0] < WITHHELD
