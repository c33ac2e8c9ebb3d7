"""Captions that are true, and the pictures they are true of.

A Scene says what to draw, decided by a seed alone: which pictures, where, on which background, in which colour. From
it come the caption and the picture, so that what the caption claims holds by construction: the background has the
named colour, a recoloured thing is measured to have it, the two things stand as the words say, a count is a count.
And what the caption does not say does not vary: a thing stands in the middle, or always in the same places beside
others. A small model that has to guess a shift of a few pixels draws the mean of all shifts, which is a blur.

What is not covered: actions, writing, and relations other than next to, left of, above and below.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from pipelines.image_grounds import COLOURS
from pipelines.image_references import SMALL
from training.emoji_data import SIZE
from training.pictures import PictureSet, on, over, placed

STYLES = {
    "3d": ("3d", "3d render", "3d style", "a 3d render of {}"),
    "glossy": ("glossy", "glossy style", "glossy gradient", "a glossy icon of {}"),
    "flat": ("flat", "flat design", "flat style", "a flat icon of {}"),
    "cartoon": ("cartoon", "cartoon sticker", "cartoon style", "a cartoon of {}"),
    "painted": ("painted", "painted style", "classic emoji", "a painted picture of {}"),
}
HUES = {"red": 0.0, "orange": 0.075, "yellow": 0.14, "green": 0.36, "blue": 0.60, "purple": 0.76, "pink": 0.91}
COLOUR_WORDS = frozenset([*COLOURS, "gray", "gold", "golden", "silver", "violet", "colored", "coloured", "rainbow"])
NUMBERS = {2: "two", 3: "three"}
SCENE_GROUPS = (0, 3, 4, 5, 6, 7)  # faces, animals, food, places, activities, objects: things that can stand together
APART = 32  # how far from the middle one of several stands, in pixels: whole cells of the latent, where it is the same
JITTER = 6  # how far, of 255, a background may lie from its word's colour in each channel

Kind = Literal["thing", "beside", "above", "count"]


@dataclass(frozen=True)
class Scene:
    """One caption and all that its picture is made from."""

    caption: str
    kind: Kind
    rows: tuple[int, ...]  # pictures in the set, one per thing; a count repeats one
    places: tuple[tuple[float, float, float], ...]  # scale, x, y in pixels from the centre
    background: tuple[int, int, int]
    hue: float | None = None  # the things' dominant hue is turned to this one


def article(name: str) -> str:
    """With its article, unless the name is a plural as far as its ending shows."""
    if name.endswith("s") and not name.endswith(("ss", "us", "is")):
        return name
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def plural(name: str) -> str:
    if article(name) == name:  # it is one already
        return name
    if name.endswith(("s", "sh", "ch", "x")):
        return name + "es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return name[:-1] + "ies"
    return name + "s"


def styled(text: str, style: str, rng: Random) -> str:
    words = rng.choice(STYLES[style])
    if "{}" in words:
        return words.format(text)
    return f"{text}, {words}" if rng.random() < 0.8 else f"{words}, {text}"


def hsv(layers: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hue, saturation and visible weight of every pixel of one premultiplied picture."""
    alpha = layers[3].numpy()
    rgb = layers[:3].numpy() / np.maximum(alpha, 1e-3)
    high, low = rgb.max(0), rgb.min(0)
    spread = np.maximum(high - low, 1e-6)
    r, g, b = rgb
    hue = np.select([high == r, high == g], [(g - b) / spread % 6, (b - r) / spread + 2], (r - g) / spread + 4) / 6
    return hue, np.where(high > 0, (high - low) / np.maximum(high, 1e-3), 0), alpha * (high > 0.15)


def dominant_hue(layers: Tensor) -> float | None:
    """The hue most of the thing has; None if it is colourless, or of several colours, so that no one word is true."""
    hue, saturation, visible = hsv(layers)
    strong = visible * (saturation > 0.35)
    if strong.sum() < 0.5 * visible.sum():
        return None
    turn = np.exp(2j * np.pi * hue)
    mean = (turn * strong).sum() / strong.sum()
    near = np.abs(np.angle(turn / (mean + 1e-9))) < 2 * np.pi * 0.07
    if (strong * near).sum() < 0.75 * strong.sum():
        return None
    if (strong * layers[:3].amax(0).numpy()).sum() < 0.6 * strong.sum():
        return None  # too dark: a dark orange is brown, and a dark pink nobody's pink
    return float(np.angle(mean) / (2 * np.pi) % 1)


def turned(layers: Tensor, by: float) -> Tensor:
    """All hues of a premultiplied picture turned by a fraction of the circle, brightness and saturation kept."""
    flat = layers[:3].permute(1, 2, 0).reshape(-1, 3).numpy()
    high, low = flat.max(1), flat.min(1)
    hue, _, _ = hsv(layers)
    h6 = (hue.reshape(-1) + by) % 1 * 6
    parts = [np.clip(np.abs((h6 - shift) % 6 - 3) - 1, 0, 1) for shift in (0, 2, 4)]
    rgb = np.stack([low + (high - low) * part for part in parts])
    return torch.cat([torch.from_numpy(rgb.reshape(layers[:3].shape)).float(), layers[3:]])


class Captions:
    """Draws scenes from the pictures training may see; this share of them one thing alone, on white.

    That is what a page that puts scenes together by itself asks for, whatever a visitor does.
    """

    def __init__(self, pictures: PictureSet, alone: float = 0.0) -> None:
        self.pictures, self.alone = pictures, alone
        self.rows = pictures.rows(withheld=False).tolist()
        self.by_style: dict[str, list[int]] = {style: [] for style in STYLES}
        for row in self.rows:
            if pictures.records[row]["group"] in SCENE_GROUPS:
                self.by_style[pictures.records[row]["style"]].append(row)
        self.hues: dict[int, float | None] = {}

    def name(self, row: int, rng: Random) -> str:
        """What the thing is called: its label, now and then with a tag or two, or without an article's help."""
        record = self.pictures.records[row]
        name, tags, luck = record["label"], record["tags"], rng.random()
        if luck < 0.10 and tags:
            return f"{name}, {', '.join(rng.sample(tags, min(2, len(tags))))}"
        return article(name) if luck < 0.75 else str(name)

    def background(self, rng: Random) -> tuple[tuple[int, int, int], str]:
        if rng.random() < 0.5:
            return COLOURS["white"], rng.choice(["", "", "", " on a white background"])
        word = rng.choice(list(COLOURS))
        jitter = 0 if word == "white" else JITTER
        r, g, b = (min(255, max(0, c + rng.randint(-jitter, jitter))) for c in COLOURS[word])
        return (r, g, b), rng.choice([" on a {} background", " on {}", ", {} background"]).format(word)

    def hue(self, row: int) -> float | None:
        if row not in self.hues:
            self.hues[row] = dominant_hue(self.pictures.layers(torch.tensor([row]))[0])
        return self.hues[row]

    def scene(self, seed: int, row: int | None = None) -> Scene:
        """The scene of this seed; `row` asks for a scene of one particular picture alone."""
        rng = Random(seed)
        luck = rng.random()
        colour, where = self.background(rng)
        if alone := Random(~seed).random() < self.alone:
            colour, where = COLOURS["white"], ""
        if row is not None or luck < 0.72 or alone:
            return self.thing(rng, rng.choice(self.rows) if row is None else row, colour, where, small=not alone)
        style = rng.choice(list(STYLES))
        first, second = rng.sample(self.by_style[style], 2)
        if luck < 0.92:
            return self.pair(rng, first, second, style, colour, where)
        return self.count(rng, first, style, colour, where)

    def thing(self, rng: Random, row: int, colour: tuple[int, int, int], where: str, *, small: bool) -> Scene:
        record = self.pictures.records[row]
        label, luck, hue = record["label"], rng.random(), None
        place = (1.0, 0.0, 0.0)
        name = self.name(row, rng)
        if small and luck < 0.12:  # with room around it
            place = (SMALL, 0.0, 0.0)
            name = rng.choice(["a small {}", "a tiny {}", "{} with empty space around it"]).format(label)
        if luck >= 0.12 and rng.random() < 0.4 and self.paintable(row):
            word, hue = rng.choice(list(HUES.items()))
            name = article(f"{word} {label}")
        return Scene(styled(name + where, record["style"], rng), "thing", (row,), (place,), colour, hue)

    def paintable(self, row: int) -> bool:
        """Whether a colour word can be put before the name: one dominant hue, and no colour in the name already."""
        record = self.pictures.records[row]
        words = record["label"].lower().replace("-", " ").split()
        return record["group"] != 1 and not COLOUR_WORDS.intersection(words) and self.hue(row) is not None

    def pair(self, rng: Random, a: int, b: int, style: str, colour: tuple[int, int, int], where: str) -> Scene:
        kind: Kind = rng.choice(["beside", "above"])  # type: ignore[assignment]
        one, two = (article(self.pictures.records[row]["label"]) for row in (a, b))
        places = tuple((SMALL, s * APART, 0.0) if kind == "beside" else (SMALL, 0.0, s * APART) for s in (-1, 1))
        between = ("{} next to {}", "{} and {}", "{} beside {}", "{} to the left of {}")
        over_under = ("{} above {}", "{} on top of {}", "{} over {}")
        text = rng.choice(between if kind == "beside" else over_under).format(one, two)
        if rng.random() < 0.2:  # the same picture, told from the other thing
            text = f"{two} {'to the right of' if kind == 'beside' else 'below'} {one}"
        return Scene(styled(text + where, style, rng), kind, (a, b), places, colour)

    def count(self, rng: Random, row: int, style: str, colour: tuple[int, int, int], where: str) -> Scene:
        n = rng.choice([2, 3])
        spots = ((-1, 0), (1, 0)) if n == 2 else ((0, -1), (-1, 1), (1, 1))
        text = f"{NUMBERS[n]} {plural(self.pictures.records[row]['label'])}"
        places = tuple((SMALL, x * APART, y * APART) for x, y in spots)
        return Scene(styled(text + where, style, rng), "count", (row,) * n, places, colour)

    def draw(self, scenes: list[Scene]) -> Tensor:
        """The scenes' pictures: RGB in -1..1, (n, 3, 128, 128)."""
        canvas = torch.zeros(len(scenes), 4, SIZE, SIZE)
        for thing in range(max(len(scene.rows) for scene in scenes)):
            some = [i for i, scene in enumerate(scenes) if thing < len(scene.rows)]
            layers = self.pictures.layers(torch.tensor([scenes[i].rows[thing] for i in some]))
            for k, i in enumerate(some):
                if (hue := scenes[i].hue) is not None:
                    layers[k] = turned(layers[k], hue - (self.hue(scenes[i].rows[thing]) or 0.0))
            places = [scenes[i].places[thing] for i in some]
            scale, x, y = (torch.tensor([place[axis] for place in places]) for axis in range(3))
            canvas[some] = over(placed(layers, scale, torch.ones(len(some)), x, y), canvas[some])
        return on(canvas, torch.tensor([scene.background for scene in scenes]) / 255)
