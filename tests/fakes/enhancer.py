"""A scripted enhancer: the recording at half its level, in a few steps, as fast as it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from pipelines import sound_in
from pipelines.enhance_request import BUILT_IN, EnhanceRequest
from pipelines.events import Emit, Enhanced, Preview, Progress, Sound
from pipelines.sound_in import RATE
from pipelines.spec import ModelSpec
from tests.pipelines.fakes import say, spec

Enhances = Callable[[EnhanceRequest, Emit], Enhanced]
STEPS = 3


@dataclass(frozen=True)
class Enhancer:
    """A pipeline that does what its script says."""

    enhances: Enhances

    def run(self, request: EnhanceRequest, emit: Emit) -> Enhanced:
        return self.enhances(request, emit)


def enhancer(enhances: Enhances, **facts: Any) -> ModelSpec[Any]:
    """The spec of a scripted enhancer, by the name of the real one."""
    load = lambda device, path: Enhancer(enhances)  # noqa: E731
    kind = {"modality": "enhance", "family": "autoregressive", "request": EnhanceRequest}
    return spec(BUILT_IN, say(), load=load, **(kind | facts))


def enhance() -> Enhances:
    """A script that turns a recording down by half."""

    def script(request: EnhanceRequest, emit: Emit) -> Enhanced:
        assert request.audio is not None
        recording = sound_in.read(request.audio, seconds=request.seconds or sound_in.MOST_SECONDS)
        before = np.round(recording.samples * 32767).astype(np.int16)
        before = before[:, 0] if before.shape[1] == 1 else before
        for step in range(STEPS):
            emit(Progress(step, STEPS, "Removing noise"))
            emit(Preview(sheet(step), step + 1, STEPS, sheet(9)))
        samples = before // 2
        emit(Sound(samples, RATE))
        pictures = {"before": sheet(9), "after": sheet(STEPS), "mask": sheet(5)}
        return Enhanced(samples, RATE, before, -30.0, -16.02, -1.5, pictures, ("It was clipped <b>.",), {"bass": 1.0})

    return script


def sheet(number: int) -> Image.Image:
    return Image.new("RGB", (20, 10), (20 * number, 0, 40))
