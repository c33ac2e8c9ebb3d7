"""What a tab keeps of a visitor for whom it makes one thing after the other: the newest, or the last worth keeping.

While something is made, the one before is kept with its files. It comes back where nothing comes of the new one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Generic, Protocol, TypeVar

from pipelines.engine import Engine
from ui import states
from ui.files import Keeper


class Run(Protocol):
    """One request on its way, or what came of it."""

    def play(self, engine: Engine, user: str, shelf: Path) -> AsyncGenerator[str, None]:
        """Make it, and yield the status line after each change."""

    def forget(self) -> None:
        """Remove its files."""


R = TypeVar("R", bound=Run)
_TELLING = Lock()  # of every place, as a state is copied: held no longer than it takes to set a line


@dataclass
class Place(Keeper, ABC, Generic[R]):
    """One visitor's place in a tab. `line` is the last that was told of the run."""

    run: R | None = None
    busy: bool = False
    line: str = field(default_factory=states.idle)
    _before: R | None = None

    @property
    def at_work(self) -> bool:
        return self.busy

    @property
    def used(self) -> bool:
        return self.run is not None or super().used

    @abstractmethod
    def stays(self, run: R) -> bool:
        """Whether a run that is over, finished or not, takes the place of the one before it."""

    def work_on(self, run: R, line: str = "") -> None:
        """A run is going to be made."""
        self._before, self.run = self.run, run
        self.busy, self.line = True, line or states.loading("Starting")

    async def played(self, engine: Engine, user: str) -> AsyncGenerator[None, None]:
        """Have the run made; yields whenever something may have changed, and once at least: gradio empties what it is
        told nothing of."""
        run = self.run
        if run is None or not self.busy:  # stopped before it began
            yield
            return
        try:
            async with aclosing(run.play(engine, user, self.shelf)) as lines:
                async for line in lines:
                    with _TELLING:
                        at_work = self.run is run and self.busy
                        if at_work:
                            self.line = line
                    yield
                    if not at_work:  # stopped; gradio stops us only next
                        return
            if self.run is run and self.busy:
                self.end()
        finally:
            if self.run is run and self.busy:  # its page was left
                self.give_up()

    def give_up(self) -> None:
        """The run ends before its end."""
        self.halt(states.over(self.line))
        self.end()

    def halt(self, line: str) -> None:
        """The last line of a run that is stopped, before its end(). What it tells meanwhile, on the event loop, while
        Stop writes files on a thread, changes nothing."""
        with _TELLING:
            self.busy, self.line = False, line

    def end(self) -> None:
        """The run is over, or given up. What there is of it stays; if nothing, what was there before."""
        self.busy = False
        before, self._before = self._before, None
        if self.run is None or before is None:
            return
        if self.stays(self.run):
            before.forget()
        else:
            self.run.forget()
            self.run = before

    @property
    def failed(self) -> bool:
        """Whether the run has said that it failed."""
        return 'data-state="failed"' in self.line
