"""Artifacts as files on their way to a visitor: written where gradio serves from, under names nobody can guess."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from gradio.utils import get_upload_folder

from pipelines import picture_file, sound_file, text_file, video_file
from pipelines.code_languages import LANGUAGES
from pipelines.errors import MissingCodec
from pipelines.events import Audio, Clip, Code, Enhanced, Music, Picture, Pictures, Recipe, Result, Solid, Text
from pipelines.spec import Request

UNFINISHED = "stopped before its end"  # in the place of a revision, in the recipe of what was kept


def unfinished(request: Request) -> Recipe:
    """The recipe of what there was of a request when it was stopped."""
    return Recipe(request.model, UNFINISHED, request.seed, request.model_dump(exclude={"model", "seed"}))


def written(result: Result) -> str | None:
    """The file of a result: a PNG, a ZIP of several, a WAV, an MP4, a GLB, a program; None for a text."""
    match result.artifact:
        case Text():
            return None
        case Clip() as clip:
            return clip_of(clip, result.recipe)
        case Code(code=code, language=language):
            name = f"polymuse.{LANGUAGES[language].extension}"
            return _write(text_file.code(code, language, result.recipe), name) if code else None
        case Solid() as solid:
            from pipelines import shape_file  # here, since it brings libraries that the page can start without

            options = result.recipe.options
            mesh = shape_file.shape(solid, result.recipe, "glb", options["detail"], options["smoothing"])
            return _write(mesh, "polymuse-shape.glb")
        case Pictures(pictures=(picture,)):
            return picture_of(picture, result.recipe)
        case Pictures() as pictures:
            return _write(picture_file.archive(pictures, result.recipe), "polymuse-pictures.zip")
        case Audio() as audio:
            return _write(sound_file.sound(audio, result.recipe, "wav"), "polymuse.wav")
        case Enhanced(samples=samples, rate=rate):
            enhanced = sound_file.sound(Audio(samples, rate), result.recipe, "wav", sound_file.ENHANCED_BY_AI)
            return _write(enhanced, "polymuse-enhanced.wav")
        case Music(samples=samples, rate=rate):
            return _write(sound_file.sound(Audio(samples, rate), result.recipe, "wav"), "polymuse.wav")


def picture_of(picture: Picture, recipe: Recipe) -> str:
    """One picture as a PNG that carries its recipe."""
    return _write(picture_file.png(picture, recipe), f"polymuse-{picture.seed}.png")


def clip_of(clip: Clip, recipe: Recipe) -> str:
    """A clip as an MP4, or as a WebP where this machine cannot write one; it carries its recipe."""
    try:
        return _write(video_file.video(clip, recipe, "mp4"), "polymuse.mp4")
    except MissingCodec:
        return _write(video_file.video(clip, recipe, "webp"), "polymuse.webp")


@dataclass
class Keeper:
    """Keeps one visitor's files while the page is open, in a folder whose name nobody can guess.

    As a session's state, with `forget` for its delete_callback, or ui/visits.py's `leave`: gradio only removes what
    it wrote itself. `key` is how visits.py knows it.
    """

    folder: Path | None = None
    key: str = ""

    @property
    def shelf(self) -> Path:
        """Where the files are."""
        if self.folder is None:
            self.folder = Path(get_upload_folder()) / secrets.token_urlsafe(16)
            self.folder.mkdir(parents=True)
        return self.folder

    @property
    def at_work(self) -> bool:
        """Whether something is being made here."""
        return False

    @property
    def used(self) -> bool:
        """Whether anything has been made or begun here."""
        return self.folder is not None or self.at_work

    def forget(self) -> None:
        """Remove all files."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


def address(path: Path) -> str:
    """Where the page finds a file, from wherever the page itself is served."""
    return f"gradio_api/file={quote(str(path))}"


def _write(data: bytes, name: str) -> str:
    """The path of a file with this content and name; its folder is a digest of the content, as gradio's own are."""
    folder = Path(get_upload_folder()) / sha256(data).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    return str(path)
