"""What a tab keeps of a visitor for whom it makes one thing after the other: the newest, or the last worth keeping.

While something is made, the one before is kept with its files. It comes back where nothing comes of the new one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from ui import states
from ui.files import Keeper


class Run(Protocol):
    """One request on its way, or what came of it."""

    def forget(self) -> None:
        """Remove its files."""


R = TypeVar("R", bound=Run)


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
