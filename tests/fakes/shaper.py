"""A scripted 3D model: a ball in the colour of the seed, out of the dark, as fast as it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from pipelines.events import Emit, Frames, Progress, Solid
from pipelines.shape_request import BUILT_IN, ShapeRequest
from pipelines.spec import ModelSpec
from tests.pipelines.fakes import say, spec

Shapes = Callable[[ShapeRequest, Emit], Solid]
STEPS = 4
SIDES = 3
GRID = 16
REMARK = "It knows no unicorns <b>; a horse is near."


@dataclass(frozen=True)
class Shaper:
    """A pipeline that does what its script says."""

    shapes: Shapes

    def run(self, request: ShapeRequest, emit: Emit) -> Solid:
        return self.shapes(request, emit)


def shaper(shapes: Shapes, name: str = BUILT_IN, **facts: Any) -> ModelSpec[Any]:
    """The spec of a scripted 3D model."""
    load = lambda device, path: Shaper(shapes)  # noqa: E731
    kind = {"modality": "shape", "family": "flow", "request": ShapeRequest}
    return spec(name, say(), load=load, **(kind | facts))


def shape(step: Callable[[int], object] = lambda step: None, steps: int = STEPS) -> Shapes:
    """A script that makes a ball, in so many steps where none are asked for; `step` is called before each."""

    def script(request: ShapeRequest, emit: Emit) -> Solid:
        total = request.steps or steps
        for number in range(1, total + 1):
            step(number)
            emit(Progress(number, total, "Shaping"))
            emit(views(number, total, request.seed))
        guidance = 3.0 if request.guidance is None else request.guidance
        return ball(request.seed, (REMARK,), {"steps": total, "guidance": guidance})

    return script


def ball(seed: int, remarks: tuple[str, ...] = (), settings: dict[str, Any] | None = None) -> Solid:
    """Its left half is of another colour, so that one sees it turn."""
    axis = np.arange(GRID) + 0.5 - GRID / 2
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    distance = np.clip(np.sqrt(x**2 + y**2 + z**2) - 5, -3, 3).astype(np.float16)
    paint = np.full((GRID, GRID, GRID, 3), colour(seed), np.uint8)
    paint[: GRID // 2] = 255 - paint[: GRID // 2]
    return Solid(distance, paint, remarks, settings or {})


def views(step: int, total: int, seed: int) -> Frames:
    """Squares that one can see through at their edge, of another colour at each step and from each side."""
    pictures = []
    for side in range(SIDES):
        picture = np.zeros((32, 32, 4), np.uint8)
        picture[8:24, 8:24] = (*np.array(colour(seed)) * step // total, 255)
        picture[8:12, 8 : 12 + 4 * side, :3] = 255
        pictures.append(Image.fromarray(picture))
    return Frames(tuple(pictures), step, total)


def colour(seed: int) -> tuple[int, int, int]:
    red, green, blue = np.random.default_rng(seed).integers(60, 255, 3)
    return int(red), int(green), int(blue)
