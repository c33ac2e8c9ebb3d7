"""What the families of the hub's video models differ in, as data: the classes of diffusers that run them, and habits.

A model's folder says in model_index.json which class makes clips with it; that class is the key here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipelines.errors import BadRequest
from pipelines.image_families import INDEX, LIBRARIES, no_pipeline

Layout = Literal["channels first", "frames first", "tokens"]
"""How the denoiser is handed the latent: (1, c, frames, h, w); (1, frames, c, h, w); (1, frames * h * w, c)."""


@dataclass(frozen=True)
class MadeFor:
    """What a model does best: used where a request leaves it open."""

    steps: int
    guidance: float
    width: int
    height: int
    frames: int
    fps: float
    most: int  # frames


@dataclass(frozen=True)
class Family:
    """One family; classes are diffusers', empty where it has none for the task."""

    title: str
    draw: str  # from a prompt
    animate: str  # from a picture
    made_for: MadeFor
    layout: Layout
    multiple: int  # sides are multiples of so many pixels
    stride: int = 1  # frames are one more than a multiple of this, if it is more than 1
    both: bool = False  # one model's parts serve for prompts and for pictures
    video_vae: bool = True  # the autoencoder takes a clip, not pictures
    guidance: str = "guidance_scale"
    fps: str = ""  # the argument that takes the frames per second
    arguments: Mapping[str, Any] = field(default_factory=dict)  # that every call is given
    scheduler: str = ""  # instead of the model's own, where that does not say what it predicts
    schedule: Mapping[str, Any] = field(default_factory=dict)  # what that is set to, other than the model's own


_FAMILIES = (
    Family(
        "Wan",
        "WanPipeline",
        "WanImageToVideoPipeline",
        MadeFor(40, 5.0, 832, 480, 81, 16.0, 121),
        layout="channels first",
        multiple=16,
        stride=4,
    ),
    Family(
        "LTX-Video",
        "LTXPipeline",
        "LTXImageToVideoPipeline",
        MadeFor(40, 3.0, 704, 480, 97, 25.0, 257),
        layout="tokens",
        multiple=32,
        stride=8,
        both=True,
        fps="frame_rate",
    ),
    Family(
        "LTX-2",
        "LTX2Pipeline",
        "LTX2ImageToVideoPipeline",
        MadeFor(30, 3.0, 768, 512, 121, 24.0, 257),
        layout="tokens",
        multiple=32,
        stride=8,
        both=True,
        fps="frame_rate",
    ),
    Family(
        "CogVideoX",
        "CogVideoXPipeline",
        "CogVideoXImageToVideoPipeline",
        MadeFor(50, 6.0, 720, 480, 49, 8.0, 49),
        layout="frames first",
        multiple=16,
        stride=4,
        scheduler="CogVideoXDDIMScheduler",
        schedule={"clip_sample": False},
    ),
    Family(
        "AnimateDiff",
        "AnimateDiffPipeline",
        "",
        MadeFor(25, 7.5, 512, 512, 16, 8.0, 32),
        layout="channels first",
        multiple=64,
        video_vae=False,
        scheduler="DDIMScheduler",
        schedule={  # as the adapters were trained, which the model for pictures was not
            "clip_sample": False,
            "beta_schedule": "linear",
            "timestep_spacing": "linspace",
            "steps_offset": 1,
        },
    ),
    Family(
        "Stable Video Diffusion",
        "",
        "StableVideoDiffusionPipeline",
        MadeFor(25, 3.0, 1024, 576, 25, 7.0, 25),
        layout="frames first",
        multiple=64,
        video_vae=False,
        guidance="max_guidance_scale",
        fps="fps",
        arguments={"decode_chunk_size": 4},
    ),
)
FAMILIES = {name: family for family in _FAMILIES for name in (family.draw, family.animate) if name}
ADAPTED = "AnimateDiffPipeline"  # the one that is put together of a model for pictures and an adapter


def family_of(folder: Path) -> tuple[Family, str]:
    """The family of the model in a folder, and its class. Raises BadRequest for what we do not know how to run, or
    has parts from elsewhere: diffusers would import whatever it is told."""
    index, whose = folder / INDEX, folder.resolve().name
    if not index.is_file():
        raise no_pipeline(whose)
    facts = json.loads(index.read_text(encoding="utf-8"))
    name = str(facts.get("_class_name"))
    if name not in FAMILIES:
        known = ", ".join(family.title for family in _FAMILIES)
        raise BadRequest(f"{whose} is a {name}, which makes no clips here. Choose a model of one of: {known}.")
    for part, value in facts.items():
        library = value[0] if isinstance(value, list) and value else None
        if library is not None and library not in (*LIBRARIES, "ltx2"):  # the last: diffusers' own, as LTX-2 has it
            raise BadRequest(
                f"{whose} has a “{part}” from “{library}”; parts are read from diffusers and transformers."
            )
    return FAMILIES[name], name
