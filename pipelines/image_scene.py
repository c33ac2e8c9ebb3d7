"""Several things in one picture of the built-in model: each is drawn by itself, then they are put together.

The model knows two or three things in a picture from its training, but has eight by eight cells for each then, and
they run into each other. Drawn alone a thing has all cells. It is drawn on white, cut out, and laid where the words
say on a page of the background's colour, as the training's own pictures of several things were made.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from pipelines.events import Emit, Picture, Pictures, Preview, Progress, Update
from pipelines.image_cutout import cut_out, glimpse, page_of
from pipelines.image_references import SMALL
from pipelines.image_request import ImageRequest
from pipelines.image_words import Scene, Spot, scene_of
from pipelines.video_things import layer

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
        cuts: list[_Cut] = []
        for place, prompt in enumerate(scene.prompts):
            seed = (request.seed + number + place * NEXT_SEED) % SEEDS
            asked = request.model_copy(update={"prompt": prompt, "seed": seed, "count": 1})
            before = _Before(scene, cuts, number * len(scene.prompts), request.count * len(scene.prompts), emit)
            made = self._pictures.run(asked, before)
            assert isinstance(made, Pictures)
            things.append(made)
            cuts.append(_Cut.of(made.pictures[0], white=scene.ground is not None))
        page = cuts[0].page if scene.ground is None else _colour(scene)
        small = _laid(scene, [cut.small for cut in cuts], page)
        larger = [cut.large for cut in cuts if cut.large is not None]
        large = _laid(scene, larger, page) if larger else None
        references = tuple(one for thing in things for one in thing.references)
        return Pictures(
            (Picture(large or small, request.seed + number, large and small),), things[0].settings, references
        )


@dataclass(frozen=True)
class _Cut:
    """A thing without the page that it was drawn on: premultiplied RGBA, (4, side, side)."""

    small: Tensor
    large: Tensor | None
    page: Tensor

    @classmethod
    def of(cls, made: Picture, *, white: bool) -> _Cut:
        """`white`: it was to be drawn on white."""
        picture = _tensor(made.image)
        page = page_of(picture, white=white)
        cut = cut_out(picture, page)
        if made.small is None:
            return cls(cut, None, page)
        small = _tensor(made.small)  # the larger is without its specks, and shows better what belongs to the thing
        return cls(layer(small, page, _resized(cut, small.shape[-1])[3]), cut, page)


class _Before:
    """An emit() for one thing's run: `cuts` are those that are there already, `first` how many runs were before this
    picture's, `runs` how many there are in all."""

    def __init__(self, scene: Scene, cuts: Sequence[_Cut], first: int, runs: int, emit: Emit) -> None:
        self._scene, self._emit, self._runs = scene, emit, runs
        self._there = tuple(cuts)
        self._run = first + len(cuts)

    def __call__(self, update: Update) -> None:
        if isinstance(update, Preview):
            step, total = self._run * update.total + update.step, self._runs * update.total
            noisy = None if update.noisy is None else self._laid(update.noisy, noise=True)
            self._emit(Preview(self._laid(update.image), step, total, noisy))
        elif isinstance(update, Progress) and update.total and update.label == "Drawing":
            self._emit(Progress(self._run * update.total + update.done, self._runs * update.total, update.label))
        else:
            self._emit(update)

    def _laid(self, preview: Image.Image, noise: bool = False) -> Image.Image:
        """How far it is, which costs next to nothing."""
        picture = _tensor(preview)
        own = self._scene.ground is None
        page = _colour(self._scene)
        if own:
            page = self._there[0].page if self._there else page_of(picture, white=False)
        now = torch.cat([picture, torch.ones_like(picture[:1])]) if own or noise else glimpse(picture)
        there = [_resized(cut.small, picture.shape[-1]) for cut in self._there]
        return _laid(self._scene, [*there, now], page)


def _colour(scene: Scene) -> Tensor:
    return torch.tensor(scene.ground or (255, 255, 255)) / 255


def _laid(scene: Scene, things: Sequence[Tensor], page: Tensor) -> Image.Image:
    """Things (4, side, side), as many as there are, in their places on a page of this colour."""
    size = things[0].shape[-1]
    result = page.view(3, 1, 1).repeat(1, size, size)
    for number, spot in scene.stands:
        if number < len(things):
            left, top, side = _box(spot, size)
            small = _resized(things[number], side)
            under = result[:, top : top + side, left : left + side]
            under.copy_(small[:3] + under * (1 - small[3:]))
    return Image.fromarray((result * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy())


def _box(spot: Spot, size: int) -> tuple[int, int, int]:
    """Left, top and side of a thing in a picture of this size."""
    side = round(SMALL * size)
    left, top = (round(size / 2 + away * size - side / 2) for away in spot)
    return left, top, side


def _resized(pixels: Tensor, side: int) -> Tensor:
    if pixels.shape[-1] == side:
        return pixels
    return F.interpolate(pixels[None], (side, side), mode="bilinear", antialias=True, align_corners=False)[0]


def _tensor(picture: Image.Image) -> Tensor:
    """RGB in 0..1, (3, height, width)."""
    return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).float() / 255
