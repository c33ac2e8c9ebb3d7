"""A small real gradio app behind the Guard, launched once for all tests of this folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

import gradio as gr
import httpx
import pytest
from starlette.middleware import Middleware

from pipelines.device import Device
from pipelines.engine import Status
from pipelines.memory import Held
from ui import header, health
from ui.guard import Guard
from ui.theme import Polymuse

BODY_LIMIT = 200_000
UPLOAD_LIMIT = 1_000_000


@dataclass
class FakeEngine:
    """An engine that only says how it is; `state` may be changed by a test."""

    state: Status

    def status(self) -> Status:
        return self.state


@dataclass(frozen=True)
class Server:
    """A running app, and how to end it."""

    url: str
    blocks: gr.Blocks
    engine: FakeEngine

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=20)


def status(used: int = 540_000_000, running: int = 1, queued: int = 3) -> Status:
    device = Device("cpu", "2 <slow> cores", 8 * 2**30, "float32")
    return Status(device, 6 * 2**30, used, (Held("smol", "Smol <b>model</b>", used, 1),), running, queued)


def free_port() -> int:
    """A port for gradio to use; where it looks for one itself, it leaves a socket open for each that is taken."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(*, careless: bool = False, **guard: object) -> Server:
    """Launch the app. A careless one forgets the settings of gradio's that help the Guard."""
    engine = FakeEngine(status())
    with gr.Blocks(analytics_enabled=False) as blocks:
        header.build(engine)  # type: ignore[arg-type]
        with gr.Tabs(elem_id=header.CONTENT_ID):
            with gr.Tab("One"):
                text, file, out = gr.Textbox(), gr.File(), gr.Textbox()
            with gr.Tab("Two"):
                gr.Markdown("Another tab")

        def count(word: str) -> Iterator[str]:
            for index in range(3):
                yield f"{word}{index}"

        text.submit(count, text, out, api_name="count")
        text.change(lambda word: word, text, out, api_name="echo", queue=False)
        file.upload(lambda path: Path(path).read_text("utf-8"), file, out, api_name="read")
    blocks.queue(api_open=careless)
    _, url, _ = blocks.launch(
        prevent_thread_lock=True,
        quiet=True,
        server_port=free_port(),
        theme=Polymuse(),
        run_history=False,
        enable_monitoring=None if careless else False,  # None means yes
        ssr_mode=False,
        app_kwargs={
            "middleware": [Middleware(Guard, body_limit=BODY_LIMIT, upload_limit=UPLOAD_LIMIT, **guard)],
            "routes": [health.route(engine)],  # type: ignore[arg-type]
        },
    )
    return Server(str(url), blocks, engine)


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    running = serve()
    yield running
    running.blocks.close(verbose=False)


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as opened:
        yield opened
