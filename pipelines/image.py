"""Images: any text-to-image model of diffusers, from a prompt, from a picture, or under a mask.

Pictures are made one after the other, each with a seed of its own, so that a seed gives the same picture however many
are asked for and memory does not grow with their number. A run works on a view of the loaded pipeline: the weights
are shared; the scheduler, and all else that diffusers keeps on a pipeline during a call, are the run's own.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pipelines import image_lora, image_placement, pictures_in, preview, schedulers
from pipelines.device import Device
from pipelines.errors import BadRequest, BadWeights
from pipelines.events import Emit, Picture, Pictures, Progress, Reference
from pipelines.image_families import Family, MadeFor, family_of
from pipelines.image_request import ImageRequest
from pipelines.image_sizes import Sizes
from pipelines.image_steps import Steps

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

Enlarge: TypeAlias = "Callable[[Image, Emit], Image]"
Task = Literal["draw", "redraw", "inpaint"]
TASKS: dict[Task, str] = {
    "draw": "draw from a prompt alone",
    "redraw": "start from a picture",
    "inpaint": "repaint under a mask",
}

OFFLOADING = ("_all_hooks", "_offload_device", "_offload_gpu_id")  # what diffusers notes on a pipeline that offloads


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
    reference: Image | None
    upscale: Literal[1, 4]


class ImagePipeline:
    """A loaded image model. `enlarge`, if there is one, makes pictures four times as large. `previews`: whether to
    show each step; the picture is the same either way."""

    def __init__(
        self,
        pipe: Any,
        family: Family,
        made_for: MadeFor,
        colours: preview.Colours,
        enlarge: Enlarge | None = None,
        previews: bool = True,
        has_lora: bool = False,
    ) -> None:
        self._family = family
        self._made_for = made_for
        self._enlarge = enlarge
        self._previews = previews
        self._has_lora = has_lora
        self._scale = int(pipe.vae_scale_factor)
        self._sizes = Sizes(self._scale * family.cells, made_for.most, family.shortest)
        self._views: dict[Task, Any] = {"draw": pipe}
        others: tuple[tuple[Task, str], ...] = (("redraw", family.redraw), ("inpaint", family.inpaint))
        self._views |= {task: _as(pipe, name) for task, name in others if name}
        self._colours = colours

    def run(self, request: ImageRequest, emit: Emit) -> Pictures:
        """Draw. Emits a Preview for each step of each picture, those of fast steps together and a Progress
        meanwhile; a Progress alone where the scheduler does not tell.

        Raises BadRequest for what this model cannot do.
        """
        plan = self._plan(request)
        pictures = []
        references: tuple[Reference, ...] = ()
        for number in range(request.count):
            made, references = self._draw(plan, request, number, emit)
            larger = self._enlarge(made, emit) if plan.upscale == 4 and self._enlarge is not None else None
            pictures.append(Picture(larger or made, request.seed + number, made if larger else None))
        settings = {name: getattr(plan, name) for name in ("steps", "guidance", "width", "height", "upscale")}
        return Pictures(tuple(pictures), settings, references)

    def _plan(self, request: ImageRequest) -> _Plan:
        task: Task = "draw" if request.image is None else "redraw" if request.mask is None else "inpaint"
        if task not in self._views:
            able = ", ".join(TASKS[each] for each in self._views)
            raise BadRequest(f"{self._family.title} cannot {TASKS[task]}, only {able}. Choose another model for that.")
        if request.negative_prompt.strip() and not self._family.takes_negative:
            raise BadRequest(
                f"{self._family.title} takes no negative prompt. Leave it empty, or choose another model."
            )
        if request.reference is not None and not self._family.takes_reference:
            raise BadRequest(
                f"{self._family.title} draws from no reference picture. Send it as “image” to start from."
            )
        if request.lora and request.lora_scale and not self._has_lora:
            raise BadRequest("This server offers no LoRAs. Leave “lora” empty.")
        upscale = request.upscale or self._made_for.upscale
        if upscale == 4 and self._enlarge is None:
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
        reference = None if request.reference is None else pictures_in.read(request.reference, "reference")
        image, mask = _fitted(image, width, height), _fitted(mask, width, height)
        return _Plan(task, steps, guidance, width, height, image, mask, reference, upscale)

    def _size(self, request: ImageRequest, image: Image | None) -> tuple[int, int]:
        if request.width:
            self._sizes.check(request.width, request.height)
            return request.width, request.height
        width, height = image.size if image is not None else (1, 1)
        return self._sizes.like(width, height, self._made_for.side**2)

    def _draw(
        self, plan: _Plan, request: ImageRequest, number: int, emit: Emit
    ) -> tuple[Image, tuple[Reference, ...]]:
        """The picture with this number: one call of diffusers, on a view and with a scheduler of its own."""
        view = copy.copy(self._views[plan.task])
        scheduler = schedulers.make(view.scheduler, request.scheduler, self._family.flow, self._family.even)
        view.scheduler = scheduler
        step = 0
        shown = Steps(self._colours, lambda latents: self._latents(latents, view.vae, plan), emit)

        def seen(clean: Tensor | None, noisy: Tensor) -> None:
            nonlocal step
            step += 1
            steps = getattr(view, "_num_timesteps", len(scheduler.timesteps))
            done, total = number * steps + step, request.count * steps
            if clean is None or not self._previews:
                emit(Progress(done, total, "Drawing"))
            else:
                shown.add(clean, noisy, done, total)

        schedulers.watch(scheduler, seen)
        emit(Progress(label="Reading the prompt"))
        try:
            output = view(**self._arguments(plan, request, number, view))
        except BaseException:
            view.maybe_free_model_hooks()  # diffusers does so itself at the end of a call that succeeds
            raise
        shown.flush()
        made: Image = output.images[0]
        return made if plan.mask is None else _kept(made, plan), self._references(output, view)

    def _references(self, output: Any, view: Any) -> tuple[Reference, ...]:
        """What a model that draws from pictures drew from."""
        if not self._family.takes_reference:
            return ()
        latents = view.latents_of(output.drawn_from)
        return tuple(
            Reference(found.name, found.style, found.score, self._colours.picture(latent))
            for found, latent in zip(output.drawn_from, latents, strict=True)
        )

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
        if plan.reference is not None:
            given["reference"] = plan.reference
        taken = _taken(view)  # some take their size from the picture, or a picture without a strength
        return {name: value for name, value in given.items() if name in taken}

    def _latents(self, latents: Tensor, vae: Any, plan: _Plan) -> Tensor:
        """As the autoencoder knows them: (n, channels, rows, columns)."""
        rows, columns = plan.height // self._scale, plan.width // self._scale
        return preview.latents(latents, vae, self._family.packing, rows, columns)


def load(
    device: Device,
    path: Path,
    made_for: MadeFor | None = None,
    enlarge: Enlarge | None = None,
    components: Mapping[str, Any] = MappingProxyType({}),
    lora: tuple[Path, float] | None = None,
    offload: bool = False,
) -> ImagePipeline:
    """An image model from a folder in the layout of diffusers' save_pretrained; safetensors only, no remote code.

    `components` are those that come from elsewhere; `lora` is merged into the weights with its scale; `offload` keeps
    each part in main memory while it has nothing to do.
    """
    from diffusers.utils import logging
    from transformers.utils import logging as transformers_logging

    family = family_of(path)
    logging.disable_progress_bar()  # the server's log is no terminal
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        pipe = getattr(import_module(family.module), family.draw).from_pretrained(
            path,
            dtype=device.dtype(),
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            **dict.fromkeys(family.left_out),
            **components,
        )
    except OSError as error:  # what transformers and diffusers say of a missing file
        raise BadWeights(
            f"This {family.title} cannot be loaded: a part of it has no safetensors, or is missing. Choose a "
            "repository in which every part has them, without “fp16” or the like in the file's name."
        ) from error
    if lora is not None:
        image_lora.merge(pipe, *lora, family.title)
    pipe.set_progress_bar_config(disable=True)
    colours = preview.stored(path) or preview.fit(pipe.vae, family, int(pipe.vae_scale_factor))
    image_placement.place(pipe, device, offload, family.unmasked)
    return ImagePipeline(pipe, family, made_for or family.made_for, colours, enlarge, has_lora=lora is not None)


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
    vars(other).update({key: value for key, value in vars(pipe).items() if key in OFFLOADING})
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
