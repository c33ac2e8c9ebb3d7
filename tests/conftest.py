"""For every test: no word to anybody outside, and gradio's files in a temporary folder. For some: a served page.

The page is the real one, built by app.build and served by app.launch, over the real engine; only the model is a script
that each test writes for itself.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pipelines.engine import LocalEngine
from pipelines.events import Cancelled, Emit, Token
from pipelines.image_request import BUILT_IN
from pipelines.spec import Request
from tests.fakes.animator import Animates, animate, animator
from tests.fakes.bandleader import Composes, bandleader, compose
from tests.fakes.drawer import Draws, draw, drawer
from tests.fakes.enhancer import Enhances, enhance, enhancer
from tests.fakes.shaper import Shapes, shape, shaper
from tests.fakes.speaker import Speaks, speak, speaker
from tests.pipelines.fakes import FakeStore, Script, engine, say, spec

if TYPE_CHECKING:
    import gradio as gr
    from gradio_client import Client

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # these are read when gradio and huggingface_hub are imported
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # for torch here and in servers: browser and model share the cores

MODEL = "smollm2-135m"  # the script goes by the name of the real one, so that defaults hold
WAIT_S = 60  # for what comes at once on an idle machine


def pytest_configure(config: pytest.Config) -> None:
    for gradios_own in (
        *("'future.no_silent_downcasting'", "The copy keyword"),  # what its queue asks of pandas
        *("unclosed event loop", r"unclosed <socket.socket fd=\d+, family=1,"),  # it makes loops only to make locks
    ):
        config.addinivalue_line("filterwarnings", f"ignore:{gradios_own}")


@pytest.fixture(scope="session", autouse=True)
def gradio_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("gradio"))
    yield
    asyncio.set_event_loop(None)
    gc.collect()  # the last of gradio's loops go here, where the filters above hold


@dataclass
class Server:
    """A served page and what is behind it. `script` is what the model does, `draws` what the
    image models do, `speaks` what the speech model does, `composes` what the composer does,
    `enhances` what the enhancer does, `animates` what the video model does, `store` what becomes of their weights."""

    url: str
    page: gr.Blocks
    engine: LocalEngine
    store: FakeStore
    script: Script = field(default_factory=say)
    draws: Draws = field(default_factory=draw)
    speaks: Speaks = field(default_factory=speak)
    composes: Composes = field(default_factory=compose)
    enhances: Enhances = field(default_factory=enhance)
    shapes: Shapes = field(default_factory=shape)
    animates: Animates = field(default_factory=animate)

    def run(self, request: Request, emit: Emit) -> str:
        return self.script(request, emit)


@pytest.fixture(scope="session")
def one_server() -> Iterator[Server]:
    import app
    from pipelines.chat import ChatRequest
    from pipelines.code import Coder
    from pipelines.code_fim import FAMILIES
    from pipelines.code_request import CodeRequest
    from pipelines.tasks import Tasks
    from pipelines.tasks_request import TaskRequest
    from ui.settings import parse

    store = FakeStore()
    chats = {"request": ChatRequest, "also": {CodeRequest: Coder(), TaskRequest: Tasks(8_192)}}
    second = spec("other", say("I ", "am ", "another"), **chats)
    fills = {CodeRequest: Coder(FAMILIES["qwen"])}
    coder = spec("a-coder", lambda *run: server.run(*run), request=ChatRequest, modality="code", also=fills)
    drawers = [drawer(name, lambda *run: server.draws(*run)) for name in (BUILT_IN, "other-drawer")]
    kinds = ((), ("other-speaker", "autoregressive"))
    voices = [speaker(lambda *run: server.speaks(*run), *kind) for kind in kinds]
    voices.append(speaker(lambda *run: server.speaks(*run), "cloning-speaker", "diffusion", reference=30, speakers=4))
    band = bandleader(lambda *run: server.composes(*run))
    cleaner = enhancer(lambda *run: server.enhances(*run))
    mover = animator(lambda *run: server.animates(*run))
    shapers = [shaper(lambda *run: server.shapes(*run))]
    shapers.append(shaper(lambda *run: server.shapes(*run), "picture-shaper", limits={"picture": 1}))
    first = spec(MODEL, lambda *run: server.run(*run), **chats)
    eng = engine(first, second, coder, *drawers, mover, *voices, band, cleaner, *shapers, store=store)
    page = app.build(eng)
    url = app.launch(page, eng, parse(["--port", str(free_port())], {}))
    server = Server(url, page, eng, store)
    yield server
    eng.close()
    page.close(verbose=False)
    for thread in (eng._watchdog, *eng._threads):
        thread.join(WAIT_S)
        assert not thread.is_alive(), f"{thread.name} is still there after the server has been closed"


@pytest.fixture
def served(one_server: Server) -> Iterator[Server]:
    """The one server, with a blank script; when the test is over, nothing of it may still be running."""
    one_server.script = say()
    one_server.draws = draw()
    one_server.speaks = speak()
    one_server.composes = compose()
    one_server.enhances = enhance()
    one_server.shapes = shape()
    one_server.animates = animate()
    yield one_server
    wait_for(lambda: idle(one_server))  # the last one's thread may be on its way out still


def idle(server: Server) -> bool:
    status = server.engine.status()
    return (status.running, status.queued) == (0, 0)


@pytest.fixture
def server(served: Server) -> Server:
    return served


@pytest.fixture(scope="session")
def clients(one_server: Server) -> Iterator[list[Client]]:
    """Clients of the server, made when first needed and then used again: each takes a second to close."""
    clients: list[Client] = []
    yield clients
    for client in clients:
        client.close()
        for executor in (client.executor, client.helper_executor, client.stream_executor):
            executor.shutdown(wait=False, cancel_futures=True)


@pytest.fixture
def connect(server: Server, clients: list[Client]) -> Callable[[], Client]:
    """Gives clients of the server, a session each, to one test at a time."""
    from gradio_client import Client

    given = itertools.count()

    def connect() -> Client:
        if (number := next(given)) == len(clients):
            clients.append(Client(server.url, analytics_enabled=False, verbose=False))
        return clients[number]

    return connect


class Endless:
    """A script that writes until it is cancelled, and tells the test so."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.cancelled = threading.Event()

    def __call__(self, request: Request, emit: Emit) -> str:
        number = 0
        try:
            while True:
                emit(Token(f"{number} ", number, 1.0))
                self.started.set()
                number += 1
                a_step()
        except Cancelled:
            self.cancelled.set()
            raise


def a_step() -> None:
    """The time that a step of a model takes: scripts without an end would bury the test in events otherwise."""
    threading.Event().wait(0.02)


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is true that no event tells of."""
    for _ in range(WAIT_S * 50):
        if true():
            return
        a_step()
    raise AssertionError("it never came true")


def free_port() -> int:
    """A port that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
