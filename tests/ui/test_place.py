"""One run after the other, in every tab that keeps one: where nothing comes of the new one, the last one is back."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from secrets import token_hex
from typing import Any, cast
from urllib.parse import unquote

import httpx
import pytest

from pipelines.code import Coder
from pipelines.code_request import CodeRequest
from pipelines.events import Emit, Frames, Preview, Progress, Sound, Token, Update
from pipelines.spec import Request, validate
from pipelines.tasks_request import TaskRequest
from tests.conftest import WAIT_S, Server, a_step
from tests.fakes import animator, bandleader, enhancer, shaper, speaker
from tests.pipelines.fakes import say
from tests.ui import test_code, test_enhance, test_music, test_shape, test_speech, test_video, test_write
from tests.ui.visitor import Visitor
from ui import states
from ui.code_run import CodeDesk
from ui.wire import Moment
from ui.write_run import Page, Writing


@dataclass(frozen=True)
class Tab:
    """How a tab is used: its events' names, and what is asked of it."""

    module: str
    model: str  # the script of it, by its name in Server
    begins: str
    runs: str
    stops: str
    stands: str
    asked: tuple[Any, ...]
    part: Update  # that comes on the way
    of_use: bool  # that part, by itself
    recording: bytes | None = None  # to be asked with


FRAMES = Frames(animator.shown(animator.moving(6, 1), 0.5), 1, 3)
SOUND = Sound(bandleader.tone(0.2), bandleader.RATE)
TABS = {
    "video": Tab(
        *("ui.video", "animates", "on_make", "making", "on_stop_making", "making_stands"),
        ("a fox", None, *test_video.ASKED.values()),
        *(FRAMES, False),
    ),
    "3D": Tab(
        *("ui.shape", "shapes", "on_make", "shaping", "on_stop_shaping", "shaping_stands"),
        ("a ball", None, *test_shape.ASKED.values()),
        *(shaper.views(1, 3, 0), False),
    ),
    "code": Tab(
        *("ui.code", "script", "on_code", "coding", "on_stop_code", "code_stands"),
        (None, *test_code.ASKED.values()),
        *(Token("A part", 0, 1.0), True),
    ),
    "write": Tab(
        *("ui.write", "script", "on_write", "writing", "on_stop_writing", "write_stands"),
        (None, None, *test_write.ASKED.values()),
        *(Token("A part", 0, 1.0), True),
    ),
    "music": Tab(
        *("ui.music", "composes", "on_compose", "composing", "on_stop_composing", "music_as_it_stands"),
        ("a tune", None, *test_music.ASKED.values()),
        *(SOUND, True),
    ),
    "speech": Tab(
        *("ui.speech", "speaks", "on_speak", "speaking", "on_stop_speaking", "as_it_stands"),
        ("One. Two.", None, *test_speech.ASKED.values()),
        *(Sound(speaker.tone(0.2), speaker.RATE), True),
    ),
    "enhance": Tab(
        *("ui.enhance", "enhances", "on_enhance", "enhancing", "on_stop_enhancing", "enhancing_stands"),
        (None, *test_enhance.ASKED.values()),
        *(Preview(enhancer.sheet(1), 1, 3, enhancer.sheet(9)), False),
        test_enhance.wav(),
    ),
}


class Guest(Visitor):
    """A visitor of any of these tabs, and what its model does."""

    def __init__(self, server: Server, http: httpx.Client, tab: Tab) -> None:
        super().__init__(server, http, f"{tab.module}-{token_hex(4)}", tab.module)
        server.script = say("A word.")
        self.tab = tab
        self._server = server
        self._finishes = getattr(server, tab.model)

    def begins(self, script: Any = None) -> None:
        """Ask for something; the model makes it, or does as this script says."""
        setattr(self._server, self.tab.model, script or self._finishes)
        given = [self.upload(self.tab.recording)] if self.tab.recording else []
        assert self.ended(self.tab.begins, *given, *self.tab.asked)["success"]

    def made(self, script: Any = None) -> tuple[list[Any], str]:
        """Ask for something, to its end; returns how things stand, and the status line."""
        self.begins(script)
        assert self.ended(self.tab.runs, None)["success"]
        return self.stands()

    def stands(self, event: str = "") -> tuple[list[Any], str]:
        shown = self.call(event or self.tab.stands, None)
        (line,) = (told for told in shown if isinstance(told, str) and "pm-state" in told)
        return [told for told in shown if told != line], line


@pytest.fixture(params=TABS)
def guest(served: Server, request: pytest.FixtureRequest) -> Iterator[Guest]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        yield Guest(served, http, TABS[request.param])


def failing(request: Request, emit: Emit) -> Any:
    raise RuntimeError("a secret path")


def waiting(request: Request, emit: Emit) -> Any:
    while True:
        a_step()
        emit(Progress())


def files(shown: list[Any]) -> list[Path]:
    """All that the page has the address of."""
    found = re.findall(r'gradio_api/file=([^"\\]+)', json.dumps(shown))
    return [Path(unquote(unescape(address))) for address in found]


def test_a_run_that_fails_or_is_stopped_at_once_brings_back_the_last_one_with_its_files(guest: Guest) -> None:
    before, _ = guest.made()
    shown, line = guest.made(failing)
    assert shown == before and 'data-state="failed"' in line and "secret" not in line
    guest.begins(waiting)
    next(run := guest.join(guest.tab.runs, None))
    shown, line = guest.stands(guest.tab.stops)
    assert shown == before and line == states.stopped()
    list(run)
    assert guest.stands() == (before, line)
    assert len(files(before)) > 1 and all(path.exists() for path in files(before))


def test_a_run_that_is_stopped_before_it_begins_empties_nothing_on_the_page(guest: Guest) -> None:
    before, _ = guest.made()
    guest.begins(waiting)
    _, line = guest.stands(guest.tab.stops)
    told = guest.ended(guest.tab.runs, None)["output"]["data"]
    assert line in told and all(one in before for one in told if isinstance(one, dict))


def test_the_next_one_that_is_finished_takes_the_files_of_the_last_one_away(guest: Guest) -> None:
    before, _ = guest.made()
    after, _ = guest.made()
    assert not any(path.exists() for path in files(before)) and all(path.exists() for path in files(after))


def test_of_a_run_that_fails_on_the_way_only_what_is_of_use_takes_the_place_of_the_last_one(guest: Guest) -> None:
    def fails_later(request: Request, emit: Emit) -> Any:
        emit(guest.tab.part)
        raise RuntimeError

    nothing, _ = guest.stands()
    assert guest.made(fails_later)[0] != nothing  # it is better than nothing
    before, _ = guest.made()
    shown, line = guest.made(fails_later)
    assert 'data-state="failed"' in line and (shown != before) == guest.tab.of_use
    assert all(path.exists() != guest.tab.of_use for path in files(before))


@pytest.mark.parametrize("tab", ["code", "write"])
def test_what_comes_after_stop_is_not_shown_beside_files_without_it(tab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place: CodeDesk | Page = CodeDesk() if tab == "code" else Page()
    if isinstance(place, CodeDesk):
        place.begin(validate(CodeRequest, {"instruction": "x"}), Coder())
    else:
        place.begin(validate(TaskRequest, {"task": "write", "instruction": "x"}))

    async def moments(*of: Any) -> AsyncGenerator[list[Moment], None]:
        yield [Token("One", 0, 1.0)]
        place.stop()
        yield [Token(" two", 1, 1.0)]

    async def play() -> None:
        async for _ in place.played(cast(Any, None), "somebody"):
            pass

    monkeypatch.setattr(f"ui.{tab}_run.watch", moments)
    asyncio.run(play())
    assert "One" in str(place.shown()) and "two" not in str(place.shown())
    place.forget()


def test_what_a_run_tells_while_stop_writes_its_files_is_not_the_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is told on the event loop, and Stop is on a thread of its own."""
    place = Page()
    place.begin(validate(TaskRequest, {"task": "write", "instruction": "x"}))
    keeping, told = threading.Event(), threading.Event()
    keep = Writing.keep

    def keep_slowly(writing: Writing) -> None:
        keeping.set()
        assert told.wait(WAIT_S)
        keep(writing)

    async def play() -> None:
        async def moments(*of: Any) -> AsyncGenerator[list[Moment], None]:
            yield [Token("One", 0, 1.0)]
            stopping.append(asyncio.create_task(asyncio.to_thread(place.stop)))
            assert await asyncio.to_thread(keeping.wait, WAIT_S)
            try:
                yield [Token(" two", 1, 1.0)]
            finally:
                told.set()

        stopping: list[asyncio.Task[None]] = []
        monkeypatch.setattr("ui.write_run.watch", moments)
        async for _ in place.played(cast(Any, None), "somebody"):
            pass
        await stopping[0]

    monkeypatch.setattr(Writing, "keep", keep_slowly)
    asyncio.run(play())
    assert not place.busy and place.line == states.stopped("what was written is kept")
    place.forget()


def test_a_part_that_is_told_again_while_nothing_comes_is_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Page()
    place.begin(validate(TaskRequest, {"task": "summarise", "text": "x"}))
    first, second = (Progress(n, 3, f"Part {n + 1} of 2", "parts") for n in range(2))

    async def moments(*of: Any) -> AsyncGenerator[list[Moment], None]:
        for moment in (first, first, Token("One", 0, 1.0), second, second):
            yield [moment]

    async def play() -> None:
        async for _ in place.played(cast(Any, None), "somebody"):
            pass

    monkeypatch.setattr("ui.write_run.watch", moments)
    asyncio.run(play())
    assert re.findall("<summary>([^<]+)", place.shown()[1]) == ["Part 1 of 2", "Part 2 of 2"]
    assert place.kept() == "1 finished part kept"
    place.forget()
