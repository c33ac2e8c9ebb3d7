"""A scripted image model: coloured squares that come out of grey noise, as fast as they are asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from pipelines.events import Emit, Picture, Pictures, Preview, Progress, Reference
from pipelines.image_request import ImageRequest
from pipelines.spec import ModelSpec
from tests.pipelines.fakes import say, spec

Draws = Callable[[ImageRequest, Emit], Pictures]
SIDE = 32
STEPS = 5


@dataclass(frozen=True)
class Drawer:
    """A pipeline that does what its script says."""

    draws: Draws

    def run(self, request: ImageRequest, emit: Emit) -> Pictures:
        return self.draws(request, emit)


def drawer(name: str, draws: Draws, **facts: Any) -> ModelSpec[Any]:
    """The spec of a scripted image model."""
    load = lambda device, path: Drawer(draws)  # noqa: E731
    return spec(name, say(), request=ImageRequest, modality="image", family="diffusion", load=load, **facts)


def draw(pause_s: float = 0.0, noisy: bool = True, enlarges: bool = True) -> Draws:
    """A script that draws squares in the colour of the seed, in as many steps as asked for."""

    def script(request: ImageRequest, emit: Emit) -> Pictures:
        steps = request.steps or STEPS
        emit(Progress(label="Reading the prompt"))
        pictures = []
        for number in range(request.count):
            clean = square(request.seed + number)
            for step in range(1, steps + 1):
                time.sleep(pause_s)
                share = step / steps
                given = Image.blend(noise(step), clean, share)
                seen = Image.blend(square(0), clean, share)
                emit(Preview(seen, number * steps + step, request.count * steps, given if noisy else None))
            large = clean.resize((4 * SIDE, 4 * SIDE))
            pictures.append(Picture(large if enlarges else clean, request.seed + number, clean if enlarges else None))
        settings = {"steps": steps, "guidance": request.guidance or 1.5, "upscale": 4 if enlarges else 1}
        drawn_upon = (Reference("fox <b>", "3d", 0.91, square(1)), Reference("dog", "flat", 0.52, square(2)))
        return Pictures(tuple(pictures), settings, drawn_upon)

    return script


def square(seed: int) -> Image.Image:
    """A colour of its own for each seed."""
    colour = np.random.default_rng(seed).integers(0, 255, 3, np.uint8)
    return Image.fromarray(np.broadcast_to(colour, (SIDE, SIDE, 3)).copy())


def noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), np.uint8))
