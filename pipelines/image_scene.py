"""Several things in one picture of the built-in model: each is drawn by itself, then they are put together.

The model knows two or three things in a picture from its training, but has eight by eight cells for each then, and
they run into each other. Drawn alone a thing has all cells. It is taken off its background and laid where the words
say, as the training's own pictures of several things were made.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from pipelines.events import Emit, Picture, Pictures, Preview, Progress, Update
from pipelines.image_references import SMALL
from pipelines.image_request import ImageRequest
from pipelines.image_words import Scene, Spot, scene_of
from pipelines.video_things import taken_off

if TYPE_CHECKING:
    from torch import Tensor

    from pipelines.spec import Pipeline

NEXT_SEED = 1_000_003  # from one thing's seed to the next one's
SEEDS = 2**53


def with_scenes(pictures: Pipeline[ImageRequest], folder: Path) -> Pipeline[ImageRequest]:
    """The same model, drawing several things one by one, if it is one that draws from references (in its folder)."""
    config = folder / "references" / "config.json"
    if not config.exists():
        return pictures
    return ScenePipeline(pictures, frozenset(json.loads(config.read_text("utf-8"))["names"]))


class ScenePipeline:
    """Draws scenes with `pictures`, and hands on what is one thing, or begins with a picture. `names`: of things."""

    def __init__(self, pictures: Pipeline[ImageRequest], names: Collection[str]) -> None:
        self._pictures, self._names = pictures, names

    def run(self, request: ImageRequest, emit: Emit) -> Pictures:
        """Draw. Emits what `pictures` does, each preview in its place, and the steps of all things as of one run."""
        alone = request.image is not None or request.reference is not None
        scene = None if alone else scene_of(request.prompt, self._names)
        if scene is None:
            made = self._pictures.run(request, emit)
            assert isinstance(made, Pictures)
            return made
        runs = [self._drawn(scene, request, number, emit) for number in range(request.count)]
        settings, references = runs[0].settings, runs[0].references
        return Pictures(tuple(run.pictures[0] for run in runs), settings, references)

    def _drawn(self, scene: Scene, request: ImageRequest, number: int, emit: Emit) -> Pictures:
        """One picture of it."""
        things: list[Pictures] = []
        for place, prompt in enumerate(scene.prompts):
            seed = (request.seed + number + place * NEXT_SEED) % SEEDS
            asked = request.model_copy(update={"prompt": prompt, "seed": seed, "count": 1})
            before = _Before(scene, things, number * len(scene.prompts), request.count * len(scene.prompts), emit)
            made = self._pictures.run(asked, before)
            assert isinstance(made, Pictures)
            things.append(made)
        found = [thing.pictures[0] for thing in things]
        small = _together(scene, [one.small or one.image for one in found])
        large = _together(scene, [one.image for one in found]) if found[0].small else None
        references = tuple(one for thing in things for one in thing.references)
        return Pictures(
            (Picture(large or small, request.seed + number, large and small),), things[0].settings, references
        )


class _Before:
    """An emit() for one thing's run: `things` are those that are there already, `first` how many runs were before this
    picture's, `runs` how many there are in all."""

    def __init__(self, scene: Scene, things: Sequence[Pictures], first: int, runs: int, emit: Emit) -> None:
        self._scene, self._emit, self._runs = scene, emit, runs
        self._there = [one.pictures[0].small or one.pictures[0].image for one in things]
        self._run = first + len(things)

    def __call__(self, update: Update) -> None:
        if isinstance(update, Preview):
            step, total = self._run * update.total + update.step, self._runs * update.total
            noisy = None if update.noisy is None else _laid(self._scene, [*self._there, update.noisy])
            self._emit(Preview(_laid(self._scene, [*self._there, update.image]), step, total, noisy))
        elif isinstance(update, Progress) and update.total and update.label == "Drawing":
            self._emit(Progress(self._run * update.total + update.done, self._runs * update.total, update.label))
        else:
            self._emit(update)


def _laid(scene: Scene, things: Sequence[Image.Image]) -> Image.Image:
    """How far it is: pictures laid in their places with their backgrounds, which costs next to nothing."""
    size = things[-1].size
    page = Image.new("RGB", size, things[0].convert("RGB").getpixel((0, 0)))
    for number, spot in scene.stands:
        if number < len(things):
            left, top, side = _box(spot, size[0])
            page.paste(things[number].convert("RGB").resize((side, side)), (left, top))
    return page


def _together(scene: Scene, things: Sequence[Image.Image]) -> Image.Image:
    """Things taken off their backgrounds, in front of the first one's."""
    layers = [taken_off(_tensor(thing), always_plain=True) for thing in things]
    result = layers[0][1].view(3, 1, 1).repeat(1, *reversed(things[0].size))
    for number, spot in scene.stands:
        left, top, side = _box(spot, things[0].width)
        whole = layers[number][0].pixels[None]
        layer = F.interpolate(whole, (side, side), mode="bilinear", antialias=True, align_corners=False)[0]
        under = result[:, top : top + side, left : left + side]
        under.copy_(layer[:3] + under * (1 - layer[3:]))
    return Image.fromarray((result * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy())


def _box(spot: Spot, size: int) -> tuple[int, int, int]:
    """Left, top and side of a thing in a picture of this size."""
    side = round(SMALL * size)
    left, top = (round(size / 2 + away * size - side / 2) for away in spot)
    return left, top, side


def _tensor(picture: Image.Image) -> Tensor:
    """RGB in 0..1, (3, height, width)."""
    return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).float() / 255
