"""Video from open models of the hub, through diffusers' own classes.

Every step shows all frames, by the same linear map of latents to colours as pictures have; a latent frame stands for
several where the model packs them together. Models that make sound with it keep their sound track.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines import image_families, pictures_in, preview, schedulers
from pipelines.errors import BadRequest
from pipelines.events import Audio, Clip, Emit, Frames, Progress
from pipelines.video_between import smooth
from pipelines.video_families import ADAPTED, FAMILIES, Family, family_of
from pipelines.video_request import VideoRequest

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image
    from torch import Tensor

    from pipelines.device import Device

LABEL = "Making frames"


@dataclass(frozen=True)
class _Plan:
    """A request with nothing left open."""

    prompt: str
    image: Image | None
    steps: int
    guidance: float
    width: int
    height: int
    frames: int
    fps: float


class HubVideo:
    """A loaded pipeline of diffusers. A run has a view of it with a scheduler of its own."""

    def __init__(self, pipe: Any, family: Family, colours: preview.Colours, previews: bool = True) -> None:
        self._pipe, self._family, self._colours, self._previews = pipe, family, colours, previews
        self._animating = _animating(pipe, family)
        self._scale = _scale(pipe)

    def run(self, request: VideoRequest, emit: Emit) -> Clip:
        """Make a clip. Emits Frames after each step, or a Progress where its scheduler does not tell what it predicts.

        Raises BadRequest for what this model cannot do.
        """
        import torch

        pipe = self._animating if request.image is not None and self._animating is not None else self._pipe
        plan = self._plan(request, pipe)
        view = copy.copy(pipe)
        view.scheduler = own_scheduler(view.scheduler, self._family)
        step = 0

        def seen(clean: Tensor | None) -> None:
            nonlocal step
            step += 1
            total = getattr(view, "_num_timesteps", plan.steps)
            if clean is None or not self._previews:
                emit(Progress(step, total, LABEL))
            else:
                emit(Frames(self._pictures(clean, plan), step, total))

        watch(view.scheduler, seen)
        emit(Progress(0, plan.steps, LABEL))
        try:
            output = view(**self._arguments(request, plan, view, torch.Generator().manual_seed(request.seed)))
        except BaseException:
            view.maybe_free_model_hooks()  # diffusers does so itself at the end of a call that succeeds
            raise
        frames = np.stack([_bytes(frame) for frame in output.frames[0]])  # one by one: floats take four times as much
        settings = {name: getattr(plan, name) for name in ("steps", "guidance", "width", "height", "frames")}
        return smooth(Clip(frames, plan.fps, False, _sound(output, view), (), settings), request.fps, emit)

    def _plan(self, request: VideoRequest, pipe: Any) -> _Plan:
        family, best = self._family, self._family.made_for
        image = None if request.image is None else pictures_in.read(request.image)
        if image is None and "image" in _taken(pipe):
            raise BadRequest("This model moves a picture. Send one as “image”, or choose another model.")
        if image is not None and "image" not in _taken(pipe):
            raise BadRequest("This model makes clips from a prompt alone. Take the picture away.")
        if request.negative_prompt.strip() and "negative_prompt" not in _taken(pipe):
            raise BadRequest("This model takes no negative prompt. Leave it empty, or choose another model.")
        if request.upscale == 4:
            raise BadRequest("This model's clips cannot be enlarged. Set “upscale” to 1.")
        prompt = ", ".join(part for part in (request.prompt.strip(), request.motion.strip(), request.speed) if part)
        if not prompt and "prompt" in _taken(pipe):
            raise BadRequest("There is nothing to make: say in “prompt” what is seen.")
        frames = request.frames or best.frames
        if not 2 <= frames <= best.most:
            raise BadRequest(f"This model makes 2 to {best.most} frames, not {frames}.")
        width, height = best.width, best.height
        if image is not None:
            pictures_in.check_shape(image)
            width, height = _like(image, width * height, family.multiple)
            image = image.resize((width, height))
        return _Plan(
            prompt,
            image,
            request.steps or best.steps,
            best.guidance if request.guidance is None else request.guidance,
            width,
            height,
            -(-(frames - 1) // family.stride) * family.stride + 1 if family.stride > 1 else frames,
            best.fps,
        )

    def _arguments(self, request: VideoRequest, plan: _Plan, view: Any, generator: Any) -> dict[str, Any]:
        given: dict[str, Any] = {
            "prompt": plan.prompt,
            "image": plan.image,
            "num_inference_steps": plan.steps,
            self._family.guidance: plan.guidance,
            "width": plan.width,
            "height": plan.height,
            "num_frames": plan.frames,
            "generator": generator,  # on the CPU: one seed for all devices
            "output_type": "np",
            **self._family.arguments,
        }
        if self._family.fps:
            given[self._family.fps] = int(plan.fps) if self._family.fps == "fps" else plan.fps
        if request.negative_prompt.strip():
            given["negative_prompt"] = request.negative_prompt
        taken = _taken(view)
        return {name: value for name, value in given.items() if name in taken and value is not None}

    def _pictures(self, clean: Tensor, plan: _Plan) -> tuple[Image, ...]:
        """The first clip of a batch of clean latents, as the denoiser knows them, as small pictures."""
        rows, columns = plan.height // self._scale, plan.width // self._scale
        clean = clean[:1].detach().float().cpu()
        if clean.ndim == 3:
            latents = clean[0].view(-1, rows, columns, clean.shape[-1]).permute(0, 3, 1, 2)
        else:
            latents = clean[0] if self._family.layout == "frames first" else clean[0].transpose(0, 1)
        return tuple(self._colours.picture(latent) for latent in unscaled(latents, self._pipe.vae))


def _bytes(frame: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A frame (h, w, 3) of 0 to 1 as a clip has it."""
    return (frame * 255).round().clip(0, 255).astype(np.uint8)


def unscaled(latents: Tensor, vae: Any) -> Tensor:
    """Latent frames (n, c, h, w) as the autoencoder knows them."""
    kept = dict(vae.named_buffers(recurse=False))
    if "latents_mean" in kept:  # LTX has them with its weights
        mean, std = (kept[name].float().cpu().view(1, -1, 1, 1) for name in ("latents_mean", "latents_std"))
        scaled: Tensor = latents * std / vae.config.scaling_factor + mean
        return scaled
    return preview.unscaled(latents, vae)


def own_scheduler(scheduler: Any, family: Family) -> Any:
    """A fresh one of the same kind and settings, or of those that the family has instead."""
    import diffusers

    kind = getattr(diffusers, family.scheduler) if family.scheduler else type(scheduler)
    return kind.from_config(scheduler.config, **family.schedule)


def watch(scheduler: Any, seen: Callable[[Tensor | None], None]) -> None:
    """Call `seen` with the predicted clean latents at the end of each step; what it raises ends the run there.

    As schedulers.watch, but by its class: LTX-2 copies its scheduler for the sound, and the copy must not tell.
    """
    kind = type(scheduler)

    @wraps(kind.step)
    def step(self: Any, model_output: Tensor, timestep: Any, sample: Tensor, *args: Any, **kwargs: Any) -> Any:
        as_object = kwargs.pop("return_dict", True)
        output = kind.step(self, model_output, timestep, sample, *args, **kwargs)
        if self is scheduler:
            seen(schedulers.predicted_clean(self, output, model_output, timestep, sample))
        return output if as_object else output.to_tuple()

    scheduler.__class__ = type(kind.__name__, (kind,), {"step": step})


def _sound(output: Any, view: Any) -> Audio | None:
    """The sound track, where the model made one."""
    sound = getattr(output, "audio", None)
    if sound is None:
        return None
    waves = sound[0].detach().float().cpu().numpy().reshape(-1, sound.shape[-1])
    samples = np.round(np.clip(waves.T, -1, 1) * 32767).astype(np.int16)
    return Audio(samples, int(view.vocoder.config.output_sampling_rate))


def _like(image: Image, pixels: int, multiple: int) -> tuple[int, int]:
    """Sides in the picture's shape with about so many pixels."""
    scale = (pixels / (image.width * image.height)) ** 0.5
    width, height = (max(multiple, round(side * scale / multiple) * multiple) for side in image.size)
    return width, height


def _scale(pipe: Any) -> int:
    """Pixels of a latent cell's side."""
    for name in ("vae_spatial_compression_ratio", "vae_scale_factor_spatial", "vae_scale_factor"):
        if hasattr(pipe, name):
            return int(getattr(pipe, name))
    raise AssertionError(type(pipe).__name__)


def _animating(pipe: Any, family: Family) -> Any | None:
    """The same parts in the class that begins with a picture, where they serve for both."""
    import diffusers

    if type(pipe).__name__ == family.animate or not (family.both or pipe.config.get("expand_timesteps")):
        return None
    kind = getattr(diffusers, family.animate)
    settings = {name: pipe.config[name] for name in ("expand_timesteps", "boundary_ratio") if name in pipe.config}
    other = kind(**pipe.components, **settings)
    other.set_progress_bar_config(disable=True)
    return other


def _taken(pipe: Any) -> set[str]:
    return set(inspect.signature(type(pipe).__call__).parameters)


def load(device: Device, path: Path) -> HubVideo:
    """A model from a folder as save_pretrained leaves it; safetensors only, no remote code. Or from two: a `model`
    that draws pictures, and an `adapter` that moves them."""
    import diffusers
    from diffusers.utils import logging
    from transformers.utils import logging as transformers_logging

    logging.disable_progress_bar()  # the server's log is no terminal
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    safely: dict[str, Any] = {"use_safetensors": True, "local_files_only": True, "trust_remote_code": False}
    if (path / "adapter").exists():
        family, name, path, adapter = FAMILIES[ADAPTED], ADAPTED, path / "model", path / "adapter"
        image_families.family_of(path)  # refuses parts from elsewhere
        kind: Any = diffusers.MotionAdapter
        motion = kind.from_pretrained(adapter, torch_dtype=device.dtype(), **safely)
        safely |= {"motion_adapter": motion, "safety_checker": None}
    else:
        family, name = family_of(path)
    pipe = getattr(diffusers, name).from_pretrained(path, dtype=device.dtype(), **safely)
    pipe.set_progress_bar_config(disable=True)
    facts = image_families.Family(family.title, name, image_families.EMOJI, frames=family.video_vae)
    colours = preview.stored(path) or preview.fit(pipe.vae, facts, _scale(pipe))
    return HubVideo(pipe.to(device.kind), family, colours)
