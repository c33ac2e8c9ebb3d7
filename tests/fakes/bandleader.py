"""A scripted music model: a scale in two voices with a tone for each bar, as fast as it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.events import Audio, Emit, Music, Notes, Progress, Sound
from pipelines.music_request import BUILT_IN, MusicRequest
from pipelines.music_score import TICKS, Head, Note, Score
from pipelines.spec import ModelSpec
from tests.pipelines.fakes import say, spec

Composes = Callable[[MusicRequest, Emit], Music | Audio]
RATE = 48_000
HEAD = Head("air", 9, "minor", (4, 4), 240, (73, 68))
BARS = 3


@dataclass(frozen=True)
class Bandleader:
    """A pipeline that does what its script says."""

    composes: Composes

    def run(self, request: MusicRequest, emit: Emit) -> Music | Audio:
        return self.composes(request, emit)


def bandleader(composes: Composes, **facts: Any) -> ModelSpec[Any]:
    """The spec of a scripted music model, by the name of the real one."""
    load = lambda device, path: Bandleader(composes)  # noqa: E731
    return spec(BUILT_IN, say(), request=MusicRequest, modality="music", load=load, **facts)


def compose() -> Callable[[MusicRequest, Emit], Music]:
    """A script that writes four beats for each bar."""

    def script(request: MusicRequest, emit: Emit) -> Music:
        emit(Progress(label="Reading the prompt"))
        emit(Notes((), HEAD, 0, BARS))
        notes, parts = [], []
        for bar in range(BARS):
            for beat in range(4 * bar, 4 * bar + 4):
                notes.append(beats(beat))
                emit(Notes(notes[-1], HEAD, bar, BARS))
            parts.append(tone(HEAD.seconds(HEAD.bar)))
            emit(Sound(parts[-1], RATE))
        settings = {
            "style": "air",
            "key": HEAD.key,
            "tempo": 240,
            "bars": BARS,
            "instruments": ["Flute", "Nylon Guitar"],
        }
        score = Score(HEAD, tuple(note for together in notes for note in together))
        return Music(score, np.concatenate(parts), RATE, settings)

    return script


def beats(beat: int) -> tuple[Note, Note]:
    """The notes of one beat."""
    return Note(beat * TICKS, 0, 69 + beat, TICKS), Note(beat * TICKS, 1, 57 + beat, TICKS)


def tone(seconds: float) -> np.ndarray[Any, np.dtype[np.int16]]:
    wave = (np.sin(np.arange(round(seconds * RATE)) / 18) * 9_000).astype(np.int16)
    return np.stack([wave, -wave], axis=1)
