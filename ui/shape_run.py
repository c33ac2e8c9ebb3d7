"""A thing being made, as the page sees it: from all sides while it denoises, then as a mesh and its files."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.engine import Engine
from pipelines.errors import PolymuseError
from pipelines.events import Frames, Progress, Result, Solid
from pipelines.shape_request import ShapeRequest
from ui import shape_view, states
from ui.place import Place
from ui.shape_view import Seen, Still
from ui.shape_work import Thing
from ui.wire import Failed, Moment, Stopped, data_uri, watch

STILLS = 8  # of the film
LONG_S = 20.0  # what takes longer says so at its start

View = Literal["surface", "points"]


class Paces:
    """How long a step took each model when it was last used, so that a long job can say at its start how long."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def learn(self, model: str, seconds: float) -> None:
        """A step of this model took so long."""
        self._seconds[model] = seconds

    def expect(self, model: str, steps: int) -> float | None:
        """How long so many steps should take, in seconds; None while nothing is known."""
        return self._seconds[model] * steps if model in self._seconds and steps else None


class Making:
    """One request on its way."""

    def __init__(self, request: ShapeRequest, paces: Paces) -> None:
        self.prompt, self.detail, self.smoothing = request.prompt, request.detail, request.smoothing
        self.seed = request.seed
        self.seen: Seen | None = None
        self.film: list[Still] = []
        self.thing: Thing | None = None
        self._request: ShapeRequest | None = request
        self._model = request.model
        self._paces = paces
        self._folder: Path | None = None
        self._began: tuple[float, int] | None = None  # when the first step was over: loading is not making
        self._started = time.monotonic()

    def first_line(self, steps: int) -> str:
        """What stands there until something is known: how long it should take, where that is long."""
        expected = self._paces.expect(self._model, steps)
        if expected is None or expected < LONG_S:
            return states.loading("Starting")
        return states.loading(f"Starting; {steps} steps should take about {states.duration(expected)}")

    async def play(self, engine: Engine, user: str, shelf: Path) -> AsyncGenerator[str, None]:
        """Make it, and yield the status line after each change. Files go into a folder on the shelf."""
        request, self._request = self._request, None  # a session that is over need not hold its picture
        assert request is not None
        self._folder = folder = shelf / secrets.token_urlsafe(9)
        await asyncio.to_thread(folder.mkdir)
        async with aclosing(watch(engine, request, user)) as batches:
            async for batch in batches:
                line = None
                for moment in batch:
                    if isinstance(moment, Result):
                        yield states.loading("Making the mesh")
                    line = await asyncio.to_thread(self._take, moment, folder) or line
                if line is not None:
                    yield line

    def forget(self) -> None:
        """Remove its files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _take(self, moment: Moment, folder: Path) -> str | None:
        match moment:
            case Frames(images=images, step=step, total=total):
                self.seen = Seen(tuple(data_uri(image) for image in images), step, total)
                self._keep_still(step, total)
                return self._stepped(Progress(step, total, "Shaping"))
            case Progress(done=done, total=total, unit="steps") if done and total > 1:
                return self._stepped(moment)
            case Result(artifact=artifact, recipe=recipe):
                assert isinstance(artifact, Solid)
                try:
                    self.thing = Thing(folder, artifact, recipe)
                except PolymuseError as error:  # a grid without a surface
                    return states.failed(str(error))
                took = states.duration(time.monotonic() - self._started)
                return states.done(f"{self.thing.meshed.triangles:,} triangles in {took}")
            case Failed(message=message):
                return states.failed(message)
            case Stopped():
                return states.stopped()
            case _:
                self._started = time.monotonic()  # waiting and loading are not making
                return states.of(moment)

    def _stepped(self, event: Progress) -> str:
        """The line after a step, with how long the rest takes, once that can be said."""
        now = time.monotonic()
        if self._began is None or event.done <= self._began[1]:
            self._began = now, event.done
            return states.working(event)
        pace = (now - self._began[0]) / (event.done - self._began[1])
        self._paces.learn(self._model, pace)
        left = 5 * round(pace * (event.total - event.done) / 5)  # in round figures, or it would flicker
        return states.working(event, left if left > LONG_S / 2 else None)

    def _keep_still(self, step: int, total: int) -> None:
        """A film of at most so many stills, evenly over the steps."""
        assert self.seen is not None
        part = -(-step * STILLS // total)  # 1 to STILLS
        if not self.film or part > -(-self.film[-1].step * STILLS // total):
            self.film.append(Still(self.seen.pictures[0], step))


@dataclass
class Workshop(Place[Making]):
    """One visitor's place in the 3D tab. A thing that is finished stays until the next one is, or is stopped on its
    way."""

    prompt: str = ""  # that of what was last asked for
    view: View = "surface"

    @property
    def making(self) -> Making | None:
        """What is being made, or was."""
        return self.run

    def stays(self, run: Making) -> bool:
        return run.thing is not None or (run.seen is not None and not self.failed)

    @property
    def thing(self) -> Thing | None:
        """What is finished."""
        return self.making.thing if self.making is not None and not self.busy else None

    def begin(self, making: Making, steps: int) -> None:
        """Something is going to be made."""
        self.prompt = making.prompt
        self.work_on(making, making.first_line(steps))

    async def rework(self, label: str, work: Callable[[Thing], str]) -> AsyncGenerator[None, None]:
        """Have something made of the finished thing, without another run; yields whenever there is news.

        `work` returns what to say of it.
        """
        if (thing := self.thing) is None:
            yield
            return
        line, self.line = self.line, states.loading(label)  # the last line comes back if this is given up
        try:
            yield
            line = states.done(await asyncio.to_thread(work, thing))
        except PolymuseError as error:
            line = states.failed(str(error))
        except FileNotFoundError:  # its files went, since another thing was begun
            return
        finally:
            if self.thing is thing:
                self.line = line
        yield

    @property
    def model(self) -> str | None:
        """The file that the viewer shows."""
        if (thing := self.thing) is None:
            return None
        return str(thing.meshed.points if self.view == "points" else thing.meshed.file("glb"))

    @property
    def sheet(self) -> str:
        """What stands in the viewer's place, or under it."""
        if (making := self.making) is None or not (self.busy or making.seen or making.thing):
            return shape_view.empty()
        if self.thing is not None:
            return shape_view.finished(self.thing, making.film)
        return shape_view.unfinished(making.prompt, making.seen, making.film)
