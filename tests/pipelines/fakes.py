"""A scripted pipeline behind the real engine, registered through the real registry."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.device import Device
from pipelines.engine import LocalEngine
from pipelines.events import Emit, Progress, Text, Token
from pipelines.memory import Memory
from pipelines.spec import ModelSpec, Registry, Request
from pipelines.weights import Availability, Fetched, Local, Weights

KB = 1024
CPU = Device("cpu", "a simulated CPU", 1000 * KB, half=False)
Script = Callable[[Request, Emit], str]


class FakeStore:
    """Weights that are always here, or fail to come as told."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.on_fetch: Callable[[Emit], None] = lambda emit: None

    def fetch(self, weights: Weights, emit: Emit) -> Fetched:
        emit(Progress(0, 10, "Fetching", "bytes"))
        self.on_fetch(emit)
        if self.failure:
            raise self.failure
        return Fetched(Path(), "r1")

    def look(self, weights: Weights) -> Availability:
        return Availability(True, 0, 10**12, "nowhere")


class Scripted:
    """A pipeline that does what its script says."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def run(self, request: Request, emit: Emit) -> Text:
        return Text(self._script(request, emit), "end")


def say(*words: str) -> Script:
    """A script that emits these words as tokens."""

    def script(request: Request, emit: Emit) -> str:
        for number, word in enumerate(words):
            emit(Token(word, number, 1.0))
        return "".join(words)

    return script


def spec(name: str, script: Script, resident: int = 10 * KB, working: int = KB, **kwargs: Any) -> ModelSpec[Request]:
    facts: dict[str, Any] = {
        "id": name,
        "title": name.title(),
        "modality": "chat",
        "family": "autoregressive",
        "request": Request,
        "weights": Local("."),
        "resident": resident,
        "working": working,
        "licence": "MIT",
        "card": "A script.",
        "load": lambda device, path: Scripted(script),
    }
    return ModelSpec(**(facts | kwargs))


def engine(
    *specs: ModelSpec[Any], store: FakeStore | None = None, budget: int = 100 * KB, **kwargs: Any
) -> LocalEngine:
    memory = Memory(budget, lambda: 10**9)
    return LocalEngine(Registry(specs), CPU, store or FakeStore(), memory, **kwargs)  # type: ignore[arg-type]


class Gate:
    """A place in a script where the run stays until the test lets it go on; tells when it has got there."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.open.wait(10), "the test never opened the gate"
