"""How long a clip takes here: known from those before it, and from its own steps as soon as two of them are done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Lock

from pipelines.video_request import VideoRequest

LONG_S = 15  # what takes longer is said before it begins


class Pace:
    """What this server's clips took, by model and enlargement: seconds for one frame in one step, all in all."""

    def __init__(self) -> None:
        self._took: dict[tuple[str, int], float] = {}
        self._lock = Lock()

    def expected(self, request: VideoRequest, made_for: Mapping[str, int]) -> float | None:
        """Seconds for such a clip; None while nothing is known. `made_for` are the model's own frames and steps."""
        with self._lock:
            each = self._took.get((request.model, request.upscale))
        frames, steps = request.frames or made_for.get("frames", 0), request.steps or made_for.get("steps", 0)
        return each * frames * steps if each is not None and frames and steps else None

    def learn(self, request: VideoRequest, frames: int, steps: int, seconds: float) -> None:
        """A clip is finished."""
        with self._lock:
            self._took[request.model, request.upscale] = seconds / (frames * steps)


class Clock:
    """One clip's time: from the first news of its making to its end."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began = now()
        self._begun = False
        self._first: float | None = None

    def begin(self) -> None:
        """Waiting and loading were not work. What says so again, as a heartbeat does, changes nothing."""
        if not self._begun and self._first is None:
            self._began, self._begun = self._now(), True

    def left(self, step: int, total: int) -> float | None:
        """Seconds until the last step, after this one; None where one step alone is known, which may be a slow one."""
        if self._first is None:
            self._first, self._step = self._now(), step
        if step <= self._step:
            return None
        return (self._now() - self._first) / (step - self._step) * (total - step)

    @property
    def took(self) -> float:
        """Seconds of work so far."""
        return self._now() - self._began
