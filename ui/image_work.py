"""Finished pictures as the image tab keeps them: files in a folder of their own, and what the page needs to show them.

Writing them takes a while (a large PNG tens of milliseconds): keep it off the event loop.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import picture_file, pictures_in
from pipelines.events import Picture, Pictures, Recipe, Reference, Result
from pipelines.image_request import ImageRequest
from ui.image_film import Frame, Strip, develop
from ui.wire import data_uri

if TYPE_CHECKING:
    from PIL.Image import Image

THUMBNAIL = 192  # pixels of the longer side


@dataclass(frozen=True)
class Before:
    """What a picture was before: the one it started from, or itself before it was enlarged."""

    path: Path
    label: str


@dataclass(frozen=True)
class DrawnUpon:
    """A picture that the model drew upon, ready to be shown."""

    name: str
    style: str
    score: float
    image: str  # a data URI


@dataclass(frozen=True)
class Work:
    """One picture in the gallery. All its files are in `folder`, and go with it."""

    id: str
    folder: Path
    file: Path
    thumbnail: Path
    size: tuple[int, int]
    recipe: Recipe
    before: Before | None = None
    strip: Strip | None = None
    drawn_upon: tuple[DrawnUpon, ...] = ()
    archive: Path | None = None  # all the pictures of its run, where there were several
    grid: bool = False  # several pictures with labels, in one

    @property
    def prompt(self) -> str:
        """What was asked for."""
        return str(self.recipe.options.get("prompt", ""))

    def forget(self) -> None:
        """Remove its files."""
        shutil.rmtree(self.folder, ignore_errors=True)


def keep(shelf: Path, request: ImageRequest, result: Result, films: Sequence[Sequence[Frame]]) -> list[Work]:
    """The works of a finished run, each in a new folder on the shelf. `films` has one film for each picture."""
    assert isinstance(result.artifact, Pictures)
    pictures = result.artifact.pictures
    works: list[Work] = []
    for number, (picture, film) in enumerate(zip(pictures, films, strict=True)):
        folder = _new_folder(shelf)
        archive = None
        if len(pictures) > 1:
            archive = works[0].archive if number else folder / "polymuse-pictures.zip"
        works.append(
            _work(
                folder,
                picture,
                replace(result.recipe, seed=picture.seed, options={**result.recipe.options, "count": 1}),
                before=_before(folder, picture, request),
                strip=develop(film, folder / "strip.jpg"),
                drawn_upon=tuple(_shown(one) for one in result.artifact.references),
                archive=archive,
            )
        )
    if works[0].archive is not None:
        works[0].archive.write_bytes(picture_file.archive(result.artifact, result.recipe))
    return works


def keep_grid(shelf: Path, image: Image, recipe: Recipe) -> Work:
    """A labelled grid as a work of its own."""
    return _work(_new_folder(shelf), Picture(image, recipe.seed), recipe, grid=True)


def _work(folder: Path, picture: Picture, recipe: Recipe, *, grid: bool = False, **story: object) -> Work:
    name = "polymuse-grid.png" if grid else f"polymuse-{picture.seed}.png"
    (folder / name).write_bytes(picture_file.png(picture, recipe))
    thumbnail = picture.image.convert("RGB")
    thumbnail.thumbnail((THUMBNAIL, THUMBNAIL))
    thumbnail.save(folder / "thumbnail.jpg", "JPEG", quality=85)
    return Work(
        id=secrets.token_urlsafe(9),
        folder=folder,
        file=folder / name,
        thumbnail=folder / "thumbnail.jpg",
        size=picture.image.size,
        recipe=recipe,
        grid=grid,
        **story,  # type: ignore[arg-type]
    )


def _new_folder(shelf: Path) -> Path:
    folder = shelf / secrets.token_urlsafe(9)
    folder.mkdir(parents=True)
    return folder


def _before(folder: Path, picture: Picture, request: ImageRequest) -> Before | None:
    """The picture to compare with, brought to the finished one's size."""
    from PIL import Image as images
    from PIL import ImageOps

    size = picture.image.size
    if request.image is not None:
        given = ImageOps.fit(pictures_in.read(request.image), size)
        label = "Your picture"
    elif picture.small is not None:
        given = picture.small.convert("RGB").resize(size, images.Resampling.BICUBIC)
        label = f"As drawn, {picture.small.width} px"
    else:
        return None
    path = folder / "before.jpg"
    given.save(path, "JPEG", quality=92)
    return Before(path, label)


def _shown(one: Reference) -> DrawnUpon:
    return DrawnUpon(one.name, one.style, one.score, data_uri(one.image))
