"""A text being spoken, as the page hears it: stretches of sound in files of their own, then the whole in four formats.

The player in the page (assets/player.js) is given addresses and words, never samples: a value of gradio's would be
kept, compared and sent again as it grows.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import sound_file, subtitles
from pipelines.engine import Engine
from pipelines.events import Audio, Progress, Result, Sound
from pipelines.speech_request import SpeechRequest
from ui import files, states
from ui.wire import Failed, Moment, Stopped, watch

PEAKS_PER_S = 25  # bars of the waveform
TITLES = {"wav": "WAV", "flac": "FLAC", "srt": "Captions (SRT)", "vtt": "Captions (VTT)"}


class Reading:
    """One request on its way. `parts` and `downloads` are what the player is told."""

    def __init__(self, request: SpeechRequest) -> None:
        self.request = request
        self.id = secrets.token_urlsafe(9)
        self.parts: list[dict[str, Any]] = []
        self.downloads: list[dict[str, str]] = []
        self.seconds = 0.0
        self._began: float | None = None  # when the first piece was begun: waiting and loading are not speaking
        self._first: float | None = None
        self._progress = Progress(label="Speaking")

    async def play(self, engine: Engine, user: str, shelf: Path) -> AsyncGenerator[str, None]:
        """Speak, and yield the status line after each change. Files go into a folder of this run's on the shelf."""
        folder = shelf / self.id
        await asyncio.to_thread(folder.mkdir)
        async with aclosing(watch(engine, self.request, user)) as batches:
            async for batch in batches:
                line = None
                for moment in batch:
                    line = await asyncio.to_thread(self._take, moment, folder) or line
                if line is not None:
                    yield line

    def _take(self, moment: Moment, folder: Path) -> str | None:
        match moment:
            case Progress(label="Speaking"):
                self._progress = moment
                self._began = self._began or time.monotonic()
                return states.speaking(moment, self.seconds)
            case Sound():
                self._add(moment, folder)
                return states.speaking(self._progress, self.seconds)
            case Result(artifact=artifact):
                assert isinstance(artifact, Audio)
                self.downloads = _written(artifact, moment, folder)
                return states.done(self._summary())
            case Failed(message=message):
                return states.failed(message)
            case Stopped():
                return states.stopped()
            case _:
                return states.of(moment)

    def _add(self, sound: Sound, folder: Path) -> None:
        if self._first is None:
            self._first = self._took()
        path = folder / f"{len(self.parts)}.pcm"
        path.write_bytes(sound.samples.astype("<i2").tobytes())
        caption = sound.caption
        self.parts.append(
            {
                "src": files.address(path),
                "start": self.seconds,
                "seconds": len(sound.samples) / sound.rate,
                "rate": sound.rate,
                "text": caption.text if caption else "",
                "speaker": caption.speaker if caption else "",
                "peaks": _peaks(sound),
            }
        )
        self.seconds += len(sound.samples) / sound.rate

    def _summary(self) -> str:
        took, first = states.duration(self._took()), states.duration(self._first or 0)
        return f"{states.duration(self.seconds)} of speech in {took}, the first sound after {first}"

    def _took(self) -> float:
        return 0.0 if self._began is None else time.monotonic() - self._began


def _peaks(sound: Sound) -> list[int]:
    """How loud it is, 0 to 100, a number for each bar of the waveform."""
    each = sound.rate // PEAKS_PER_S
    loud = np.abs(sound.samples.astype(np.int32))
    padded = np.pad(loud, (0, -len(loud) % each)).reshape(-1, each)
    return [int(peak) for peak in np.sqrt(padded.max(axis=1) / 32768) * 100]


def _written(audio: Audio, result: Result, folder: Path) -> list[dict[str, str]]:
    """The finished sound and its captions as files to download."""
    contents = {
        "wav": sound_file.sound(audio, result.recipe, "wav"),
        "flac": sound_file.sound(audio, result.recipe, "flac"),
        "srt": subtitles.srt(audio.captions).encode(),
        "vtt": subtitles.vtt(audio.captions).encode(),
    }
    for kind, content in contents.items():
        (folder / f"polymuse-speech.{kind}").write_bytes(content)
    return [
        {"href": files.address(folder / f"polymuse-speech.{kind}"), "name": f"polymuse-speech.{kind}", "title": title}
        for kind, title in TITLES.items()
    ]


@dataclass
class Studio(files.Keeper):
    """One visitor's place in the speech tab: what is being spoken, or what was, until the next."""

    reading: Reading | None = None
    speaking: bool = False
    line: str = field(default_factory=states.idle)

    def begin(self, request: SpeechRequest) -> None:
        """Something is going to be spoken; what was before is gone."""
        self.forget()
        self.reading, self.speaking, self.line = Reading(request), True, states.loading("Starting")

    def shown(self) -> dict[str, Any]:
        """What the player is told. A `live` one begins to play by itself, a stopped one is silent."""
        if self.reading is None:
            return {"run": "", "state": "empty", "parts": [], "downloads": []}
        state = "live" if self.speaking else "over" if self.reading.downloads else "stopped"
        reading = self.reading
        return {"run": reading.id, "state": state, "parts": [*reading.parts], "downloads": [*reading.downloads]}
