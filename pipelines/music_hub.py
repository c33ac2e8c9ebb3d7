"""Music from open models of the hub: recorded sound rather than notes, through their libraries' own classes.

They know nothing of bars: a piece lasts as long as its bars in four would at its tempo. What a request says in fields
is put into words behind the prompt, which is all that most of them read.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import BadRequest, BadWeights
from pipelines.events import Audio, Emit, Progress, Sound
from pipelines.music_request import MusicRequest
from pipelines.music_styles import STYLES
from pipelines.spec import Pipeline

if TYPE_CHECKING:
    from pipelines.device import Device

BARS, TEMPO, BEATS = 8, 120, 4  # where nothing is said
LABEL = "Composing"


@dataclass(frozen=True)
class Family:
    """One of diffusers' audio pipelines: how long and with how many steps, and what else a call is given."""

    steps: int
    longest_s: float
    duration: str  # the argument that takes the seconds
    callback: str  # the argument that takes what is called after each step
    arguments: Callable[[MusicRequest], Mapping[str, Any]] = lambda request: {}


def _told(request: MusicRequest) -> dict[str, Any]:
    return {"bpm": request.tempo or None, "keyscale": request.key or None}


FAMILIES = {
    "StableAudioPipeline": Family(
        steps=100,
        longest_s=47.0,
        duration="audio_end_in_s",
        callback="callback",
        arguments=lambda request: {"negative_prompt": "low quality"},
    ),
    "AceStepPipeline": Family(
        steps=8, longest_s=240.0, duration="audio_duration", callback="callback_on_step_end", arguments=_told
    ),
}


class DiffusionMusic:
    """A loaded pipeline of diffusers. A run has a view of it with a scheduler of its own."""

    def __init__(self, pipe: Any, family: Family) -> None:
        self._pipe = pipe
        self._family = family

    def run(self, request: MusicRequest, emit: Emit) -> Audio:
        """Make the whole piece at once; a step is a step of taking noise away."""
        import torch

        family = self._family
        text, seconds = worded(request), length(request, family.longest_s)
        view = copy.copy(self._pipe)
        view.scheduler = type(view.scheduler).from_config(view.scheduler.config)
        done = 0

        def stepped(*told: Any) -> dict[str, Any]:
            nonlocal done
            done += 1
            emit(Progress(done, family.steps, LABEL))
            return {}

        emit(Progress(0, family.steps, LABEL))
        sound = view(
            prompt=text,
            num_inference_steps=family.steps,
            generator=torch.Generator("cpu").manual_seed(request.seed),
            **{family.duration: seconds, family.callback: stepped},
            **family.arguments(request),
        ).audios[0]
        samples, rate = pcm(sound), int(view.vae.config.sampling_rate)
        emit(Sound(samples, rate))
        return Audio(samples, rate)


def worded(request: MusicRequest) -> str:
    """The prompt, and what the fields say behind it. Raises BadRequest for what such models cannot do."""
    if request.melody is not None:
        raise BadRequest("This model cannot work with a melody. Choose Polymuse's own, or take the melody away.")
    said = [
        request.prompt.strip(),
        STYLES[request.style].title.lower() if request.style else "",
        " and ".join(request.instruments).lower(),
        f"in {request.key}" if request.key else "",
        f"in {request.metre} time" if request.metre else "",
        f"{request.tempo} bpm" if request.tempo else "",
    ]
    return ", ".join(part for part in said if part)


def length(request: MusicRequest, longest: float) -> float:
    """Seconds of the piece. Raises BadRequest where that is more than the model can."""
    seconds = (request.bars or BARS) * BEATS * 60 / (request.tempo or TEMPO)
    if seconds > longest:
        raise BadRequest(f"That would be {seconds:.0f} seconds; this model makes {longest:.0f}. Ask for fewer “bars”.")
    return seconds


def pcm(sound: Any) -> NDArray[np.int16]:
    """A waveform of shape (channels, n), a tensor, as 16-bit samples of shape (n, channels); louder than 1 is cut."""
    waves = sound.detach().float().cpu().numpy()
    samples: NDArray[np.int16] = np.round(np.clip(waves.T, -1, 1) * 32767).astype(np.int16)
    return samples


def load(device: Device, path: Path) -> Pipeline[MusicRequest]:
    """A model from a folder as save_pretrained leaves it; safetensors only. Raises BadWeights for an unknown kind."""
    index = path / "model_index.json"
    if not index.exists():
        from pipelines import music_codes

        return music_codes.load(device, path)
    import diffusers

    name = str(json.loads(index.read_text("utf-8")).get("_class_name"))
    if name not in FAMILIES:
        raise BadWeights(f"{name} is no music model that is known here; there are: {', '.join(FAMILIES)}.")
    pipe = getattr(diffusers, name).from_pretrained(
        path, dtype=device.dtype(), use_safetensors=True, local_files_only=True, trust_remote_code=False
    )
    pipe.set_progress_bar_config(disable=True)
    return DiffusionMusic(pipe.to(device.kind), FAMILIES[name])
