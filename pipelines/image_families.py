"""What the families of image models differ in, as data: the classes of diffusers that run them, and their habits.

A model's folder says in model_index.json which class draws with it; that class is the key here. Support for one more
family is one more row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipelines.errors import BadRequest

Packing = Literal["none", "patches", "tokens"]
"""How the denoiser is handed the latent: as it is; as rows of 2 x 2 patches; as rows of single cells."""


@dataclass(frozen=True)
class MadeFor:
    """What a model does best: used where a request leaves it open."""

    steps: int
    guidance: float
    side: int  # pixels of a square picture
    most: int  # pixels of the largest picture, width times height
    upscale: Literal[1, 4] = 1


@dataclass(frozen=True)
class Family:
    """One family. Classes are those of `module`; empty where it has none for the task."""

    title: str
    draw: str
    made_for: MadeFor
    module: str = "diffusers"
    redraw: str = ""  # from a picture
    inpaint: str = ""  # under a mask
    flow: bool = False  # from noise to picture on straight lines: see schedulers.py
    even: bool = False  # and its pipeline asks for evenly spaced levels of noise
    unmasked: bool = False  # its attention has no mask, so that kernels that know none serve it
    packing: Packing = "none"
    cells: int = 1  # sides are multiples of this many latent cells
    shortest: int = 4  # of a side, in such multiples
    frames: bool = False  # the autoencoder is a video's: its latents have a time axis
    guidance: str = "guidance_scale"  # the argument that takes the request's guidance
    takes_negative: bool = True
    takes_reference: bool = False
    blank_negative: str = ""  # stands for no negative prompt where guidance needs one
    arguments: Mapping[str, Any] = field(default_factory=dict)  # that every call is given
    left_out: tuple[str, ...] = ()  # components that are not loaded


INDEX = "model_index.json"
OURS = "pipelines."
LIBRARIES = ("diffusers", "transformers", "stable_diffusion")  # the last: as old repositories call the safety checker
SQUARE_512 = 512 * 512
MEGAPIXEL = 1024 * 1024
AS_ASKED = {"use_resolution_binning": False, "clean_caption": False}  # the size asked for, and the prompt as it is

EMOJI = MadeFor(steps=20, guidance=2.0, side=128, most=128 * 128, upscale=4)

FAMILIES: dict[str, Family] = {
    family.draw: family
    for family in (
        Family(
            "Polymuse Emoji",
            "EmojiPipeline",
            EMOJI,
            module="pipelines.image_emoji",
            redraw="EmojiPipeline",
            inpaint="EmojiPipeline",
            flow=True,
            cells=16,  # trained at one size
            shortest=1,
            takes_reference=True,
        ),
        Family(
            "Stable Diffusion 1 and 2",
            "StableDiffusionPipeline",
            MadeFor(25, 7.5, 512, 3 * SQUARE_512),
            redraw="StableDiffusionImg2ImgPipeline",
            inpaint="StableDiffusionInpaintPipeline",
            left_out=("safety_checker",),
        ),
        Family(
            "Stable Diffusion XL",
            "StableDiffusionXLPipeline",
            MadeFor(30, 5.0, 1024, 2 * MEGAPIXEL),
            redraw="StableDiffusionXLImg2ImgPipeline",
            inpaint="StableDiffusionXLInpaintPipeline",
        ),
        Family(
            "Stable Diffusion 3",
            "StableDiffusion3Pipeline",
            MadeFor(28, 4.5, 1024, 2 * MEGAPIXEL),
            redraw="StableDiffusion3Img2ImgPipeline",
            inpaint="StableDiffusion3InpaintPipeline",
            flow=True,
            cells=2,
        ),
        Family(
            "FLUX.1",
            "FluxPipeline",
            MadeFor(28, 3.5, 1024, 2 * MEGAPIXEL),
            redraw="FluxImg2ImgPipeline",
            inpaint="FluxInpaintPipeline",
            flow=True,
            even=True,
            unmasked=True,
            packing="patches",
            cells=2,
            takes_negative=False,  # its guidance is distilled: there is no second prediction to push away from
        ),
        Family(
            "FLUX.2 klein",
            "Flux2KleinPipeline",
            MadeFor(4, 1.0, 1024, 2 * MEGAPIXEL),
            redraw="Flux2KleinPipeline",  # the picture is a reference for the prompt; strength plays no part
            inpaint="Flux2KleinInpaintPipeline",
            flow=True,
            even=True,
            unmasked=True,
            packing="tokens",
            cells=2,
            takes_negative=False,
        ),
        Family(
            "Qwen-Image",
            "QwenImagePipeline",
            MadeFor(50, 4.0, 1328, 2 * MEGAPIXEL),
            redraw="QwenImageImg2ImgPipeline",
            inpaint="QwenImageInpaintPipeline",
            flow=True,
            packing="patches",
            cells=2,
            frames=True,
            guidance="true_cfg_scale",
            blank_negative=" ",
        ),
        Family(
            "Z-Image",
            "ZImagePipeline",
            MadeFor(8, 0.0, 1024, 2 * MEGAPIXEL),
            redraw="ZImageImg2ImgPipeline",
            inpaint="ZImageInpaintPipeline",
            flow=True,
            cells=2,
        ),
        Family(
            "Sana",
            "SanaPipeline",
            MadeFor(20, 4.5, 1024, 2 * MEGAPIXEL),
            flow=True,
            arguments=AS_ASKED,
        ),
        Family(
            "PixArt-Σ",
            "PixArtSigmaPipeline",
            MadeFor(20, 4.5, 1024, 2 * MEGAPIXEL),
            cells=2,
            arguments=AS_ASKED,
        ),
        Family(
            "PixArt-α",
            "PixArtAlphaPipeline",
            MadeFor(20, 4.5, 1024, 2 * MEGAPIXEL),
            cells=2,
            arguments=AS_ASKED,
        ),
    )
}


def family_of(folder: Path) -> Family:
    """The family of the model in a folder. Raises BadRequest when it is none of those that we know how to run, or
    names parts from elsewhere: diffusers would import whatever it is told."""
    index, whose = folder / INDEX, folder.resolve().name
    if not index.is_file():
        raise no_pipeline(whose)
    facts = json.loads(index.read_text(encoding="utf-8"))
    family = family_named(facts.get("_class_name"), whose)
    for name, part in facts.items():
        library = part[0] if isinstance(part, list) and part else None
        if (
            library is not None
            and library not in LIBRARIES
            and not (family.module.startswith(OURS) and str(library).startswith(OURS))
        ):
            raise BadRequest(
                f"{whose} has a “{name}” from “{library}”; parts are read from diffusers and transformers only. "
                "Choose another repository."
            )
    return family


def no_pipeline(whose: str) -> BadRequest:
    """What to say of weights that are in another layout."""
    return BadRequest(
        f"{whose} has no {INDEX}, so it is no diffusers pipeline. Choose a repository or folder in the layout of "
        "diffusers; many authors offer one with “-diffusers” in its name."
    )


def family_named(name: str, whose: str) -> Family:
    """The family that this class of diffusers draws for. Raises BadRequest when we do not know how to run it."""
    if name not in FAMILIES:
        known = ", ".join(family.title for family in FAMILIES.values())
        raise BadRequest(f"{whose} is a {name}, which cannot be run here. Choose a model of one of: {known}.")
    return FAMILIES[name]
