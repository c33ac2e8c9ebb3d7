"""Speech with models of the hub, through their own classes in transformers: piece by piece, a step at a time.

These classes make a whole piece in one call. Hooks on their parts make each step of it one of ours: there the run can
be cancelled and others have their turn. Random numbers are torch's own, one state for all threads, so each step puts
back what others left of it: the same seed gives the same bytes, alone or in company.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import transformers

from pipelines import sound_in, speech_text
from pipelines.device import Device
from pipelines.errors import BadRequest, BadWeights
from pipelines.events import Audio, Caption, Emit, Progress, Sound
from pipelines.speech_families import Family, family_of
from pipelines.speech_joins import Tape, pcm, trimmed
from pipelines.speech_prompts import Floats, Line, Voice
from pipelines.speech_request import LEAST_REFERENCE_S, MOST_REFERENCE_S, SpeechRequest

MOST_S = 0.2  # of sound for a character, but for rare texts


class HubSpeech:
    """A loaded model of a family."""

    def __init__(self, family: Family, model: Any, processor: Any) -> None:
        self._family = family
        self._model = model
        self._processor = processor
        self.rate = int(reduce(getattr, family.rate.split("."), SimpleNamespace(model=model, processor=processor)))

    def run(self, request: SpeechRequest, emit: Emit) -> Audio:
        """Speak. Emits one Sound for each piece of the text; joined they are the result."""
        self._refuse(request)
        names = [speaker.name for speaker in request.speakers]
        pieces = speech_text.pieces(request.text, request.language or "en-us", names)
        pieces = speech_text.longer(pieces, self._family.least)
        voices = self._voices(request, next((piece.speaker for piece in pieces), ""))
        marks = self._marks(names)
        tape = Tape(int(len(request.text) * MOST_S / request.speed * self.rate))
        captions: list[Caption] = []
        for number, piece in enumerate(pieces):
            emit(Progress(number, len(pieces), "Speaking"))
            line = Line(piece.text, marks[piece.speaker], voices.get(piece.speaker))
            with self._stepping(emit, Progress(number, len(pieces), "Speaking")):
                torch.manual_seed(request.seed + number)
                sound = trimmed(self._say(line, request.speed), self.rate)
            if not len(sound):
                continue
            if self._family.follows:
                voices.setdefault(piece.speaker, Voice(sound, piece.text))
            start = tape.length
            samples = tape.add(pcm(sound, self.rate, piece.pause / request.speed))
            captions.append(Caption(start / self.rate, (start + len(sound)) / self.rate, piece.text, piece.speaker))
            emit(Sound(samples, self.rate, captions[-1]))
        if not captions:
            raise BadRequest("This model made no sound of this text. Write words in the language that it speaks.")
        return Audio(tape.samples, self.rate, tuple(captions))

    def _refuse(self, request: SpeechRequest) -> None:
        title, most = self._family.title, len(self._family.speakers)
        if request.voice_b or (request.speakers and most == 1):
            raise BadRequest(f"{title} models have a voice of their own. Choose the built-in model.")
        if len(request.speakers) > most:
            raise BadRequest(f"{title} models tell {most} speakers apart; this script has {len(request.speakers)}.")
        if request.speed != 1 and not self._family.speed:
            raise BadRequest(f"{title} models have a speed of their own. Leave it at 1.")
        if request.reference is not None and self._family.reference == "no":
            raise BadRequest(f"{title} models cannot speak in the voice of a recording. Leave it out.")
        if request.reference is None and self._family.reference == "must":
            raise BadRequest(f"{title} models speak in the voice of a recording. Add one, and agree.")

    def _voices(self, request: SpeechRequest, speaker: str) -> dict[str, Voice]:
        """How a speaker sounds, as far as that is known: who comes first has the voice of the recording."""
        if request.reference is None:
            return {}
        samples = sound_in.read_speech(request.reference, "reference", LEAST_REFERENCE_S, MOST_REFERENCE_S).samples
        heard = sound_in.resampled(samples.mean(axis=1, keepdims=True), sound_in.RATE, self.rate)
        return {speaker: Voice(np.ascontiguousarray(heard[:, 0]))}

    def _marks(self, names: list[str]) -> dict[str, str]:
        """How the model knows each speaker; lines before the first name are the first one's."""
        return {"": self._family.speakers[0]} | dict(zip(names, self._family.speakers, strict=False))

    @contextmanager
    def _stepping(self, emit: Emit, progress: Progress) -> Iterator[None]:
        """Inside, each call of the model's parts is a step of the run."""
        devices = [self._model.device] if self._model.device.type == "cuda" else []

        def step(*_: Any) -> None:
            with torch.random.fork_rng(devices):
                emit(progress)

        hooks = [self._model.get_submodule(name).register_forward_pre_hook(step) for name in self._family.steps]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    @torch.inference_mode()
    def _say(self, line: Line, speed: float) -> Floats:
        family = self._family
        given = family.ask(self._processor, line, family.prepares)
        if not given["input_ids"].numel():
            return np.zeros(0, np.float32)
        told: dict[str, Any] = {family.speed: speed} if family.speed else {}
        if family.frames:
            told["max_new_tokens"] = int((1 + len(line.text) * MOST_S) * family.frames)
        given = given.to(self._model.device)
        floats = {name: value.to(self._model.dtype) for name, value in given.items() if value.is_floating_point()}
        answer = getattr(self._model, family.call)(**{**given, **floats}, **family.arguments, **told)
        sound = family.hear(self._processor, given, answer)
        return (
            np.zeros(0, np.float32) if sound is None else np.asarray(sound.float().cpu().numpy(), np.float32).ravel()
        )


def load(device: Device, path: Path) -> HubSpeech:
    """The model in a folder of transformers' layout, or in the folder `model` with its codec beside it."""
    folder = path / "model" if (path / "model").is_dir() else path
    family = family_of(folder)
    model_class, processor_class = getattr(transformers, family.model), getattr(transformers, family.processor)
    dtype = device.dtype() if family.half else torch.float32
    model = model_class.from_pretrained(folder, dtype=dtype, use_safetensors=True, local_files_only=True)
    if not family.codec:
        processor = processor_class.from_pretrained(folder, local_files_only=True)
    elif (path / "codec").is_dir():
        processor = _with_codec(processor_class, family.codec, folder, path / "codec")
        processor.audio_tokenizer.to(device.kind).eval()
    else:
        raise BadWeights(f"{family.title} models need a codec beside them. Name it as “codec” in the catalog.")
    return HubSpeech(family, model.to(device.kind).eval(), processor)


def _with_codec(processor_class: Any, codec_class: str, folder: Path, codec: Path) -> Any:
    """The processor, whose files name a codec on the hub, with the one that is here."""
    with TemporaryDirectory() as work:
        for file in folder.iterdir():
            if file.is_file() and file.suffix != ".safetensors" and file.name != "audio_tokenizer_config.json":
                shutil.copy(file, work)
        config = Path(work, "processor_config.json")
        facts = json.loads(config.read_text("utf-8")) if config.exists() else {}
        facts["audio_tokenizer"] = {
            "audio_tokenizer_class": codec_class,
            "audio_tokenizer_name_or_path": str(codec),
        }
        config.write_text(json.dumps(facts), "utf-8")
        return processor_class.from_pretrained(work, local_files_only=True)
