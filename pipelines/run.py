"""One job at work, on a thread of its own: fetch, lease, load, compute, end.

The thread owns the job's lease and its turn; whoever reads the job's events owns nothing but the right to cancel.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any, TypeVar

from pipelines.device import Device
from pipelines.errors import DeadlineExceeded, DoesNotFit, PolymuseError, RunFailed
from pipelines.events import Artifact, Cancelled, Progress, Recipe, Result, Update
from pipelines.job import Job
from pipelines.memory import Memory
from pipelines.spec import ModelSpec, Pipeline
from pipelines.turns import Turn, Turns
from pipelines.weights import Store

log = logging.getLogger("polymuse.engine")
T = TypeVar("T")

# Packages whose versions can change a result.
RECORDED = ("torch", "transformers", "diffusers", "numpy", "onnxruntime", "numba", "scipy", "kokoro-onnx")

# How torch on a CPU, torch elsewhere and ONNX Runtime say it.
OUT_OF_MEMORY = re.compile("can't allocate memory|out of memory|Failed to allocate memory")


@dataclass(frozen=True)
class Workplace:
    """What all jobs share."""

    device: Device
    store: Store
    memory: Memory
    turns: Turns
    clock: Callable[[], float]


class Run:
    """One job at work on a thread of its own: fetch, lease, load, compute, end."""

    def __init__(self, job: Job, spec: ModelSpec[Any], workplace: Workplace) -> None:
        self.job = job
        self._spec = spec
        self._at = workplace
        self._turn: Turn | None = None
        self._busy_since: float | None = None  # since when it has been on the device without a sign
        self._delivered = 0
        self._skip = 0

    def run(self) -> None:
        """Everything, from the worker thread; never raises."""
        try:
            self.job.end(self._result())
        except (Cancelled, PolymuseError) as ending:
            self.job.end(_without_traceback(ending))
        except BaseException as error:  # a panic in a library's Rust is no Exception
            log.exception("job %s on %s failed", self.job.id, self._spec.id)
            self.job.end(RunFailed(f"The model failed ({type(error).__name__}). Try again, or with other settings."))

    def used(self) -> float:
        """Device seconds of finished steps."""
        return self._turn.used if self._turn else 0.0

    def silent_for(self) -> float:
        """Seconds on the device since the last sign of life; 0 while waiting for anything."""
        since = self._busy_since
        return 0.0 if since is None else self._at.clock() - since

    def abandon(self) -> None:
        """Leave the thread to itself: its job fails now, the device passes on, its next emit ends it."""
        silent = f"gave no sign for {self.silent_for():.0f} seconds"
        log.error("job %s on %s %s", self.job.id, self._spec.id, silent)
        self.job.stop(DeadlineExceeded(f"The model {silent} and was given up. Try again with a smaller request."))
        self.job.end(Cancelled())
        if self._turn is not None:
            self._at.turns.revoke(self._turn)

    def _result(self) -> Result:
        store, request = self._at.store, self.job.request
        self.job.enter("fetching")
        if self._spec.settle is not None:
            self._spec = self._spec.settle(self._spec, request, store, self._report)
        spec = self._spec
        self._at.memory.require(spec)  # or the weights would be fetched for nothing
        fetched = store.fetch(spec.weights, self._report)
        artifact = self._compute(lambda: spec.load(self._at.device, fetched.path))
        options = request.model_dump(exclude={"model", "seed"}) | dict(getattr(artifact, "settings", {}))
        return Result(artifact, Recipe(self.job.model_id, fetched.revision, request.seed, options, dict(_versions())))

    def _compute(self, load: Callable[[], Pipeline[Any]]) -> Artifact:
        job = self.job
        job.enter("loading")
        with self._at.memory.lease(
            self._spec,
            lambda: self._on_device(load),
            cancelled=lambda: job.stopped,
            tell=lambda why: job.post(Progress(label=why)),
        ) as pipeline:
            job.enter("running")
            with job.interrupts.here():
                answering = self._spec.answering(job.request, pipeline)
                return self._on_device(lambda: answering.run(job.request, self._emit))

    def _on_device(self, compute: Callable[[], T]) -> T:
        """Compute in turn. Loading is a step too: from_pretrained changes torch's default dtype for everyone."""
        with self._at.turns.turn(self.job.user, lambda: self.job.stopped, self.job.number) as turn:
            self._turn = turn
            self._take_turn(turn.take)
            try:
                return self._twice(compute)
            finally:
                self._busy_since = None

    def _twice(self, compute: Callable[[], T]) -> T:
        """Compute; should memory run out, drop what is idle and compute once more."""
        memory = self._at.memory
        for _ in range(2):
            try:
                return compute()
            except Exception as error:
                if not _is_out_of_memory(error):
                    raise
            log.warning("%s ran out of memory on the device", self._spec.id)
            memory.drop_idle()  # out here, where no traceback holds the failed attempt's tensors any more
            self._skip, self._delivered = self._delivered, 0  # the same seed says the same again: don't repeat it
        raise DoesNotFit(memory.refusal(self._spec, "the device ran out of memory twice"))

    def _report(self, update: Update) -> None:
        """emit() while fetching: no device is involved, so there is no turn to give."""
        self.job.post(update)
        if self.job.stopped:
            raise Cancelled

    def _emit(self, update: Update) -> None:
        """The step boundary: deliver, end if cancelled, give way."""
        self._delivered += 1
        if self._delivered > self._skip:
            self.job.post(update)
        if self.job.stopped:
            raise Cancelled
        assert self._turn is not None
        self._take_turn(self._turn.give_way)

    def _take_turn(self, wait: Callable[[], None]) -> None:
        self._busy_since = None
        wait()
        self._busy_since = self._at.clock()
        if self.job.stopped:
            raise Cancelled


@cache
def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in RECORDED}


def _is_out_of_memory(error: Exception) -> bool:
    """Whether the device or the machine had no memory left; on CPUs and Apple's GPUs only the words say so."""
    torch = sys.modules.get("torch")
    if isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError)):
        return True
    library = isinstance(error, RuntimeError) or type(error).__module__.startswith("onnxruntime")
    return library and OUT_OF_MEMORY.search(str(error)) is not None


def _without_traceback(ending: Exception) -> Exception:
    """The bare error: frames in a traceback would keep the model and its activations alive as long as the job."""
    ending.__traceback__ = ending.__context__ = ending.__cause__ = None
    return ending
