"""A scripted speech model: a tone for each sentence, as fast as they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.events import Audio, Caption, Emit, Progress, Sound
from pipelines.spec import ModelSpec
from pipelines.speech_request import BUILT_IN, MOST_CHARACTERS, SpeechRequest
from tests.pipelines.fakes import say, spec

Speaks = Callable[[SpeechRequest, Emit], Audio]
RATE = 24_000


@dataclass(frozen=True)
class Speaker:
    """A pipeline that does what its script says."""

    speaks: Speaks

    def run(self, request: SpeechRequest, emit: Emit) -> Audio:
        return self.speaks(request, emit)


def speaker(speaks: Speaks, name: str = BUILT_IN, family: str = "gan", **limits: int) -> ModelSpec[Any]:
    """The spec of a scripted speech model, by the name of the real one unless it is told another."""
    load = lambda device, path: Speaker(speaks)  # noqa: E731
    kind: dict[str, Any] = {"request": SpeechRequest, "modality": "speech", "family": family, "load": load}
    return spec(name, say(), limits={"characters": MOST_CHARACTERS, **limits}, **kind)


def speak(seconds: float = 0.2) -> Speaks:
    """A script that makes so many seconds of tone for each sentence."""

    def script(request: SpeechRequest, emit: Emit) -> Audio:
        sentences = [text.strip() + "." for text in request.text.split(".") if text.strip()]
        captions, parts = [], []
        for number, text in enumerate(sentences):
            emit(Progress(number, len(sentences), "Speaking"))
            captions.append(Caption(number * seconds, (number + 1) * seconds, text))
            parts.append(tone(seconds))
            emit(Sound(parts[-1], RATE, captions[-1]))
        return Audio(np.concatenate(parts), RATE, tuple(captions))

    return script


def tone(seconds: float) -> np.ndarray[Any, np.dtype[np.int16]]:
    return (np.sin(np.arange(round(seconds * RATE)) / 9) * 9_000).astype(np.int16)
