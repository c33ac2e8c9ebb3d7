"""The real engine with the built-in chat model in this process, and a note of when each run entered and left it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.plain import STORY
from pipelines import catalog
from pipelines.chat import ChatRequest
from pipelines.device import Device, detect
from pipelines.engine import Limits, LocalEngine
from pipelines.events import Artifact, Emit, Token, Update
from pipelines.job import Job
from pipelines.memory import Memory
from pipelines.spec import ModelSpec, Pipeline, Registry
from pipelines.weights import Store


@dataclasses.dataclass
class Run:
    """When one run did what, by time.perf_counter()."""

    began: float
    tokens: list[float] = dataclasses.field(default_factory=list)  # when each was ready, before it was delivered
    left: float = 0.0

    @property
    def gaps(self) -> list[float]:
        """Seconds that each token after the first took."""
        return [later - earlier for earlier, later in zip(self.tokens, self.tokens[1:], strict=False)]


class Noted:
    """A pipeline that runs another and keeps a Run for each request, found by the request's seed."""

    def __init__(self, pipeline: Pipeline[Any], runs: dict[int, Run]) -> None:
        self._pipeline = pipeline
        self._runs = runs

    def run(self, request: ChatRequest, emit: Emit) -> Artifact:
        noted = self._runs[request.seed] = Run(time.perf_counter())

        def note(update: Update) -> None:
            if isinstance(update, Token):
                noted.tokens.append(time.perf_counter())
            emit(update)

        try:
            return self._pipeline.run(request, note)
        finally:
            noted.left = time.perf_counter()


class Chats:
    """The engine, its runs so far by seed, and a way to ask: each question gets the next seed."""

    def __init__(self, engine: LocalEngine, model: str, runs: dict[int, Run]) -> None:
        self.engine = engine
        self.runs = runs
        self._model = model
        self._seed = 0

    def ask(self, user: str, tokens: int, message: str = STORY) -> Job:
        """Submit a chat whose answer ends after this many tokens at the latest."""
        self._seed += 1
        values = {"message": message, "model": self._model, "max_new_tokens": tokens, "seed": self._seed}
        request = ChatRequest.model_validate(values)
        return self.engine.submit(self._model, request, user)

    def run_of(self, job: Job) -> Run:
        """What was noted of a job that has run."""
        return self.runs[job.request.seed]


@contextmanager
def chats(limits: Limits) -> Iterator[Chats]:
    """An engine with the model loaded and warm; closed with the block."""
    device = detect()
    spec = catalog.chat_models(device)[0]
    runs: dict[int, Run] = {}
    noted = dataclasses.replace(spec, load=lambda device, path: _noted(spec, device, path, runs))
    memory = Memory(spec.resident + limits.threads * spec.working, device.free, device.release_cache)
    engine = LocalEngine(Registry([noted]), device, Store(), memory, limits)
    try:
        found = Chats(engine, spec.id, runs)
        found.ask("warm-up", 8).result()
        yield found
    finally:
        engine.close()


def _noted(spec: ModelSpec[ChatRequest], device: Device, path: Path, runs: dict[int, Run]) -> Noted:
    return Noted(spec.load(device, path), runs)
