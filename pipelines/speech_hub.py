"""Speech with models of the hub, through their own classes in transformers: piece by piece, a step at a time.

These classes make a whole piece in one call. Hooks on their parts make each step of it one of ours: there the run can
be cancelled and others have their turn. Random numbers are torch's own, one state for all threads, so each step puts
back what others left of it: the same seed gives the same bytes, alone or in company.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from pipelines import speech_text
from pipelines.device import Device
from pipelines.errors import BadRequest
from pipelines.events import Audio, Caption, Emit, Progress, Sound
from pipelines.speech_families import Family, family_of
from pipelines.speech_joins import Tape, pcm, trimmed
from pipelines.speech_request import SpeechRequest

MOST_S = 0.2  # of sound for a character, but for rare texts


class HubSpeech:
    """A loaded model of a family."""

    def __init__(self, family: Family, model: Any, processor: Any) -> None:
        self._family = family
        self._model = model
        self._processor = processor
        self.rate = int(reduce(getattr, family.rate.split("."), model))

    def run(self, request: SpeechRequest, emit: Emit) -> Audio:
        """Speak. Emits one Sound for each piece of the text; joined they are the result."""
        self._refuse(request)
        pieces = speech_text.pieces(request.text, request.language or "en-us")
        tape = Tape(int(len(request.text) * MOST_S / request.speed * self.rate))
        captions: list[Caption] = []
        for number, piece in enumerate(pieces):
            emit(Progress(number, len(pieces), "Speaking"))
            with self._stepping(emit, Progress(number, len(pieces), "Speaking")):
                torch.manual_seed(request.seed + number)
                sound = trimmed(self._say(piece.text, request.speed), self.rate)
            if not len(sound):
                continue
            start = tape.length
            samples = tape.add(pcm(sound, self.rate, piece.pause / request.speed))
            captions.append(Caption(start / self.rate, (start + len(sound)) / self.rate, piece.text))
            emit(Sound(samples, self.rate, captions[-1]))
        if not captions:
            raise BadRequest("This model made no sound of this text. Write words in the language that it speaks.")
        return Audio(tape.samples, self.rate, tuple(captions))

    def _refuse(self, request: SpeechRequest) -> None:
        if request.speakers or request.voice_b:
            raise BadRequest(f"{self._family.title} models have a voice of their own. Choose the built-in model.")
        if request.speed != 1 and not self._family.speed:
            raise BadRequest(f"{self._family.title} models have a speed of their own. Leave it at 1.")

    @contextmanager
    def _stepping(self, emit: Emit, progress: Progress) -> Iterator[None]:
        """Inside, each call of the model's parts is a step of the run."""
        devices = [self._model.device] if self._model.device.type == "cuda" else []

        def step(*_: Any) -> None:
            with torch.random.fork_rng(devices):
                emit(progress)

        hooks = [getattr(self._model, name).register_forward_pre_hook(step) for name in self._family.steps]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    @torch.inference_mode()
    def _say(self, text: str, speed: float) -> NDArray[np.float32]:
        family = self._family
        inputs = self._processor(text=family.prefix + text, return_tensors="pt", **family.prepares)
        if not inputs["input_ids"].numel():
            return np.zeros(0, np.float32)
        told = {family.speed: speed} if family.speed else {}
        answer = getattr(self._model, family.call)(**inputs.to(self._model.device), **family.arguments, **told)
        sound = getattr(answer, family.waveform) if family.waveform else answer
        return np.asarray(sound[0].float().cpu().numpy(), np.float32).ravel()


def load(device: Device, path: Path) -> HubSpeech:
    """The model in a folder of transformers' layout, onto the device."""
    family = family_of(path)
    model_class, processor_class = getattr(transformers, family.model), getattr(transformers, family.processor)
    dtype = device.dtype() if family.half else torch.float32
    model = model_class.from_pretrained(path, dtype=dtype, use_safetensors=True, local_files_only=True)
    processor = processor_class.from_pretrained(path, local_files_only=True)
    return HubSpeech(family, model.to(device.kind).eval(), processor)
