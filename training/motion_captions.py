"""Captions that are true of moving pictures, and all that those are made from.

Things, styles, colours and backgrounds are called as in training.captions; what moves and how fast is added here. A
motion is only told of a thing that shows it: no ball spins, and no background hides what is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from pipelines.video_motions import PASSING, PHRASES, SPEED_WORDS, TOGETHER, gerund
from pipelines.video_things import Body
from training.captions import HUES, Captions, article, styled, turned
from training.motion import MOTIONS, SPEEDS, TURNING, Track, moved, tracks, withheld_motion
from training.pictures import PictureSet, on, over
from training.rotation import turning_shows

COVERED = 0.4  # the least share of a thing that must differ from its background
APART = 0.12  # of 1, in some channel


@dataclass(frozen=True)
class MotionScene:
    """One caption and all that its frames are made from."""

    caption: str
    motion: str
    speed: str
    rows: tuple[int, ...]  # pictures in the set, the front one first
    background: tuple[int, int, int]
    hue: float | None  # the thing's dominant hue is turned to this one
    seed: int  # of the motion's own random numbers


def direction(track: Track) -> str:
    """Where a thing ends up, in words."""
    x, y = float(track.x[-1] - track.x[0]), float(track.y[-1] - track.y[0])
    if abs(x) > abs(y):
        return "to the right" if x > 0 else "to the left"
    return "upwards" if y < 0 else "downwards"


class MotionCaptions:
    """Puts the pictures that training may see in motion, as one seed after another says."""

    def __init__(self, pictures: PictureSet) -> None:
        self.pictures = pictures
        self.words = Captions(pictures)
        self._bodies: dict[int, Body] = {}
        self._turning: dict[int, bool] = {}

    def layer(self, row: int) -> Tensor:
        return self.pictures.layers(torch.tensor([row]))[0]

    def body(self, row: int) -> Body:
        if row not in self._bodies:
            self._bodies[row] = Body.of(self.layer(row))
        return self._bodies[row]

    def may(self, row: int, motion: str) -> bool:
        """Whether training may show this thing so, and one could see it."""
        record = self.pictures.records[row]
        if record["withheld"] or withheld_motion(record["hexcode"], motion):
            return False
        return motion not in TURNING or self.shows_turning(row)

    def shows_turning(self, row: int) -> bool:
        if row not in self._turning:
            body = self.body(row)
            self._turning[row] = turning_shows(self.layer(row), body.centre, body.reach)
        return self._turning[row]

    def visible(self, layer: Tensor, colour: tuple[int, int, int]) -> bool:
        shade = torch.tensor(colour)[:, None, None] / 255
        apart = (layer[:3] - shade * layer[3:]).abs().amax(0) > APART
        return float(apart.sum()) > COVERED * float((layer[3] > 0.5).sum())

    def scene(self, seed: int, motion: str | None = None) -> MotionScene:
        """The scene of this seed; `motion` asks for one of that motion."""
        rng = Random(seed)
        motion = motion or rng.choice(MOTIONS)
        speed = "" if motion == "stays still" else rng.choice(SPEEDS)
        rows, hue, name = self.two(rng) if motion == PASSING else self.one(rng, motion)
        colour, where = self.words.background(rng)
        while not all(self.visible(layer, colour) for layer in self.layers(rows, hue)):
            colour, where = self.words.background(rng)
        scene = MotionScene("", motion, speed, rows, colour, hue, rng.getrandbits(32))
        style = self.pictures.records[rows[0]]["style"]
        return MotionScene(**vars(scene) | {"caption": self.caption(rng, scene, name, style, where)})

    def one(self, rng: Random, motion: str) -> tuple[tuple[int, ...], float | None, str]:
        row = rng.choice(self.words.rows)
        while not self.may(row, motion):
            row = rng.choice(self.words.rows)
        if rng.random() < 0.25 and self.words.paintable(row):
            word, hue = rng.choice(list(HUES.items()))
            return (row,), hue, article(f"{word} {self.pictures.records[row]['label']}")
        return (row,), None, article(self.pictures.records[row]["label"])

    def two(self, rng: Random) -> tuple[tuple[int, ...], float | None, str]:
        rows = self.words.by_style[rng.choice([style for style, rows in self.words.by_style.items() if len(rows) > 1])]
        while True:
            pair = tuple(rng.sample(rows, 2))
            if all(self.may(row, PASSING) for row in pair):
                one, two = (article(self.pictures.records[row]["label"]) for row in pair)
                return pair, None, f"{one} and {two}"

    def caption(self, rng: Random, scene: MotionScene, name: str, style: str, where: str) -> str:
        if scene.motion == PASSING:
            phrase, several = rng.choice(TOGETHER), False  # two things, whatever their names
        else:
            phrase = rng.choice(PHRASES[scene.motion]).format(way=direction(self.tracks(scene, 2)[0]))
            several = not name.startswith(("a ", "an "))
        if several or rng.random() < 0.3:  # "glasses sliding": right for one and for many
            phrase = gerund(phrase)
        told = rng.choice(SPEED_WORDS[scene.speed]).format(phrase)
        if rng.random() < 0.5:
            return f"{styled(name + where, style, rng)}, {told}"
        return styled(f"{name} {told}{where}", style, rng)

    def layers(self, rows: tuple[int, ...], hue: float | None) -> list[Tensor]:
        layers = [self.layer(row) for row in rows]
        if hue is None:
            return layers
        return [turned(layer, hue - (self.words.hue(row) or 0.0)) for layer, row in zip(layers, rows, strict=True)]

    def tracks(self, scene: MotionScene, frames: int) -> list[Track]:
        """Where each of its things is in every frame."""
        bodies = tuple(self.body(row) for row in scene.rows)
        return tracks(scene.motion, scene.speed, bodies, frames, Random(scene.seed))

    def draw(self, scene: MotionScene, frames: int) -> Tensor:
        """The scene's frames: RGB in -1..1, (frames, 3, 128, 128)."""
        canvas: Tensor | None = None
        for row, layer, track in zip(
            scene.rows, self.layers(scene.rows, scene.hue), self.tracks(scene, frames), strict=True
        ):
            thing = moved(layer, self.body(row), track)
            canvas = thing if canvas is None else over(canvas, thing)
        assert canvas is not None
        return on(canvas, (torch.tensor(scene.background) / 255).expand(frames, 3))
