"""What the families of speech models on the hub differ in, as data: the classes of transformers that run them.

A model's config.json says in `architectures` which class it is; that class is the key here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipelines.errors import BadWeights
from pipelines.speech_prompts import (
    Ask,
    Hear,
    first,
    from_codes,
    from_latents,
    in_conversation,
    plainly,
    waveform,
    with_transcript,
)


@dataclass(frozen=True)
class Family:
    """One family. Classes are those of transformers."""

    title: str
    model: str
    processor: str
    steps: tuple[str, ...]  # parts of the model, each call of which is a step of the run
    rate: str  # where the model or its processor says how many samples a second has
    call: str = "generate"  # what makes the sound of a text
    ask: Ask = plainly
    hear: Hear = first
    speed: str = ""  # the argument that takes the request's speed; empty: it has one speed
    speakers: tuple[str, ...] = ("",)  # the mark of each that it can tell apart
    reference: Literal["no", "may", "must"] = "no"  # whether it can speak in the voice of a recording, or must
    follows: bool = False  # whether it is told how a speaker sounded before: else each piece has another voice
    least: int = 0  # characters that it should be given to say
    frames: float = 0.0  # of which a second of sound has so many, where the model may not stop by itself
    codec: str = ""  # a model that it needs beside it, in the folder `codec`
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
            rate="model.config.sampling_rate",
            call="forward",
            hear=waveform,
            speed="speaking_rate",
        ),
        Family(
            "Bark",
            "BarkModel",
            "BarkProcessor",
            steps=("semantic", "coarse_acoustics", "fine_acoustics"),
            rate="model.generation_config.sample_rate",
            arguments={"semantic_do_sample": True, "coarse_do_sample": True},
        ),
        Family(
            "CSM",
            "CsmForConditionalGeneration",
            "CsmProcessor",
            steps=("backbone_model",),
            rate="model.config.codec_config.sampling_rate",
            speakers=("[0]",),
            half=True,
            arguments={"output_audio": True, "do_sample": True, "depth_decoder_do_sample": True},
            prepares={"add_special_tokens": True},
        ),
        Family(
            "Pocket TTS",
            "PocketTTSForConditionalGeneration",
            "PocketTTSProcessor",
            steps=("model",),
            rate="processor.feature_extractor.sampling_rate",
            ask=in_conversation,
            hear=from_latents,
            speakers=("user",),
            reference="must",
            codec="PocketTTSAudioTokenizerModel",
            arguments={"return_dict_in_generate": True},
        ),
        Family(
            "VibeVoice",
            "VibeVoiceForConditionalGeneration",
            "VibeVoiceProcessor",
            steps=("model.language_model",),
            rate="processor.feature_extractor.sampling_rate",
            ask=in_conversation,
            speakers=("0", "1", "2", "3"),
            reference="may",
            follows=True,
            frames=7.5,
            half=True,
        ),
        Family(
            "Dia",
            "DiaForConditionalGeneration",
            "DiaProcessor",
            steps=("model.decoder",),
            rate="processor.feature_extractor.sampling_rate",
            ask=with_transcript,
            hear=from_codes,
            speakers=("[S1] ", "[S2] "),
            follows=True,
            least=100,  # its card: less than five seconds sound unnatural
            codec="DacModel",
            half=True,
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
