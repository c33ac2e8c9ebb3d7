"""A piece being composed, as the page sees and hears it: notes for the roll, sound for the player, then files."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines import music_instruments, music_midi, music_xml, sound_file
from pipelines.engine import Engine
from pipelines.events import Audio, Music, Notes, Progress, Recipe, Result, Sound
from pipelines.music_request import MusicRequest
from pipelines.music_score import TICKS, Head, Note, Score
from pipelines.music_styles import STYLES
from ui import files, states
from ui.place import Place
from ui.player import Track
from ui.wire import Failed, Moment, Stopped, watch

NAME = "polymuse-music"
TITLES = {"wav": "WAV", "flac": "FLAC", "mid": "MIDI", "musicxml": "MusicXML"}


class Composing:
    """One request on its way: what the roll and the player are told of it."""

    def __init__(self, request: MusicRequest) -> None:
        self.request = request
        self.seed = request.seed
        self.id = secrets.token_urlsafe(9)
        self.track = Track()
        self.head: Head | None = None
        self.bars = self.whole = 0  # those asked for, and those with the one that holds an upbeat
        self.notes: list[Note] = []
        self._batches: list[str] = []  # the notes as the page reads them, those of each update together
        self.finished = False
        self._folder: Path | None = None
        self._began: float | None = None  # when the first notes were: waiting and loading are not composing
        self._first: float | None = None

    async def play(self, engine: Engine, user: str, shelf: Path) -> AsyncGenerator[str, None]:
        """Compose, and yield the status line after each change. Files go into a folder of this run's on the shelf."""
        self._folder = folder = shelf / self.id
        await asyncio.to_thread(folder.mkdir)
        async with aclosing(watch(engine, self.request, user)) as batches:
            async for batch in batches:
                before = len(self.notes)
                line = None
                for moment in batch:
                    line = await asyncio.to_thread(self._take, moment, folder) or line
                if len(self.notes) > before:
                    self._batches.append(_packed(self.notes[before:]))
                if line is not None:
                    yield line

    def _take(self, moment: Moment, folder: Path) -> str | None:
        match moment:
            case Progress(label="Composing"):
                self._began = self._began or time.monotonic()
                return states.of(moment)
            case Notes(notes=notes, head=head, step=step, total=total):
                self._began = self._began or time.monotonic()
                self.bars, self.whole = self.bars if self.head else total, total
                self.head = head
                self.notes += notes
                return states.composing(step, total, len(self.notes))
            case Sound():
                self._first = self._took() if self._first is None else self._first
                self.track.add(moment, folder)
                return None
            case Result(artifact=made, recipe=recipe):
                assert isinstance(made, Music | Audio)  # the latter of a model that knows no notes
                score = made.score if isinstance(made, Music) else None
                self._offer(folder, Audio(made.samples, made.rate), recipe, score)
                self.finished = True
                return states.done(self._summary())
            case Failed(message=message):
                return states.failed(message)
            case Stopped():
                return states.stopped()
            case _:
                return states.of(moment)

    def keep(self) -> None:
        """Make files of what there is of a piece that was stopped."""
        if self._folder is None or not self.track.parts or self.finished:
            return
        sound = self.track.joined(self._folder)
        recipe = files.unfinished(self.request)
        score = Score(self.head, tuple(self.notes)) if self.head else None
        self._offer(self._folder, Audio(sound.samples, sound.rate), recipe, score)

    def forget(self) -> None:
        """Remove its files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _offer(self, folder: Path, audio: Audio, recipe: Recipe, score: Score | None = None) -> None:
        contents = {
            "wav": sound_file.sound(audio, recipe, "wav"),
            "flac": sound_file.sound(audio, recipe, "flac"),
        }
        if score is not None:
            contents |= {"mid": music_midi.midi(score, recipe), "musicxml": music_xml.musicxml(score, recipe)}
        self.track.offer(folder, NAME, contents, TITLES)

    def _summary(self) -> str:
        sound, took = states.duration(self.track.seconds), states.duration(self._took())
        first = states.duration(self._first or 0)
        notes = f"{len(self.notes)} notes, " if self.notes else ""
        return f"{notes}{sound} of music in {took}, the first sound after {first}"

    def _took(self) -> float:
        return 0.0 if self._began is None else time.monotonic() - self._began

    def shown(self, state: str) -> dict[str, Any]:
        """What the page is told: as the player is, and what is drawn on the roll."""
        told = self.track.shown(self.id, state) | {"notes": [*self._batches], "chosen": []}
        if self.head is None:
            return told
        head = self.head
        told["ticks"] = {"bar": head.bar, "second": head.tempo / 60 * TICKS, "end": self.whole * head.bar}
        told["voices"] = [music_instruments.NAMES[program] for program in head.instruments]
        told["chosen"] = [
            ["Style", STYLES[head.style].title],
            ["Key", head.key],
            ["Metre", self._metre],
            ["Tempo", f"{head.tempo}"],
            ["Bars", f"{self.bars}"],
        ]
        return told

    @property
    def _metre(self) -> str:
        return "" if self.head is None else "{}/{}".format(*self.head.metre)

    @property
    def settings(self) -> dict[str, Any]:
        """What was chosen, as values of the side column; empty while nothing is."""
        if self.head is None:
            return {}
        return {
            "style": self.head.style,
            "key": self.head.key,
            "metre": self._metre,
            "tempo": self.head.tempo,
            "bars": self.bars,
            "instruments": list(music_instruments.named(self.head.instruments)),
            "seed": self.request.seed,
        }


def _packed(notes: list[Note]) -> str:
    return ";".join(f"{note.start} {note.voice} {note.pitch} {note.length}" for note in notes)


@dataclass
class Studio(Place[Composing]):
    """One visitor's place in the music tab. What has been composed stays until something of the next can be heard."""

    @property
    def piece(self) -> Composing | None:
        """What is being composed, or was."""
        return self.run

    @property
    def state(self) -> Literal["empty", "live", "over", "stopped"]:
        """How far the piece is."""
        if self.piece is None:
            return "empty"
        return "live" if self.busy else "over" if self.piece.finished else "stopped"

    def stays(self, run: Composing) -> bool:
        return bool(run.track.parts)

    def begin(self, request: MusicRequest) -> None:
        """Something is going to be composed."""
        self.work_on(Composing(request))

    def stop(self) -> None:
        """Nothing more comes; what there is is kept."""
        self.halt(states.stopped())
        if self.piece is not None:
            self.piece.keep()
            self.line = states.stopped("what was composed is kept" if self.piece.track.downloads else "")
        self.end()

    def shown(self) -> dict[str, Any]:
        """What the page is told of it."""
        if self.piece is None:
            return Track().shown("", self.state) | {"notes": [], "chosen": []}
        return self.piece.shown(self.state)
