"""Asking tiny image models for pictures, and pictures to give them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from pipelines import image
from pipelines.events import Pictures, Update
from pipelines.image import ImagePipeline
from pipelines.image_families import FAMILIES
from pipelines.image_request import ImageRequest
from tests.pipelines import tiny_image
from tests.pipelines.fakes import CPU

WIDTH, HEIGHT = 64, 32
STEPS = 4


def load(folder: Path) -> ImagePipeline:
    return image.load(CPU, folder)


def ask(prompt: str = "a red cat", **settings: Any) -> ImageRequest:
    return ImageRequest(prompt=prompt, **{"steps": STEPS, "width": WIDTH, "height": HEIGHT, "upscale": 1, **settings})


def size_of(family: ImagePipeline) -> tuple[int, int]:
    name = next(name for name, kind in tiny_image.CLASSES.items() if kind == family._family.draw)
    return tiny_image.SIZES.get(name, (WIDTH, HEIGHT))


def ask_of(family: ImagePipeline, prompt: str = "a red cat", **settings: Any) -> ImageRequest:
    """A request of the size that this family can do."""
    width, height = size_of(family)
    return ask(prompt, width=width, height=height, **settings)


def run(pipeline: ImagePipeline, request: ImageRequest) -> tuple[Pictures, list[Update]]:
    events: list[Update] = []
    return pipeline.run(request, events.append), events


def drawn(pipeline: ImagePipeline, request: ImageRequest) -> list[bytes]:
    return [picture.image.tobytes() for picture in run(pipeline, request)[0].pictures]


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def gradient(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    ramp = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (ramp, ramp.transpose(Image.Transpose.ROTATE_180), ramp))


def left_half(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (0, 0, width // 2, height))
    return mask


def tasks() -> list[tuple[str, str]]:
    """Each family with each task, besides drawing from a prompt alone, that diffusers has a class for."""
    return [
        (name, task)
        for name, build in tiny_image.FAMILIES.items()
        for task in ("redraw", "inpaint")
        if getattr(FAMILIES[tiny_image.CLASSES[name]], task)
    ]


def flows() -> list[str]:
    return [name for name, kind in tiny_image.CLASSES.items() if FAMILIES[kind].flow]
