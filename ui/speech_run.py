"""A text being spoken, as the page hears it: stretch by stretch, then the whole in four formats."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import sound_file, subtitles
from pipelines.engine import Engine
from pipelines.events import Audio, Caption, Progress, Recipe, Result, Sound
from pipelines.spec import Request
from ui import files, states
from ui.place import Place
from ui.player import Track
from ui.wire import Failed, Moment, Stopped, watch

NAME = "polymuse-speech"
TITLES = {"wav": "WAV", "flac": "FLAC", "srt": "Captions (SRT)", "vtt": "Captions (VTT)"}


class Reading:
    """One request on its way, and the track that the player is told of."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.found: Mapping[str, Any] = {}  # settings that the model chose
        self.id = secrets.token_urlsafe(9)
        self.track = Track()
        self.finished = False
        self._captions: list[Caption] = []
        self._folder: Path | None = None
        self._began: float | None = None  # when the first piece was begun: waiting and loading are not speaking
        self._first: float | None = None
        self._progress = Progress(label="Speaking")

    async def play(self, engine: Engine, user: str, shelf: Path) -> AsyncGenerator[str, None]:
        """Speak, and yield the status line after each change. Files go into a folder of this run's on the shelf."""
        self._folder = folder = shelf / self.id
        await asyncio.to_thread(folder.mkdir)
        async with aclosing(watch(engine, self.request, user)) as batches:
            async for batch in batches:
                line = None
                for moment in batch:
                    line = await asyncio.to_thread(self._take, moment, folder) or line
                if line is not None:
                    yield line

    def keep(self) -> None:
        """Make files of what was said of a text that was stopped."""
        if self._folder is None or not self.track.parts or self.finished:
            return
        sound = self.track.joined(self._folder)
        recipe = files.unfinished(self.request)
        self._offer(self._folder, Audio(sound.samples, sound.rate, tuple(self._captions)), recipe)

    def forget(self) -> None:
        """Remove its files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _take(self, moment: Moment, folder: Path) -> str | None:
        match moment:
            case Progress(label="Speaking"):
                self._progress = moment
                self._began = self._began or time.monotonic()
                return states.speaking(moment, self.track.seconds)
            case Sound():
                self._add(moment, folder)
                return states.speaking(self._progress, self.track.seconds)
            case Result(artifact=artifact):
                assert isinstance(artifact, Audio)
                self.found = artifact.settings
                self._offer(folder, artifact, moment.recipe)
                self.finished = True
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
        said = sound.caption or Caption(0, 0, "")
        if sound.caption is not None:
            self._captions.append(said)
        self.track.add(sound, folder, text=said.text, speaker=said.speaker, phonemes=said.phonemes)

    def _offer(self, folder: Path, audio: Audio, recipe: Recipe) -> None:
        """The sound and its captions as files to download."""
        contents = {
            "wav": sound_file.sound(audio, recipe, "wav"),
            "flac": sound_file.sound(audio, recipe, "flac"),
            "srt": subtitles.srt(audio.captions).encode(),
            "vtt": subtitles.vtt(audio.captions, recipe).encode(),
        }
        self.track.offer(folder, NAME, contents, TITLES)

    def _summary(self) -> str:
        took, first = states.duration(self._took()), states.duration(self._first or 0)
        return f"{states.duration(self.track.seconds)} of speech in {took}, the first sound after {first}"

    def _took(self) -> float:
        return 0.0 if self._began is None else time.monotonic() - self._began


@dataclass
class Studio(Place[Reading]):
    """One visitor's place in the speech tab. What has been spoken stays until something of the next can be heard."""

    text: str = ""  # that was last to be spoken, as it was written

    @property
    def reading(self) -> Reading | None:
        """What is being spoken, or was."""
        return self.run

    def stays(self, run: Reading) -> bool:
        return bool(run.track.parts)

    def begin(self, request: Request) -> None:
        """Something is going to be spoken."""
        if self.reading is not None:
            self.reading.found = {}  # told once, also where it comes back
        self.work_on(Reading(request))

    def stop(self) -> None:
        """Nothing more comes; what there is is kept."""
        self.halt(states.stopped())
        if self.reading is not None:
            self.reading.keep()
            self.line = states.stopped("what was said is kept" if self.reading.track.downloads else "")
        self.end()

    def shown(self) -> dict[str, Any]:
        """What the player is told. A `live` one begins to play by itself, a stopped one is silent."""
        if self.reading is None:
            return Track().shown("", "empty")
        state = "live" if self.busy else "over" if self.reading.finished else "stopped"
        return self.reading.track.shown(self.reading.id, state)
