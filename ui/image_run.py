"""A plan being carried out, as the page sees it: pictures that come out of the noise one by one or side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.engine import Engine
from pipelines.events import Preview, Progress, Result
from pipelines.image_request import ImageRequest
from ui import image_film, states
from ui.image_plan import Plan
from ui.image_sheet import draw_sheet
from ui.image_work import Work, keep, keep_grid
from ui.wire import Failed, Moment, Stopped, data_uri, watch


@dataclass
class Shot:
    """One picture while it is drawn: its film so far, and the newest preview as data URIs."""

    step: int = 0
    total: int = 0
    film: list[image_film.Frame] = field(default_factory=list)
    latest: Preview | None = None
    clean: str = ""
    noisy: str = ""
    work: Work | None = None

    def see(self, preview: Preview, step: int, total: int) -> None:
        """Take the preview of a step of this picture."""
        self.step, self.total, self.latest = step, total, preview
        if image_film.wanted(step, total):
            self.film.append(image_film.Frame(step, total, preview.image, preview.noisy))

    def refresh(self) -> None:
        """Make the newest preview ready to be shown; most are followed by another before the page is redrawn."""
        if self.latest is not None:
            self.clean = data_uri(self.latest.image)
            self.noisy = "" if self.latest.noisy is None else data_uri(self.latest.noisy)
            self.latest = None


@dataclass
class Cell:
    """One request of the plan: its pictures, or why there are none."""

    request: ImageRequest
    shots: list[Shot]
    failure: str = ""

    @property
    def drawing(self) -> bool:
        """Whether its pictures are being drawn now."""
        return bool(self.shots[0].step) and not self.over

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return bool(self.failure) or self.shots[0].work is not None

    def see(self, preview: Preview) -> None:
        """A request's previews are counted over all its pictures."""
        each = max(1, preview.total // len(self.shots))
        number = min(len(self.shots) - 1, (preview.step - 1) // each)
        self.shots[number].see(preview, preview.step - number * each, each)


class Run:
    """One plan on its way. `works` grows as pictures are finished."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.cells = [Cell(request, [Shot() for _ in range(request.count)]) for request in plan.requests]
        self.works: list[Work] = []
        self._began = time.monotonic()  # set anew until the first preview: waiting and loading are not drawing

    @property
    def seen(self) -> bool:
        """Whether there is anything to look at."""
        return any(shot.clean or shot.work for cell in self.cells for shot in cell.shots)

    async def play(
        self, engine: Engine, user: str, shelf: Path, add: Callable[[Work], None]
    ) -> AsyncGenerator[str, None]:
        """Carry the plan out, and yield the status line after each batch of news. Works go onto the shelf.

        One job at a time: a device gives one visitor's jobs their turns one after the other in any case.
        """
        for index, cell in enumerate(self.cells):
            async with aclosing(watch(engine, cell.request, user)) as batches:
                async for moments in batches:
                    line = None
                    for moment in moments:
                        line = await self._take(index, moment, shelf, add) or line
                    for shot in cell.shots:
                        shot.refresh()
                    if line is not None:
                        yield line
        if not self.plan.single and self.works:
            yield states.loading("Labelling the grid")
        if (grid := await asyncio.to_thread(self.grid, shelf)) is not None:
            self.add(grid, add)
        yield self._ending()

    def add(self, work: Work, add: Callable[[Work], None]) -> None:
        """One more picture is finished."""
        self.works.append(work)
        add(work)

    def grid(self, shelf: Path) -> Work | None:
        """What there is of a sweep or a comparison, labelled, as one picture; None of a single one, of nothing, or if
        there is one already."""
        if self.plan.single or not self.works or any(work.grid for work in self.works):
            return None
        files = [cell.shots[0].work.file if cell.shots[0].work in self.works else None for cell in self.cells]
        return keep_grid(shelf, draw_sheet(self.plan, files), self.works[0].recipe)

    async def _take(self, index: int, moment: Moment, shelf: Path, add: Callable[[Work], None]) -> str | None:
        """Take one moment in; returns the line it deserves."""
        cell = self.cells[index]
        match moment:
            case Preview():
                cell.see(moment)
                return self._drawing(index)
            case Result():
                works = await asyncio.to_thread(keep, shelf, cell.request, moment, [shot.film for shot in cell.shots])
                for shot, work in zip(cell.shots, works, strict=True):
                    shot.work = work
                    shot.film = []
                    self.add(work, add)
                return None
            case Failed(message=message):
                cell.failure = message
                return None
            case Stopped():
                cell.failure = "It was stopped."
                return None
        if not any(cell.drawing or cell.over for cell in self.cells):
            self._began = time.monotonic()
        if isinstance(moment, Progress) and len(self.cells) > 1 and moment.total and moment.unit == "steps":
            moment = replace(moment, label=f"{self._place(index)}, {moment.label.lower()}")
        return states.of(moment)

    def _place(self, index: int) -> str:
        return f"Picture {index + 1} of {len(self.cells)}"

    def _drawing(self, index: int) -> str:
        shots = self.cells[index].shots
        begun = [shot for shot in shots if shot.step]
        label = "Drawing"
        if len(self.cells) > 1:
            label = self._place(index)
        elif len(shots) > 1:
            label = f"Picture {len(begun)} of {len(shots)}"
        return states.working(Progress(begun[-1].step, begun[-1].total, label))

    def _ending(self) -> str:
        failures = [cell.failure for cell in self.cells if cell.failure]
        if len(failures) == len(self.cells):
            return states.failed(failures[0])
        made = sum(1 for cell in self.cells for shot in cell.shots if shot.work)
        summary = f"{made} picture{'' if made == 1 else 's'}, {states.duration(time.monotonic() - self._began)}"
        return states.done(f"{summary}; {len(failures)} failed: {failures[0]}" if failures else summary)
