"""The plain background that a prompt asks for, as a colour: “on a dark blue background”, “on white”."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PIL import ImageColor

Colour = tuple[int, int, int]
COLOURS: dict[str, Colour] = {  # as in the pictures of the training
    "white": (255, 255, 255), "black": (20, 20, 20), "grey": (150, 150, 150), "red": (220, 50, 47),
    "orange": (245, 140, 40), "yellow": (250, 215, 70), "green": (70, 180, 90), "teal": (40, 170, 165),
    "blue": (60, 120, 220), "navy": (25, 40, 95), "purple": (130, 80, 200), "pink": (250, 160, 190),
    "brown": (130, 90, 60),
}  # fmt: skip
SAME = {
    "gray": "grey",
    "golden": "gold",
    "navy blue": "navy",
    "navyblue": "navy",
    "lilac": "plum",
    "cream": "cornsilk",
    "mint": "aquamarine",
}
OTHERS = (
    "gold|silver|violet|beige|turquoise|cyan|aqua|magenta|lime|olive|maroon|lavender|indigo|coral|salmon|crimson|khaki"
    "|tan|ivory|plum|aquamarine|cornsilk"
)
SHADES = {"light": 0.5, "pale": 0.6, "pastel": 0.5, "dark": -0.45, "deep": -0.3}  # how far to white, or to black
PLAIN = "bright|plain|solid|simple|clean|pure"
NAME = rf"(?:sky|navy|midnight|royal)[ -]?blue|forest[ -]?green|{'|'.join([*COLOURS, *SAME])}|{OTHERS}"
SHADED = rf"(?:(?:{PLAIN}) )*(?:(?P<shade{{0}}>{'|'.join(SHADES)})[ -]?)?(?P<name{{0}}>{NAME})(?:[ -]colou?red)?"
GROUND = re.compile(
    rf"(?:\s*,)?\s*(?:\b(?:on|in front of|against|over|with) )?\b(?:(?:an?|the) )?{SHADED.format(1)}"
    rf" (?:background|backdrop)\b|\s+(?:on|against) {SHADED.format(2)}(?=\s*(?:,|$))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Ground:
    """Where a prompt (of single spaces) says a background, and its colour."""

    start: int
    end: int
    colour: Colour


def grounds_of(text: str) -> list[Ground]:
    """The plain backgrounds in a prompt, of colours that have a name here."""
    return [Ground(found.start(), found.end(), _colour(found)) for found in GROUND.finditer(text)]


def _colour(found: re.Match[str]) -> Colour:
    name = (found["name1"] or found["name2"]).lower()
    shade = (found["shade1"] or found["shade2"] or "").lower()
    name = SAME.get(name, re.sub(r"[ -]", "", name))
    rgb = COLOURS.get(name) or ImageColor.getrgb(name)[:3]
    far = SHADES.get(shade, 0.0)
    red, green, blue = (round(one + abs(far) * ((255 if far > 0 else 0) - one)) for one in rgb)
    return red, green, blue
