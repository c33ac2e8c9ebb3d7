"""A long call into a library is told to end when its job is stopped, from the thread that stops it.

emit() is where a pipeline hears that nobody listens any more. Between two emits a library may compute for seconds;
where it can be told to stop, a pipeline says how with `on_stop`, around the call:

    with on_stop(options.terminate):
        session.run(...)

Nothing happens where no job is under way: tests and benchmarks call pipelines plainly.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Interrupts:
    """What to call when a job is stopped: nothing, unless its thread is inside on_stop()."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._call: Callable[[], None] | None = None

    def stop(self) -> None:
        """The job is stopped, now and for good."""
        with self._lock:
            self._stopped = True
            if self._call is not None:
                self._call()

    @contextmanager
    def here(self) -> Iterator[None]:
        """Inside, on_stop() in this thread is about this job."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @contextmanager
    def calling(self, stop: Callable[[], None]) -> Iterator[None]:
        """Inside, `stop` is called once the job is stopped; at once if it is already."""
        self._set(stop)
        try:
            yield
        finally:
            self._set(None)

    def _set(self, call: Callable[[], None] | None) -> None:
        with self._lock:
            self._call = call
            if call is not None and self._stopped:
                call()


_current: ContextVar[Interrupts | None] = ContextVar("interrupts", default=None)


@contextmanager
def on_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Inside, `stop` is called when the job that runs in this thread is stopped; from another thread, and briefly."""
    current = _current.get()
    if current is None:
        yield
        return
    with current.calling(stop):
        yield
