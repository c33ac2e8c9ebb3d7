"""The real program with the real model, driven by a real browser. Skipped where there is no Chromium or no model.

Chromium is $CHROMIUM or whatever `chromium` is on the path. Screenshots go to $POLYMUSE_SCREENSHOTS, or to a temporary
folder whose name is printed; never into the repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed: pip install playwright")

from playwright.sync_api import Browser, BrowserContext, Locator, Page, TimeoutError, expect, sync_playwright

from pipelines.errors import WeightsError
from pipelines.weights import MINILM, SMOLLM2, Store
from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_MS = 180_000  # a busy machine loads the model in half a minute and writes a few tokens a second
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def site() -> Iterator[str]:
    """The address of `python app.py`, as a visitor would open it."""
    try:
        for weights in (SMOLLM2, MINILM):
            Store().fetch(weights, lambda update: None)
    except WeightsError as error:
        pytest.skip(f"the weights of the built-in models cannot be had: {error}")
    with running("app.py", "--device", "cpu", "--port") as address:
        yield address


@contextmanager
def running(*program: str) -> Iterator[str]:
    """The address of a server of ours, which is told a port last; it has to end well when it is asked to."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("POLYMUSE_")}
    if cache := os.environ.get("POLYMUSE_CACHE"):
        environ["POLYMUSE_CACHE"] = cache
    command = [sys.executable, "-u", *program, str(free_port())]
    server = subprocess.Popen(
        command, cwd=ROOT, env={**environ, "HF_HUB_OFFLINE": "1"}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        said = next(line for line in server.stdout if line.startswith("Polymuse is at"))
        yield said.split()[3]
        server.terminate()
        server.communicate(timeout=120)
    finally:
        server.kill()
        server.wait()
        server.stdout.close() if server.stdout else None
    assert server.returncode == 0


@pytest.fixture(scope="package")  # not longer: while it runs, asyncio is Playwright's, and no other test could use it
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium: install one, or name it in the environment variable CHROMIUM")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", *quiet])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("POLYMUSE_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    print(f"screenshots: {folder}")
    return folder


@dataclass
class Chat:
    """The chat tab, in the words of somebody who uses it."""

    page: Page

    @property
    def prompt(self) -> Locator:
        return self.page.get_by_placeholder("Write a message")

    @property
    def send(self) -> Locator:
        return self.page.get_by_role("button", name="Send", exact=True)

    @property
    def stop(self) -> Locator:
        return self.page.get_by_role("button", name="Stop", exact=True)

    @property
    def questions(self) -> Locator:
        return self.page.locator('#pm-chat [data-testid="user"]')

    @property
    def answers(self) -> Locator:
        return self.page.locator('#pm-chat [data-testid="bot"]')

    @property
    def state(self) -> Locator:
        return self.page.locator("#pm-chat-status .pm-state")

    def set(self, **settings: float) -> None:
        """Give settings, by the ends of their labels, in the folded panel; a seed too, or answers would differ."""
        labels = {
            "longest": "number input for Longest answer (tokens)",
            "temperature": "number input for Temperature",
            "seed": "Seed",
        }
        panel = self.page.get_by_role("button", name="Settings")
        if not self.page.get_by_label("Seed").is_visible():
            panel.click()
        for name, value in ({"seed": 0} | settings).items():
            field = self.page.get_by_label(labels[name])
            field.fill(str(value))
            field.blur()
        panel.click()
        expect(self.page.get_by_label("Seed")).to_be_hidden()

    def ask(self, text: str) -> None:
        self.prompt.fill(text)
        self.send.click()

    def expect_state(self, state: str) -> None:
        expect(self.state).to_have_attribute("data-state", state)

    def expect_done(self) -> None:
        """The answer is complete and the next question can be asked."""
        self.expect_state("done")
        expect(self.send).to_be_visible()
        expect(self.stop).to_be_hidden()

    def regenerate(self) -> None:
        """Have the last message answered again, to the end; what is told in between may be too short to be seen."""
        self.state.evaluate("line => { line.dataset.old = '' }")
        self.page.get_by_role("button", name="Regenerate").click()
        expect(self.page.locator("#pm-chat-status [data-old]")).to_have_count(0)
        self.expect_done()

    def expect_text(self, longer_than: int = 0) -> str:
        """Wait until the last answer has so many characters; returns what there is of it."""
        try:
            found: str = self.page.wait_for_function(
                "length => { const all = document.querySelectorAll('#pm-chat [data-testid=bot]');"
                "const text = all.length ? all[all.length - 1].innerText : '';"
                "return text.length > length && text }",
                arg=longer_than,
                timeout=PATIENCE_MS,
            ).json_value()
        except TimeoutError as late:
            said = self.page.evaluate("async () => (await fetch('/health')).text()")
            answer = self.answers.last.inner_text() if self.answers.count() else "no answer"
            raise AssertionError(f"{answer!r}, {self.state.inner_text()!r}, {said}") from late
        return found

    def expect_idle_server(self) -> None:
        self.page.wait_for_function(
            "async () => { const health = await (await fetch('/health')).json();"
            "return health.running + health.queue === 0 }",
            timeout=PATIENCE_MS,
        )


@dataclass
class Image:
    """The image tab, in the words of somebody who uses it."""

    page: Page

    @property
    def prompt(self) -> Locator:
        return self.page.get_by_placeholder("Describe a picture")

    @property
    def draw(self) -> Locator:
        return self.page.locator("#pm-image-draw")

    @property
    def stop(self) -> Locator:
        return self.page.locator("#pm-image-stop")

    @property
    def canvas(self) -> Locator:
        return self.page.locator("#pm-image-canvas")

    @property
    def picture(self) -> Locator:
        """What is large on the canvas: a preview, then the finished picture."""
        return self.canvas.locator(".pm-shot > img:first-child")

    @property
    def gallery(self) -> Locator:
        return self.page.locator("#pm-image-gallery img")

    @property
    def state(self) -> Locator:
        return self.page.locator("#pm-image-status .pm-state")

    def mode(self, name: str) -> None:
        self.page.locator("#pm-image-mode").get_by_text(name, exact=True).click()

    def view(self, name: str) -> None:
        self.canvas.locator(".pm-views").get_by_text(name, exact=True).click()

    def ask(self, text: str) -> None:
        self.prompt.fill(text)
        self.draw.click()

    def expect_state(self, state: str) -> None:
        expect(self.state).to_have_attribute("data-state", state)

    def expect_done(self) -> None:
        """The picture is complete and the next can be asked for."""
        self.expect_state("done")
        expect(self.draw).to_be_visible()
        expect(self.stop).to_be_hidden()

    def expect_preview(self) -> None:
        expect(self.canvas.locator(".pm-shot figcaption").first).to_be_visible()

    def fetched(self, link: str) -> bytes:
        """The file behind a link of the canvas."""
        with self.page.expect_download() as download:
            self.canvas.get_by_role("link", name=link, exact=True).click()
        return Path(download.value.path()).read_bytes()


Open = Callable[..., Chat]

ON_RELOAD = (
    "AbortError: signal is aborted",
    "AbortError: BodyStreamBuffer was aborted",
    "Connection errored out",
    "Cannot read properties of undefined (reading 'content')",
)
"""What gradio's own script logs as errors when a page is left while something streams. Nobody is there to see it.

The last: it forgets a run's value as soon as the connection is cut, and only then comes to the patches to that value
which had arrived before.
"""
NO_WEBGPU = "WebGPU"
"""What gr.Model3D tries before WebGL; it logs as an error that a browser has none."""


@pytest.fixture
def visit(site: str, browser: Browser) -> Iterator[Open]:
    """Opens the page as somebody new. Whatever a visitor's console, network or page complains about fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    host = urlsplit(site).netloc

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(f"console: {message.text}")
                if message.type == "error" and not any(known in message.text for known in (*ON_RELOAD, NO_WEBGPU))
                else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                complaints.append(f"request to {request.url}")
                if urlsplit(request.url).scheme not in ("data", "blob") and urlsplit(request.url).netloc != host
                else None
            ),
        )

    def open(path: str = "", **options: Any) -> Chat:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 860}} | options))
        contexts.append(context)
        context.on("page", watch)
        context.set_default_timeout(PATIENCE_MS)
        chat = Chat(context.new_page())
        chat.page.goto(site + path)
        expect(chat.prompt).to_be_editable()
        expect(chat.page.locator(".pm-queue")).not_to_have_text("Connecting")  # a click before that may be lost
        return chat

    yield open
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def image(visit: Open) -> Image:
    """A new visitor at a desk, who wants a picture."""
    return to_image(visit())


def to_image(chat: Chat) -> Image:
    """The same visitor, in the image tab."""
    chat.page.get_by_role("tab", name="Image").click()
    image = Image(chat.page)
    expect(image.prompt).to_be_visible()
    return image


@pytest.fixture
def chat(visit: Open) -> Chat:
    """A new visitor at a desk, with short answers that are the same each time."""
    chat = visit()
    chat.set(longest=24, temperature=0)
    return chat
