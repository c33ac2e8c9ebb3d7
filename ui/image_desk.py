"""What the image tab keeps of one visitor while the page is open: pictures, the one in view, the one to start from.

Pictures are files in a folder whose name nobody can guess; the session itself holds no pixels but the last preview.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from pipelines import pictures_in
from pipelines.errors import BadRequest
from ui import files, image_view, states
from ui.image_plan import Plan
from ui.image_run import Run
from ui.image_work import Work

MOST_WORKS = 40  # a full sweep and a few more; the oldest go first
MOST_SIDE = 1536  # pixels of a picture to start from; larger ones are made smaller


@dataclass
class Desk(files.Keeper):
    """One visitor's place. `run` is what is being drawn; what has been given up still holds on to its own."""

    works: list[Work] = field(default_factory=list)
    chosen: str = ""
    run: Run | None = None
    prompt: str = ""  # that of what was last asked for, as it was written
    start: Path | None = None
    reference: Path | None = None
    canvas: str = field(default_factory=image_view.empty)
    line: str = field(default_factory=states.idle)
    _before: tuple[str, str] = ("", "")

    @property
    def at_work(self) -> bool:
        return self.run is not None

    def begin(self, plan: Plan, prompt: str) -> None:
        """Something is going to be drawn; the canvas is for it."""
        self.prompt = prompt
        self._before = self.chosen, self.canvas
        self.run = Run(plan)
        self.chosen, self.canvas, self.line = "", image_view.live(self.run), states.loading("Starting")

    def follow(self, line: str) -> None:
        """Take over what the run has come to."""
        assert self.run is not None
        self.line = line
        if self.run.plan.single and len(self.run.works) == 1:
            self.show(self.run.works[0])
        else:
            self.canvas = image_view.live(self.run)

    def end(self) -> None:
        """The run is over, or given up. What there is of it stays; if nothing, what was there before."""
        if (run := self.run) is None:
            return
        self.run = None
        if not run.seen:
            self.chosen, self.canvas = self._before
        elif not self.chosen:
            self.canvas = image_view.live(run, over=True)

    def add(self, work: Work) -> None:
        """Put a picture into the gallery."""
        self.works.append(work)
        while len(self.works) > MOST_WORKS:
            self.works.pop(0).forget()

    def find(self, id: str) -> Work | None:
        """The picture with this id, if it is still there."""
        return next((work for work in self.works if work.id == id), None)

    def show(self, work: Work) -> None:
        """Bring a picture into view."""
        self.chosen, self.canvas = work.id, image_view.work(work)

    def gallery(self) -> str:
        """The gallery, newest first."""
        return image_view.gallery(self.works, self.chosen)

    def put_start(self, data: bytes | None) -> None:
        """Start from this picture from now on, or from none. Raises BadRequest."""
        self.start = self._put(data, self.start)

    def put_reference(self, data: bytes | None) -> None:
        """Draw upon this picture from now on, or upon none. Raises BadRequest."""
        self.reference = self._put(data, self.reference)

    def _put(self, data: bytes | None, instead_of: Path | None) -> Path | None:
        """A picture as a plain PNG on the shelf."""
        path = None
        if data is not None:
            picture = pictures_in.read(data)
            picture.thumbnail((MOST_SIDE, MOST_SIDE))
            path = self.shelf / f"{secrets.token_urlsafe(9)}.png"
            picture.save(path, "PNG")
        if instead_of is not None:
            instead_of.unlink(missing_ok=True)
        return path


def contents(path: Path) -> bytes:
    """A kept picture's bytes. Raises BadRequest where it is gone."""
    try:
        return path.read_bytes()
    except OSError:
        raise BadRequest("The picture is no longer here. Choose it again.") from None
