"""Device memory, leased by the byte: one budget for the models of all modalities.

`with memory.lease(spec, load)` reuses or loads a model and pins it. Room is made by dropping idle models, least
recently used first, and measured again after each, since the bytes that a model was said to hold are not trusted to
come back. A leased model is never dropped. Whoever has to wait is woken when a lease ends; what can never fit is
refused.

Assumptions: a model's bytes go when its last reference goes; `working` bytes are needed by each run on its own. Least
recently used is the whole policy: it has not been compared with others.
"""

from __future__ import annotations

import gc
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipelines.errors import DoesNotFit, format_bytes
from pipelines.events import Cancelled
from pipelines.spec import ModelSpec, Pipeline

PATIENCE_S = 20.0  # how long smaller requests may pass one that waits for room


@dataclass(eq=False)
class _Model:
    """A model that is loaded, or about to be (pipeline None); pinned while leases > 0."""

    spec: ModelSpec[Any]
    pipeline: Pipeline[Any] | None = None
    loading: bool = False
    leases: int = 0
    last_used: int = 0

    def promised(self) -> int:
        """Bytes the device may still have to give: all of a model not loaded yet, and each run's working bytes."""
        return (0 if self.pipeline is not None else self.spec.resident) + self.leases * self.spec.working


@dataclass(frozen=True)
class Held:
    """What one loaded model holds, for status displays."""

    id: str
    title: str
    resident: int
    leases: int


class Memory:
    """The memory of one device.

    `budget` is what models may hold in all; `free` measures what the device really has left, other programs counted;
    `release` gives freed blocks back to the device before it is measured.
    """

    def __init__(
        self,
        budget: int,
        free: Callable[[], int],
        release: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget = budget
        self._free = free
        self._release = release
        self._clock = clock
        self._models: dict[str, _Model] = {}
        self._waiting: list[float] = []  # since when, of those who wait for room
        self._changed = threading.Condition()
        self._uses = itertools.count()

    @contextmanager
    def lease(
        self,
        spec: ModelSpec[Any],
        load: Callable[[], Pipeline[Any]],
        cancelled: Callable[[], bool] = lambda: False,
        tell: Callable[[str], None] = lambda why: None,
    ) -> Iterator[Pipeline[Any]]:
        """Hold the model for the length of the block, loading it first if need be; `tell` hears why it has to wait.

        Raises DoesNotFit when it never can, Cancelled when the job is cancelled while it waits, and whatever `load`
        raises; in each case nothing stays leased and nothing half-loaded stays held.
        """
        model = self._pin(spec, cancelled, tell)
        try:
            yield self._loaded(model, load, cancelled)
        finally:
            self._unpin(model)

    def held(self) -> tuple[Held, ...]:
        """The models that are loaded now."""
        with self._changed:
            return tuple(
                Held(model.spec.id, model.spec.title, model.spec.resident, model.leases)
                for model in self._models.values()
                if model.pipeline is not None
            )

    def used(self) -> int:
        """Bytes spoken for: models held or being loaded, and the working memory of the runs under way."""
        with self._changed:
            return self._used()

    def fits(self, spec: ModelSpec[Any]) -> bool:
        """Whether this model could be leased if it had the budget to itself."""
        return spec.resident + spec.working <= self.budget

    def require(self, spec: ModelSpec[Any]) -> None:
        """Raise DoesNotFit unless it fits."""
        if not self.fits(spec):
            raise DoesNotFit(self.refusal(spec, f"models may hold {format_bytes(self.budget)} on this device"))

    def drop_idle(self) -> None:
        """Drop every model that nobody leases."""
        with self._changed:
            for model in self._idle():
                self._drop(model)

    def wake(self) -> None:
        """Let those who wait look at their cancel flags."""
        with self._changed:
            self._changed.notify_all()

    def _pin(self, spec: ModelSpec[Any], cancelled: Callable[[], bool], tell: Callable[[str], None]) -> _Model:
        with self._changed:
            since = self._clock()
            self._waiting.append(since)
            try:
                while not self._make_room(spec, since):
                    if cancelled():
                        raise Cancelled
                    users = ", ".join(model.spec.title for model in self._models.values() if model.leases)
                    tell(f"Waiting for memory, in use by {users or 'others who came first'}")
                    self._changed.wait()
            finally:
                self._waiting.remove(since)
                self._changed.notify_all()
            model = self._models.setdefault(spec.id, _Model(spec))
            model.leases += 1
            return model

    def _unpin(self, model: _Model) -> None:
        with self._changed:
            model.leases -= 1
            model.last_used = next(self._uses)
            if model.pipeline is None and not model.leases:
                del self._models[model.spec.id]
            self._changed.notify_all()

    def _loaded(
        self, model: _Model, load: Callable[[], Pipeline[Any]], cancelled: Callable[[], bool]
    ) -> Pipeline[Any]:
        """The model's pipeline. The first to lease it loads; the others wait, and load themselves should that fail."""
        with self._changed:
            while model.loading:
                if cancelled():
                    raise Cancelled
                self._changed.wait()
            if model.pipeline is not None:
                return model.pipeline
            model.loading = True
        try:
            model.pipeline = load()
            return model.pipeline
        finally:
            with self._changed:
                model.loading = False
                self._changed.notify_all()

    def _make_room(self, spec: ModelSpec[Any], since: float) -> bool:
        """Whether there is room for one more lease of this model, after dropping what is idle if that helps."""
        self.require(spec)
        if any(other < since and self._clock() - other > PATIENCE_S for other in self._waiting):
            return False
        own = self._models.get(spec.id)
        need = spec.working + (0 if own else spec.resident)
        idle = [model for model in self._idle() if model is not own]
        if self.budget - self._used() + sum(model.spec.resident for model in idle) < need:
            return False
        while min(self.budget - self._used(), self._measured()) < need:
            if not idle:
                return self._wait_or_refuse(spec)
            self._drop(idle.pop(0))
        return True

    def _wait_or_refuse(self, spec: ModelSpec[Any]) -> bool:
        """The device has less than the budget promises: worth waiting only while somebody may give something back."""
        if any(model.leases for model in self._models.values()):
            return False
        raise DoesNotFit(self.refusal(spec, f"{format_bytes(max(0, self._measured()))} are free on this device"))

    def refusal(self, spec: ModelSpec[Any], there_is: str) -> str:
        """What the model needs, what there is, who holds it and what to do, in words."""
        with self._changed:
            holders = [f"{model.spec.title} ({format_bytes(model.spec.resident)})" for model in self._models.values()]
        return (
            f"{spec.title} needs {format_bytes(spec.resident + spec.working)} ({format_bytes(spec.resident)} for its "
            f"weights, {format_bytes(spec.working)} while it runs), but {there_is}. "
            f"Held now by: {', '.join(holders) or 'no other model of this server'}. "
            "Choose a smaller model, close other programs, or allow more with --memory."
        )

    def _used(self) -> int:
        return sum(model.spec.resident + model.leases * model.spec.working for model in self._models.values())

    def _measured(self) -> int:
        return self._free() - sum(model.promised() for model in self._models.values())

    def _idle(self) -> list[_Model]:
        """Models that may be dropped, least recently used first."""
        return sorted(
            (model for model in self._models.values() if not model.leases), key=lambda model: model.last_used
        )

    def _drop(self, model: _Model) -> None:
        del self._models[model.spec.id]
        model.pipeline = None
        gc.collect()  # modules hold each other in cycles; their memory goes when the cycle is found
        self._release()
