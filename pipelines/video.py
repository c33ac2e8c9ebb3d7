"""The built-in video model: a picture, drawn for the prompt or sent by the visitor, and a motion that moves it.

The image model draws the thing, then the motion of all frames is denoised together, and the frames are rendered: in
any size, from one picture, so that nothing flickers. While the picture is still being drawn, what is predicted of it
already moves as is predicted of its motion.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageOps

from pipelines import pictures_in
from pipelines.errors import BadRequest
from pipelines.events import Clip, Emit, Frames, Pictures, Preview, Progress
from pipelines.image_request import ImageRequest
from pipelines.video_between import smooth
from pipelines.video_model import MotionDenoiser
from pipelines.video_motion import Asked, Sampler, first_frame
from pipelines.video_motions import ALIVE, LOOPS, PASSING
from pipelines.video_request import VideoRequest
from pipelines.video_things import SIDE, Thing, apart, plain, taken_off
from pipelines.video_warp import Fields, rendered
from pipelines.video_words import Understood, caption, understood

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from pipelines.device import Device
    from pipelines.image_text import TextEncoder
    from pipelines.spec import Pipeline
    from pipelines.upscale import Upscaler

FRAMES, FEWEST, MOST = 16, 8, 48
FPS = 12.0
STEPS = 20
GUIDANCE = 1.5
LARGE = 4  # times SIDE
PREVIEW = 64  # pixels of a side
SHARE = 0.015  # of the time that previews may take, after the first
ALONE = "Only two things that do not touch can pass each other; what is in this picture slides to the right instead."


@dataclass(frozen=True)
class _Scene:
    """What there is to move, at the size that the clip will have."""

    things: tuple[Thing, ...]
    background: Tensor


class Pace:
    """Lets previews take a small share of the time: after each, work goes on for long enough to make up for it."""

    def __init__(self, share: float = SHARE, now: Callable[[], float] = time.perf_counter) -> None:
        self._share, self._now, self._next = share, now, 0.0

    def take(self, make: Callable[[], None]) -> bool:
        """Makes a preview if it is time for one."""
        began = self._now()
        if began < self._next:
            return False
        make()
        ended = self._now()
        self._next = ended + (ended - began) / self._share
        return True


class VideoPipeline:
    """A loaded model: `pictures` draws, `denoiser` moves, `text` reads, `enlarge` makes a picture four times as large.
    `previews`: whether to show each step; the clip is the same either way."""

    def __init__(
        self,
        pictures: Pipeline[ImageRequest],
        denoiser: MotionDenoiser,
        text: TextEncoder,
        enlarge: Upscaler,
        names: tuple[str, ...] = (),
        previews: bool = True,
    ) -> None:
        self._pictures, self._denoiser, self._text, self._enlarge = pictures, denoiser, text, enlarge
        self._names = names
        self._previews = previews

    def drawing_with(self, pictures: Pipeline[ImageRequest]) -> VideoPipeline:
        """The same, with other pictures."""
        return VideoPipeline(pictures, self._denoiser, self._text, self._enlarge, self._names, self._previews)

    def without_previews(self) -> VideoPipeline:
        """The same, which shows nothing on its way."""
        return VideoPipeline(self._pictures, self._denoiser, self._text, self._enlarge, self._names, False)

    def run(self, request: VideoRequest, emit: Emit) -> Clip:
        """Make a clip. Emits Frames, as many as are worth their time, and Progress at every other step.

        Raises BadRequest for what this model cannot do.
        """
        frames, steps = _frames(request), request.steps or STEPS
        guidance = GUIDANCE if request.guidance is None else request.guidance
        with torch.inference_mode():
            words = understood(request.prompt, request.motion, request.speed, self._text.sentences, self._names)
            if request.image is None and not all(words.seen):
                raise BadRequest(
                    "There is nothing to move: “prompt” says how, but not what. Say that too: “a ball bounces”."
                )
            sent = None if request.image is None else _sent(request, words)
            if sent is not None:
                words = sent[1]
            first = None if sent is None else first_frame(words.motion == "fades in")
            asked = Asked(words.caption, words.motion, frames, steps, guidance, request.seed, first)
            sampler = Sampler(self._denoiser, self._text, asked)
            run = _Run(emit, sampler, steps, 0 if sent else len(words.seen), self._previews)
            scene = self._drawn(request, words, run) if sent is None else sent[0]
            fields = run.move(scene)
            shown = rendered(scene.things, scene.background, fields, scene.things[0].pixels.shape[-1])
        made = _bytes(shown)
        settings = {"steps": steps, "guidance": guidance, "frames": frames, "upscale": made.shape[1] // SIDE}
        settings |= {"motion": words.motion, "speed": words.speed}
        clip = Clip(made, FPS, _comes_back(words.motion), None, _remarks(request, words), settings)
        return smooth(clip, request.fps, emit)

    def _drawn(self, request: VideoRequest, words: Understood, run: _Run) -> _Scene:
        """Everything that the prompt names, each on a picture of its own."""
        found = []
        for number, prompt in enumerate(words.seen):
            picture = self._draw(request, prompt, number, run)
            if _large(request):
                picture = self._enlarge.run(picture, run.emit)
            found.append(taken_off(_tensor(picture), always_plain=True))
        return _Scene(tuple(thing for thing, _ in found), found[0][1])

    def _draw(self, request: VideoRequest, prompt: str, number: int, run: _Run) -> Image.Image:
        values = {"prompt": prompt, "negative_prompt": request.negative_prompt, "guidance": request.guidance}
        values |= {"steps": run.steps, "seed": request.seed + number, "upscale": 1}
        asked = ImageRequest.model_validate(values)

        def seen(update: Any) -> None:
            if isinstance(update, Preview):
                run.drawing(update.image, number, run.of(update.step, update.total))
            elif isinstance(update, Progress) and update.total:  # steps that are shown later, or not at all
                run.passed(number * run.steps + run.of(update.done, update.total), "Drawing")
            else:
                run.emit(update)

        made = self._pictures.run(asked, seen)
        assert isinstance(made, Pictures)
        return made.pictures[0].image


class _Run:
    """How far one run is, and what is shown of it. `drawn`: how many pictures are drawn before anything moves."""

    def __init__(self, emit: Emit, sampler: Sampler, steps: int, drawn: int, previews: bool) -> None:
        self.emit, self.steps, self._sampler, self._drawn, self._previews = emit, steps, sampler, drawn, previews
        self._pace = Pace()
        self._done = 0

    def drawing(self, picture: Image.Image, number: int, step: int) -> None:
        """A picture is on its way: what is known of it already moves."""

        def show(done: int) -> None:
            small = _tensor(picture.resize((PREVIEW, PREVIEW)))
            thing, background = taken_off(small, always_plain=True)
            fields = self._sampler.draft((thing,), 1 - (step - 1) / self.steps)
            self._show(_Scene((thing,), background), fields, done)

        self._step(show, number * self.steps + step, "Drawing")

    def of(self, step: int, total: int) -> int:
        """Which of our steps for a picture this one is: a picture of two things takes twice as many."""
        return max(1, round(step * self.steps / total))

    def move(self, scene: _Scene) -> Fields:
        """The motion of all frames."""
        small = tuple(Thing.of(thing.small(PREVIEW), thing.whole) for thing in scene.things)

        def stepped(number: int, fields: Callable[[], Fields]) -> None:
            def show(done: int) -> None:
                self._show(_Scene(small, scene.background), fields(), done)

            self._step(show, self.steps * self._drawn + number, "Moving")

        return self._sampler.denoised(scene.things, stepped)

    def _step(self, show: Callable[[int], None], done: int, label: str) -> None:
        if self._previews and self._pace.take(lambda: show(max(done, self._done))):
            self._done = max(done, self._done)
        else:
            self.passed(done, label)

    def passed(self, done: int, label: str) -> None:
        """So many steps are behind us, of which nothing is shown."""
        if done > self._done:
            self._done = done
            self.emit(Progress(done, self._total, label))

    @property
    def _total(self) -> int:
        return self.steps * (self._drawn + 1)

    def _show(self, scene: _Scene, fields: Fields, done: int) -> None:
        pixels = _bytes(rendered(scene.things, scene.background, fields, PREVIEW, "bilinear"))
        self.emit(Frames(tuple(map(Image.fromarray, pixels)), done, self._total))


def _frames(request: VideoRequest) -> int:
    """How many to make. Raises BadRequest for what is not a clip of this model."""
    if not request.prompt.strip() and request.image is None:
        raise BadRequest("There is nothing to move: say in “prompt” what is seen, or send a picture as “image”.")
    if request.frames and not FEWEST <= request.frames <= MOST:
        raise BadRequest(
            f"This model makes {FEWEST} to {MOST} frames, not {request.frames}. For a longer clip go on from the last "
            "frame; for a smoother one, ask for more frames a second."
        )
    return request.frames or FRAMES


def _sent(request: VideoRequest, words: Understood) -> tuple[_Scene, Understood]:
    """The visitor's picture, as a square, and the motion, which may have to be another in such a picture."""
    assert request.image is not None
    read = pictures_in.read(request.image)
    pictures_in.check_shape(read)
    picture = _square(read, SIDE * LARGE if _large(request) else SIDE)
    if words.motion == PASSING and (two := apart(picture)) is not None:
        return _Scene(*two), words
    thing, background = taken_off(picture)
    if words.motion == PASSING:
        words = replace(
            words,
            motion="slides right",
            caption=caption(words.seen[0], "slides right", words.speed),
            remarks=(*words.remarks, ALONE),
        )
    return _Scene((thing,), background), words


def _large(request: VideoRequest) -> bool:
    return request.upscale != 1


def _square(picture: Image.Image, side: int) -> Tensor:
    """RGB in 0..1, (3, side, side): what is around a thing goes on to the sides; of a photo it is the middle."""
    picture.thumbnail((2 * side, 2 * side), Image.Resampling.BICUBIC)
    colour = plain(_tensor(picture))
    if colour is None:
        return _tensor(ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS))
    red, green, blue = (round(255 * value) for value in colour.tolist())
    return _tensor(ImageOps.pad(picture, (side, side), Image.Resampling.LANCZOS, (red, green, blue)))


def _comes_back(motion: str) -> bool:
    return motion in LOOPS or motion == ALIVE


def _remarks(request: VideoRequest, words: Understood) -> tuple[str, ...]:
    if not request.loop or _comes_back(words.motion):
        return words.remarks
    return (
        *words.remarks,
        f"“{words.motion}” ends elsewhere than it begins: the clip jumps where it is repeated.",
    )


def _tensor(picture: Image.Image) -> Tensor:
    """RGB in 0..1, (3, height, width)."""
    return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).float() / 255


def _bytes(frames: Tensor) -> NDArray[np.uint8]:
    """(frames, 3, h, w) in 0..1 as a clip has them."""
    pixels = (frames * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()
    return np.asarray(pixels)


def load(device: Device, path: Path, model: Path | None = None) -> VideoPipeline:
    """From a folder with model, pictures, text and upscaler; or another `model`."""
    from pipelines import image, upscale
    from pipelines.image_scene import with_scenes
    from pipelines.image_text import TextEncoder

    text = TextEncoder.load(path / "text")
    upscaler = upscale.load(device, path / "upscaler")
    parts = {"text_encoder": text.model, "tokenizer": text.tokenizer}
    pictures = with_scenes(image.load(device, path / "pictures", components=parts), path / "pictures")
    denoiser = MotionDenoiser.from_pretrained(model or path / "model", torch_dtype=torch.float32).eval()
    names = tuple(json.loads((path / "pictures/references/config.json").read_text("utf-8"))["names"])
    return VideoPipeline(pictures, denoiser, text, upscaler, names)
