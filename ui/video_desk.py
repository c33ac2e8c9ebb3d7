"""What the video tab keeps of one visitor: the clip that is being made or was, and the picture to start from."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from pipelines import pictures_in
from pipelines.video_request import VideoRequest
from ui import files
from ui.image_desk import MOST_SIDE
from ui.place import Place
from ui.video_pace import Pace
from ui.video_run import EMPTY, Take

FIRST = "Of its {} frames the first is taken."


@dataclass
class Desk(Place[Take]):
    """One visitor's place. A clip that is finished stays until the next one is, or is stopped on its way."""

    start: Path | None = None
    start_note: str = ""

    @property
    def take(self) -> Take | None:
        """The clip that is being made or was."""
        return self.run

    def stays(self, run: Take) -> bool:
        return run.finished or (run.seen and not self.failed)

    def begin(self, request: VideoRequest, pace: Pace) -> None:
        """Something is going to be made."""
        self.work_on(Take(request, pace))

    def shown(self) -> dict[str, Any]:
        """What the page is told of the clip."""
        if self.take is None:
            return EMPTY
        state = "live" if self.busy else "over" if self.take.finished else "stopped" if self.take.seen else "empty"
        return self.take.shown | {"state": state}

    def put_start(self, data: bytes | None) -> None:
        """Start from this picture from now on, or from none. Raises BadRequest."""
        path, note = None, ""
        if data is not None:
            picture, frames = pictures_in.read_first(data)
            picture.thumbnail((MOST_SIDE, MOST_SIDE))
            path = self.shelf / f"{secrets.token_urlsafe(9)}.png"
            picture.save(path, "PNG")
            note = FIRST.format(frames) if frames > 1 else ""
        if self.start is not None:
            self.start.unlink(missing_ok=True)
        self.start, self.start_note = path, note

    def start_view(self) -> str:
        """The picture to start from, or what one is for."""
        if self.start is None:
            return '<div class="pm-reference"><p>It becomes the first frame; say how it moves.</p></div>'
        note = f"<p>{escape(self.start_note)}</p>" if self.start_note else ""
        image = f'<img src="{escape(files.address(self.start))}" alt="The picture to start from">'
        return f'<div class="pm-reference">{image}{note}</div>'
