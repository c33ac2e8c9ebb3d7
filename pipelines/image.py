"""Images: any text-to-image model of diffusers, from a prompt, from a picture, or under a mask.

Pictures are made one after the other, each with a seed of its own, so that a seed gives the same picture however many
are asked for and memory does not grow with their number. A run works on a view of the loaded pipeline: the weights
are shared; the scheduler, and all else that diffusers keeps on a pipeline during a call, are the run's own.
"""

from __future__ import annotations

import copy
import inspect
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from pydantic import Field, field_serializer, field_validator, model_validator

from pipelines import pictures_in, preview, schedulers
from pipelines.device import Device
from pipelines.errors import BadRequest
from pipelines.events import Emit, Preview, Progress
from pipelines.image_families import Family, MadeFor, family_of
from pipelines.image_sizes import Sizes
from pipelines.schedulers import SchedulerName
from pipelines.spec import Request

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

PREVIEW_S = 0.08  # shortest time between two previews: a page shows about a dozen a second
Enlarge: TypeAlias = "Callable[[Image, Emit], Image]"
Task = Literal["draw", "redraw", "inpaint"]
TASKS: dict[Task, str] = {
    "draw": "draw from a prompt alone",
    "redraw": "start from a picture",
    "inpaint": "repaint under a mask",
}


class ImageRequest(Request):
    """What to draw, from what, and how. Where a number is 0 or empty, the model's own best value is taken."""

    prompt: str = Field(min_length=1, max_length=4_000, description="What the picture shows")
    negative_prompt: str = Field("", max_length=4_000, description="What it should not show")
    steps: int = Field(0, ge=0, le=150, description="Denoising steps; 0: as many as the model is made for")
    guidance: float | None = Field(
        None, ge=0, le=30, description="How closely to follow the prompt; empty: as the model is made for"
    )
    width: int = Field(0, ge=0, le=4_096, description="In pixels; 0: the model's own, or the shape of your picture")
    height: int = Field(0, ge=0, le=4_096, description="In pixels; 0: the model's own, or the shape of your picture")
    count: int = Field(1, ge=1, le=4, description="How many pictures; each has the next seed")
    scheduler: SchedulerName = Field(schedulers.OWN, description="How the noise is taken away")
    image: bytes | None = Field(None, repr=False, description="A picture file to start from")
    mask: bytes | None = Field(None, repr=False, description="A picture file, white where to repaint your picture")
    strength: float = Field(0.6, ge=0.05, le=1, description="How far to go from your picture; 1 forgets it")
    upscale: Literal[1, 4] = Field(1, description="4: enlarge the finished pictures four times")

    @field_validator("prompt")
    @classmethod
    def _not_blank(cls, prompt: str) -> str:
        if not prompt.strip():
            raise ValueError("must say something")
        return prompt

    @field_validator("image", "mask")
    @classmethod
    def _readable(cls, data: bytes | None) -> bytes | None:
        if data is not None:
            try:
                pictures_in.check(data)
            except BadRequest as error:
                raise ValueError(str(error).removeprefix("“image” ")) from None
        return data

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.mask is not None and self.image is None:
            raise ValueError("a mask needs the picture that it lies on: send “image” too")
        if (self.width == 0) != (self.height == 0):
            raise ValueError("give both “width” and “height”, or neither")
        return self

    @field_serializer("image", "mask")
    def _digest(self, data: bytes | None) -> str | None:
        """A recipe names a picture by its digest, and does not keep it."""
        return None if data is None else f"sha256:{sha256(data).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Picture:
    """One finished picture, and the seed that gives it again."""

    image: Image
    seed: int


@dataclass(frozen=True, slots=True)
class Pictures:
    """What an image run made. `settings` are those that the request left to the model."""

    pictures: tuple[Picture, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Plan:
    """A request with nothing left open."""

    task: Task
    steps: int
    guidance: float
    width: int
    height: int
    image: Image | None  # of the picture's size, RGB
    mask: Image | None  # likewise, L


class ImagePipeline:
    """A loaded image model. `enlarge`, if there is one, makes pictures four times as large; `preview_s` is the
    shortest time between two previews, infinite: none at all."""

    def __init__(
        self,
        pipe: Any,
        family: Family,
        made_for: MadeFor,
        enlarge: Enlarge | None = None,
        preview_s: float = PREVIEW_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._family = family
        self._made_for = made_for
        self._enlarge = enlarge
        self._preview_s = preview_s
        self._clock = clock
        self._scale = int(pipe.vae_scale_factor)
        self._sizes = Sizes(self._scale * family.cells, made_for.most)
        self._views: dict[Task, Any] = {"draw": pipe}
        others: tuple[tuple[Task, str], ...] = (("redraw", family.redraw), ("inpaint", family.inpaint))
        self._views |= {task: _as(pipe, name) for task, name in others if name}
        self._colours = preview.fit(pipe.vae, family, self._scale)

    def run(self, request: ImageRequest, emit: Emit) -> Pictures:
        """Draw. Emits a Preview, or a Progress where one would come too soon, for each step of each picture.

        Raises BadRequest for what this model cannot do.
        """
        plan = self._plan(request)
        pictures = []
        for number in range(request.count):
            image = self._draw(plan, request, number, emit)
            if request.upscale == 4 and self._enlarge is not None:
                image = self._enlarge(image, emit)
            pictures.append(Picture(image, request.seed + number))
        settings = {name: getattr(plan, name) for name in ("steps", "guidance", "width", "height")}
        return Pictures(tuple(pictures), settings)

    def _plan(self, request: ImageRequest) -> _Plan:
        task: Task = "draw" if request.image is None else "redraw" if request.mask is None else "inpaint"
        if task not in self._views:
            able = ", ".join(TASKS[each] for each in self._views)
            raise BadRequest(f"{self._family.title} cannot {TASKS[task]}, only {able}. Choose another model for that.")
        if request.negative_prompt.strip() and not self._family.takes_negative:
            raise BadRequest(
                f"{self._family.title} takes no negative prompt. Leave it empty, or choose another model."
            )
        if request.upscale == 4 and self._enlarge is None:
            raise BadRequest("This model cannot enlarge pictures. Set “upscale” to 1.")
        steps = request.steps or self._made_for.steps
        if task != "draw" and steps * request.strength < 1 and "strength" in _taken(self._views[task]):
            enough = math.ceil(1 / request.strength)
            raise BadRequest(
                f"A strength of {request.strength:g} leaves less than one of {steps} steps. Take {enough} steps or "
                "more, or a greater strength."
            )
        guidance = self._made_for.guidance if request.guidance is None else request.guidance
        image = None if request.image is None else pictures_in.read(request.image)
        mask = None if request.mask is None or image is None else pictures_in.read_mask(request.mask, image)
        width, height = self._size(request, image)
        return _Plan(task, steps, guidance, width, height, _fitted(image, width, height), _fitted(mask, width, height))

    def _size(self, request: ImageRequest, image: Image | None) -> tuple[int, int]:
        if request.width:
            self._sizes.check(request.width, request.height)
            return request.width, request.height
        width, height = image.size if image is not None else (1, 1)
        return self._sizes.like(width, height, self._made_for.side**2)

    def _draw(self, plan: _Plan, request: ImageRequest, number: int, emit: Emit) -> Image:
        """The picture with this number: one call of diffusers, on a view and with a scheduler of its own."""
        view = copy.copy(self._views[plan.task])
        scheduler = schedulers.make(view.scheduler, request.scheduler, self._family.only_own_schedule)
        view.scheduler = scheduler
        step, shown = 0, -math.inf

        def seen(clean: Tensor | None) -> None:
            nonlocal step, shown
            step += 1
            steps = getattr(view, "_num_timesteps", len(scheduler.timesteps))
            done, total = number * steps + step, request.count * steps
            image = None if clean is None or math.isinf(self._preview_s) else self._preview(clean, view.vae, plan)
            now = self._clock()
            if image is None or (step < steps and now - shown < self._preview_s):
                emit(Progress(done, total, "Drawing"))
            else:
                shown = now
                emit(Preview(image, done, total))

        schedulers.watch(scheduler, seen)
        emit(Progress(label="Reading the prompt"))
        try:
            made: Image = view(**self._arguments(plan, request, number, view)).images[0]
        except BaseException:
            view.maybe_free_model_hooks()  # diffusers does so itself at the end of a call that succeeds
            raise
        return made if plan.mask is None else _kept(made, plan)

    def _arguments(self, plan: _Plan, request: ImageRequest, number: int, view: Any) -> dict[str, Any]:
        import torch

        given: dict[str, Any] = {
            "prompt": request.prompt,
            "num_inference_steps": plan.steps,
            self._family.guidance: plan.guidance,
            "width": plan.width,
            "height": plan.height,
            "generator": torch.Generator().manual_seed(request.seed + number),  # on the CPU: one seed for all devices
            **self._family.arguments,
        }
        if negative := request.negative_prompt.strip() or self._family.blank_negative:
            given["negative_prompt"] = negative
        if plan.image is not None:
            given |= {"image": plan.image, "strength": request.strength}
        if plan.mask is not None:
            given["mask_image"] = plan.mask
        taken = _taken(view)  # some take their size from the picture, or a picture without a strength
        return {name: value for name, value in given.items() if name in taken}

    def _preview(self, clean: Tensor, vae: Any, plan: _Plan) -> Image:
        rows, columns = plan.height // self._scale, plan.width // self._scale
        return self._colours.picture(preview.latent(clean, vae, self._family.packing, rows, columns))


def load(device: Device, path: Path, made_for: MadeFor | None = None, enlarge: Enlarge | None = None) -> ImagePipeline:
    """An image model from a folder in the layout of diffusers' save_pretrained; safetensors only, no remote code."""
    from diffusers import DiffusionPipeline
    from diffusers.utils import logging
    from transformers.utils import logging as transformers_logging

    family = family_of(path)
    logging.disable_progress_bar()  # the server's log is no terminal
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    pipe = DiffusionPipeline.from_pretrained(  # type: ignore[no-untyped-call]
        path,
        dtype=device.dtype(),
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        **dict.fromkeys(family.left_out),
    ).to(device.kind)
    pipe.set_progress_bar_config(disable=True)
    return ImagePipeline(pipe, family, made_for or family.made_for, enlarge)


def _as(pipe: Any, name: str) -> Any:
    """The same components in another of diffusers' classes. Nothing is copied or converted."""
    import diffusers

    if name == type(pipe).__name__:  # one class for several tasks
        return pipe
    kind = getattr(diffusers, name)
    takes = inspect.signature(kind.__init__).parameters
    settings = {
        key: value for key, value in pipe.config.items() if key in takes and not isinstance(value, tuple | list)
    }
    other = kind(**{**settings, **{key: value for key, value in pipe.components.items() if key in takes}})
    other.set_progress_bar_config(disable=True)
    return other


def _taken(pipe: Any) -> set[str]:
    """The arguments that a call of this pipeline takes."""
    return set(inspect.signature(type(pipe).__call__).parameters)


def _fitted(image: Image | None, width: int, height: int) -> Image | None:
    """The picture at this size: its middle, where the shapes differ."""
    from PIL import ImageOps

    return None if image is None else ImageOps.fit(image, (width, height))


def _kept(made: Image, plan: _Plan) -> Image:
    """The new picture under the mask, the sent one elsewhere: what was not painted over stays to the byte."""
    from PIL import Image as images

    assert plan.image is not None and plan.mask is not None
    return images.composite(made, plan.image, plan.mask)
