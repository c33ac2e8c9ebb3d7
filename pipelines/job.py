"""One run as its owner sees it: a stream of events that always ends, and a way to stop it.

A job keeps every event it was given, so it can be iterated by several readers, at any time, each from the start: the
page, the API and a page that reconnects read the same record. While nothing happens an iterator yields a heartbeat at
least every second, which is never recorded.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Literal

from pipelines.errors import PolymuseError
from pipelines.events import Cancelled, Event, Progress, Queued, Result, Update
from pipelines.interrupt import Interrupts
from pipelines.spec import Request

HEARTBEAT_S = 1.0

State = Literal["queued", "fetching", "loading", "running", "done", "cancelled", "failed"]

WAITING_FOR: dict[State, str] = {
    "fetching": "Fetching the model",
    "loading": "Loading the model",
    "running": "Working",
}


class Job:
    """A submitted request. Iterating yields updates, then one Result; or raises Cancelled or a PolymuseError."""

    def __init__(self, model_id: str, request: Request, user: str, number: int) -> None:
        self.id = secrets.token_urlsafe(12)
        self.model_id = model_id
        self.request = request
        self.user = user
        self.number = number  # order of arrival
        self.state: State = "queued"
        self.place: Callable[[], Queued] = lambda: Queued(1)  # set by the engine
        self.on_stop: Callable[[], None] = lambda: None  # set by the engine
        self.interrupts = Interrupts()
        self._events: list[Event] = []
        self._last: Update | None = None
        self._ending: Exception | None = None
        self._stopped: Exception | None = None
        self._changed = threading.Condition()
        self._let_go = threading.Event()
        self._watchers: set[Callable[[], None]] = set()

    # For the owner -------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Stop the run at its next step. Returns at once; calling it again, or after the end, does nothing."""
        self.stop(Cancelled())

    @property
    def ended(self) -> bool:
        """Whether the stream is complete."""
        return self.state in ("done", "cancelled", "failed")

    def result(self) -> Result:
        """Wait for the end. The fold over the stream: returns its Result, or raises what the stream raises."""
        *_, last = self
        assert isinstance(last, Result)
        return last

    def wait_let_go(self, timeout: float | None = None) -> bool:
        """Wait until the job's thread has left the pipeline, its turn and its memory. False if it has not in time."""
        return self._let_go.wait(timeout)

    def __iter__(self) -> Iterator[Event]:
        seen = 0
        while True:
            with self._changed:
                if len(self._events) == seen and not self.ended:
                    self._changed.wait(HEARTBEAT_S)
                events, ended = self._events[seen:], self.ended
            if not events and ended:
                self._raise_ending()
                return
            yield from events or [self.heartbeat()]
            seen += len(events)

    async def __aiter__(self) -> AsyncIterator[Event]:
        async for events in self.batches():
            for event in events:
                yield event

    async def batches(self, pace: float = 0.0) -> AsyncIterator[list[Event]]:
        """All that is new, as often as every `pace` seconds: a page need not be redrawn for every token."""
        loop, news, seen = asyncio.get_running_loop(), asyncio.Event(), 0
        waiting = False

        def poke() -> None:
            nonlocal waiting
            if waiting:  # to wake the loop for each token would cost it more than to show them
                waiting = False
                with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                    loop.call_soon_threadsafe(news.set)

        with self._changed:
            self._watchers.add(poke)
        try:
            while True:
                news.clear()
                waiting = True  # first: what comes after the look is heard of
                events, ended = self._since(seen)
                if not events and not ended:
                    # Not asyncio.wait_for: in Python 3.11 it swallows a cancellation that comes along with the news.
                    heartbeat = loop.call_later(HEARTBEAT_S, news.set)
                    try:
                        await news.wait()
                    finally:
                        heartbeat.cancel()
                    events, ended = self._since(seen)
                if not events and ended:
                    self._raise_ending()
                    return
                waiting = False
                seen += len(events)
                yield events or [self.heartbeat()]
                await asyncio.sleep(pace)
        finally:
            with self._changed:
                self._watchers.discard(poke)

    def heartbeat(self) -> Update:
        """What to say while nothing new happens: the place in the queue, or what is under way."""
        if self.state == "queued":
            return self.place()
        if isinstance(self._last, Progress):
            return self._last
        return Progress(label=WAITING_FOR.get(self.state, ""))

    # For the engine ------------------------------------------------------------------------------------------------

    @property
    def stopped(self) -> bool:
        """Whether somebody asked the run to end; pipelines hear of it by emit() raising Cancelled."""
        return self._stopped is not None

    def stop(self, reason: Exception) -> None:
        """Ask the run to end, and its stream to end with this reason. The first reason counts."""
        with self._changed:
            if self._stopped is not None or self.ended:
                return
            self._stopped = reason
        self.interrupts.stop()
        self.on_stop()

    def enter(self, state: State) -> None:
        """Note which phase begins."""
        with self._changed:
            if not self.ended:
                self.state, self._last = state, None

    def post(self, update: Update) -> None:
        """Record an update and wake the readers; ignored once the stream has ended."""
        with self._changed:
            if self.ended:
                return
            self._events.append(update)
            self._last = update
            self._wake()

    def end(self, ending: Result | Exception) -> None:
        """Complete the stream. The first ending counts: a run abandoned by the deadline may still return later."""
        with self._changed:
            if self.ended:
                return
            if isinstance(ending, Cancelled):
                ending = self._stopped or ending
            if isinstance(ending, Result):
                self._events.append(ending)
                self.state = "done"
            else:
                self._ending = ending
                self.state = "cancelled" if isinstance(ending, Cancelled) else "failed"
            self._wake()

    def let_go(self) -> None:
        """Note that no thread works for this job any more."""
        self._let_go.set()

    def _since(self, seen: int) -> tuple[list[Event], bool]:
        """The events after the first `seen`, and whether no more will come."""
        with self._changed:
            return self._events[seen:], self.ended

    def _wake(self) -> None:
        self._changed.notify_all()
        for poke in self._watchers:
            poke()

    def _raise_ending(self) -> None:
        if isinstance(self._ending, PolymuseError):
            raise type(self._ending)(*self._ending.args)  # a fresh one for each reader: tracebacks accumulate
        if self._ending is not None:
            raise Cancelled
