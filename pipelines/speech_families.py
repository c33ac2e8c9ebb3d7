"""What the families of speech models on the hub differ in, as data: the classes of transformers that run them.

A model's config.json says in `architectures` which class it is; that class is the key here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.errors import BadWeights


@dataclass(frozen=True)
class Family:
    """One family. Classes are those of transformers."""

    title: str
    model: str
    processor: str
    steps: tuple[str, ...]  # parts of the model, each call of which is a step of the run
    rate: str  # where the model says how many samples a second has, from the model on
    call: str = "generate"  # what makes the sound of a text
    waveform: str = ""  # where in its answer the sound is; empty: it is the answer
    speed: str = ""  # the argument that takes the request's speed; empty: it has one speed
    prefix: str = ""  # before every text
    half: bool = False  # whether it may be computed in the device's own precision, and not in single
    arguments: Mapping[str, Any] = field(default_factory=dict)  # that every call is given
    prepares: Mapping[str, Any] = field(default_factory=dict)  # that every call of the processor is given


FAMILIES: dict[str, Family] = {
    family.model: family
    for family in (
        Family(
            "VITS and MMS",
            "VitsModel",
            "VitsTokenizer",
            steps=("text_encoder", "flow", "decoder"),
            rate="config.sampling_rate",
            call="forward",
            waveform="waveform",
            speed="speaking_rate",
        ),
        Family(
            "Bark",
            "BarkModel",
            "BarkProcessor",
            steps=("semantic", "coarse_acoustics", "fine_acoustics"),
            rate="generation_config.sample_rate",
            arguments={"semantic_do_sample": True, "coarse_do_sample": True},
        ),
        Family(
            "CSM",
            "CsmForConditionalGeneration",
            "CsmProcessor",
            steps=("backbone_model",),
            rate="config.codec_config.sampling_rate",
            prefix="[0]",  # who speaks
            half=True,
            arguments={"output_audio": True, "do_sample": True, "depth_decoder_do_sample": True},
            prepares={"add_special_tokens": True},
        ),
    )
}


def family_of(folder: Path) -> Family:
    """The family of the model in a folder, or BadWeights that names those there are."""
    try:
        (architecture,) = json.loads((folder / "config.json").read_text("utf-8"))["architectures"]
        return FAMILIES[architecture]
    except (OSError, ValueError, KeyError, TypeError):
        known = ", ".join(family.title for family in FAMILIES.values())
        raise BadWeights(f"This is no speech model of a family that is known here. Choose one of: {known}.") from None
