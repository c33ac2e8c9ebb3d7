"""A recording being made clean, as the page sees and hears it: pictures meanwhile, then before and after in one file.

Before and after lie side by side in the channels of one file, so that the player switches between them to the sample
(assets/enhance.js). What is downloaded are files of their own, which carry the recipe.
"""

from __future__ import annotations

import asyncio
import io
import secrets
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import sound_file
from pipelines.engine import Engine
from pipelines.enhance_request import READING, EnhanceRequest
from pipelines.events import Audio, Enhanced, Preview, Progress, Result, Sound
from ui import files, states
from ui.place import Place
from ui.wire import Failed, Moment, Stopped, data_uri, watch

TITLES: dict[sound_file.Format, str] = {"wav": "WAV", "flac": "FLAC"}
EMPTY: dict[str, Any] = {"run": "", "state": "empty", "pictures": {}, "facts": [], "downloads": []}


class Cleaning:
    """One request on its way. `shown` is what the player is told of it."""

    def __init__(self, request: EnhanceRequest) -> None:
        self.shown: dict[str, Any] = EMPTY | {"run": secrets.token_urlsafe(9)}
        self._request: EnhanceRequest | None = request
        self._folder: Path | None = None
        self._began: float | None = None  # waiting and loading are not work

    async def play(self, engine: Engine, user: str, shelf: Path) -> AsyncGenerator[str, None]:
        """Make it clean, and yield the status line after each change. Files go into a folder on the shelf."""
        request, self._request = self._request, None  # a session that is over need not hold its recording
        assert request is not None
        self._folder = folder = shelf / self.shown["run"]
        await asyncio.to_thread(folder.mkdir)
        async with aclosing(watch(engine, request, user)) as batches:
            async for batch in batches:
                line = None
                for moment in _latest(batch):
                    line = await asyncio.to_thread(self._take, moment, folder) or line
                if line is not None:
                    yield line

    def forget(self) -> None:
        """Remove its files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _take(self, moment: Moment, folder: Path) -> str | None:
        match moment:
            case Preview(image=image, noisy=noisy, step=step, total=total):
                pictures = {"after": data_uri(image)}
                if noisy is not None:
                    pictures["before"] = data_uri(noisy)
                self.shown = self.shown | {"pictures": pictures}
                return states.working(Progress(step, total, "Removing noise"))
            case Result(artifact=artifact):
                assert isinstance(artifact, Enhanced)
                self.shown = self.shown | _written(artifact, moment, folder)
                return states.done(self._summary(artifact))
            case Failed(message=message):
                return states.failed(message)
            case Stopped():
                return states.stopped()
            case Sound():
                return None
            case Progress(label=label) if label == READING:
                self._began = self._began or time.monotonic()  # a heartbeat says it again
                return states.of(moment)
            case _:
                return states.of(moment)

    def _summary(self, made: Enhanced) -> str:
        took = time.monotonic() - (self._began or time.monotonic())
        return f"{states.duration(len(made.samples) / made.rate)} of sound in {states.duration(took)}"


def _latest(batch: list[Moment]) -> list[Moment]:
    """The batch without the previews that are out of date already."""
    last = max((number for number, one in enumerate(batch) if isinstance(one, Preview)), default=-1)
    return [one for number, one in enumerate(batch) if number == last or not isinstance(one, Preview)]


def _written(made: Enhanced, result: Result, folder: Path) -> dict[str, Any]:
    """What the player is told of a finished recording, once its files are written."""
    both = folder / "both.flac"
    both.write_bytes(_side_by_side(made))
    for name, image in made.pictures.items():
        image.save(folder / f"{name}.png")
    audio = Audio(made.samples, made.rate)
    for kind in TITLES:
        path = folder / f"polymuse-enhanced.{kind}"
        path.write_bytes(sound_file.sound(audio, result.recipe, kind, sound_file.ENHANCED_BY_AI))
    return {
        "sound": files.address(both),
        "channels": 1 if made.samples.ndim == 1 else 2,
        "seconds": len(made.samples) / made.rate,
        "pictures": {name: files.address(folder / f"{name}.png") for name in made.pictures},
        "facts": _facts(made),
        "downloads": [
            {"href": files.address(folder / f"polymuse-enhanced.{kind}"), "name": f"polymuse-enhanced.{kind}"}
            | {"title": title}
            for kind, title in TITLES.items()
        ],
    }


def _side_by_side(made: Enhanced) -> bytes:
    """Before and after as one FLAC file: the channels of the one, then those of the other."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.column_stack([made.before, made.samples]), made.rate, "PCM_16", format="FLAC")
    return buffer.getvalue()


def _facts(made: Enhanced) -> list[str]:
    """What was measured, and what has to be said."""
    return [
        f"Loudness {_signed(made.was)} to {_signed(made.loudness)} LUFS",
        f"Peaks at {_signed(made.peak)} dB; before and after are played equally loud",
        *made.remarks,
    ]


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


@dataclass
class Booth(Place[Cleaning]):
    """One visitor's place in the enhance tab. What can be heard stays until the next can be."""

    @property
    def cleaning(self) -> Cleaning | None:
        """What is being made clean, or was."""
        return self.run

    def stays(self, run: Cleaning) -> bool:
        return bool(run.shown["downloads"])

    def begin(self, request: EnhanceRequest) -> None:
        """Something is going to be made clean."""
        self.work_on(Cleaning(request))

    def shown(self) -> dict[str, Any]:
        """What the player is told."""
        if self.cleaning is None:
            return EMPTY
        told = self.cleaning.shown
        return told | {"state": "live" if self.busy else "over" if told["downloads"] else "stopped"}
