"""Between page and engine: every ending becomes a moment, a closed page ends its job, events become JSON."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from pipelines.chat import ChatRequest
from pipelines.engine import LocalEngine
from pipelines.errors import DiskFull
from pipelines.events import Alternative, Emit, Preview, Progress, Queued, Recipe, Result, Sound, Text, Token, Xray
from pipelines.spec import Request
from tests.conftest import WAIT_S, Endless, wait_for
from tests.pipelines.fakes import FakeStore, Gate, engine, say, spec
from ui.wire import Failed, Moment, Stopped, as_json, endpoint, request_from, user_of, watch


@pytest.fixture(autouse=True)
def no_logging_noise(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.CRITICAL, "polymuse")
    yield


def watched(eng: LocalEngine, request: Request) -> list[Moment]:
    """All that a page sees of a run."""

    async def collect() -> list[Moment]:
        return [moment async for moments in watch(eng, request, "me", pace=0) for moment in moments]

    return asyncio.run(collect())


def test_a_run_is_watched_to_its_result() -> None:
    moments = watched(engine(spec("echo", say("Hel", "lo"))), Request(model="echo"))
    assert [moment.text for moment in moments if isinstance(moment, Token)] == ["Hel", "lo"]
    assert isinstance(moments[-1], Result) and moments[-1].artifact == Text("Hello", "end")
    assert not any(isinstance(moment, Failed | Stopped | Result) for moment in moments[:-1])


def test_a_request_that_is_not_taken_is_one_message() -> None:
    assert watched(engine(spec("echo", say())), Request(model="parrot")) == [
        Failed("There is no model “parrot”. Choose one of: echo.")
    ]


def test_a_run_that_fails_ends_with_its_message_after_what_came_before() -> None:
    def script(request: Request, emit: Emit) -> str:
        emit(Token("so far", 0, 1.0))
        raise ZeroDivisionError

    *before, token, last = watched(engine(spec("broken", script)), Request(model="broken"))
    assert token == Token("so far", 0, 1.0)
    assert isinstance(last, Failed) and "ZeroDivisionError" in last.message
    assert not any(isinstance(moment, Failed | Result) for moment in before)


def test_a_run_cancelled_from_elsewhere_ends_as_stopped() -> None:
    endless = Endless()
    eng = engine(spec("long", endless))

    async def collect() -> list[Moment]:
        seen: list[Moment] = []
        async for moments in watch(eng, Request(model="long"), "me", pace=0):
            seen += moments
            if any(isinstance(moment, Token) for moment in moments):
                for job in [*eng._active]:
                    job.cancel()
        return seen

    seen = asyncio.run(collect())
    assert seen[-1] == Stopped()
    assert any(isinstance(moment, Token) for moment in seen)


def test_closing_the_watch_cancels_the_job_without_waiting() -> None:
    endless = Endless()
    eng = engine(spec("long", endless))

    async def leave() -> None:
        moments = watch(eng, Request(model="long"), "me", pace=0)
        async for batch in moments:
            if any(isinstance(moment, Token) for moment in batch):
                break
        await moments.aclose()

    asyncio.run(leave())
    assert endless.cancelled.wait(WAIT_S)
    wait_for(lambda: eng.status().running == 0)


def test_closing_a_call_of_the_api_cancels_its_job_at_once() -> None:
    endless = Endless()
    eng = engine(spec("long", endless))
    with gr.Blocks(analytics_enabled=False) as page:
        endpoint(eng, Request, "long")
    (called,) = [event.fn for event in page.fns.values() if event.api_name == "long"]

    async def leave() -> bool:
        updates = called("long", 0, SimpleNamespace(username="me"))
        async for update, _ in updates:
            if update["type"] == "token":
                break
        (job,) = eng._active
        await updates.aclose()
        return job._stopped is not None

    assert asyncio.run(leave())
    assert endless.cancelled.wait(WAIT_S)


def test_a_watch_whose_task_is_cancelled_cancels_the_job() -> None:
    """What gradio does to a running event when somebody presses Stop."""
    endless = Endless()
    eng = engine(spec("long", endless))

    async def press_stop() -> None:
        started = asyncio.Event()

        async def run() -> None:
            async for _ in watch(eng, Request(model="long"), "me", pace=0):
                started.set()

        task = asyncio.create_task(run())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(press_stop())
    wait_for(lambda: eng.status().running == 0 and eng.status().queued == 0)
    assert endless.cancelled.is_set() or not endless.started.is_set()


@pytest.mark.parametrize("turns_of_the_loop", range(8))
def test_stop_is_heard_even_while_a_token_arrives(turns_of_the_loop: int) -> None:
    """asyncio.wait_for in Python 3.11 swallows a cancellation that comes together with what it waits for."""
    gate = Gate()

    def script(request: Request, emit: Emit) -> str:
        gate()
        emit(Token("just now", 0, 1.0))
        again()
        return ""

    again = Gate()
    eng = engine(spec("slow", script))

    async def press_stop() -> bool:
        async def run() -> None:
            async for _ in watch(eng, Request(model="slow"), "me", pace=0):
                pass

        task = asyncio.create_task(run())
        await asyncio.to_thread(gate.reached.wait, WAIT_S)
        await asyncio.sleep(0.05)  # all that came before is delivered, and the task waits for news
        gate.open.set()
        assert again.reached.wait(WAIT_S)  # without a turn of the loop: the token is there, but nobody has seen it
        for _ in range(turns_of_the_loop):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        ended = task.done()
        task.cancel()
        return ended

    ended = asyncio.run(press_stop())
    again.open.set()
    wait_for(lambda: eng.status().running == 0)
    assert ended


def test_weights_that_do_not_come_are_a_message() -> None:
    store = FakeStore()
    store.failure = DiskFull("No room.")
    assert watched(engine(spec("echo", say()), store=store), Request(model="echo"))[-1] == Failed("No room.")


def test_a_request_made_from_form_values_is_checked_by_name() -> None:
    assert request_from(ChatRequest, {"message": "hi", "seed": 4}) == ChatRequest(message="hi", seed=4)
    with pytest.raises(gr.Error, match="“seed”: must be greater than or equal to 0") as error:
        request_from(ChatRequest, {"message": "hi", "seed": -1})
    assert error.value.title == "Please check the settings"


def test_a_visitor_is_their_account_or_else_their_session() -> None:
    def visitor(username: str | None, session: str | None) -> Any:
        return SimpleNamespace(username=username, session_hash=session)

    assert user_of(visitor("ada", "s1")) == "ada"
    assert user_of(visitor(None, "s1")) == "s1"
    assert user_of(visitor(None, None)) == "anonymous"


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        (Queued(2, 1.5), {"type": "queued", "position": 2, "ahead_s": 1.5}),
        (Queued(1), {"type": "queued", "position": 1, "ahead_s": None}),
        (Progress(1, 4, "x", "bytes"), {"type": "progress", "done": 1, "total": 4, "label": "x", "unit": "bytes"}),
        (
            Token(" a", 3, 0.5, Xray(1.5, 2, 0.25, (Alternative(" b", 4, 0.5, 0.75, end=True),))),
            {
                "type": "token",
                "text": " a",
                "id": 3,
                "p": 0.5,
                "xray": {
                    "entropy": 1.5,
                    "rank": 2,
                    "drawn": 0.25,
                    "alternatives": [{"text": " b", "id": 4, "p": 0.5, "drawn": 0.75, "end": True}],
                    "end": False,
                },
            },
        ),
        (Token(" a", 3, 0.5), {"type": "token", "text": " a", "id": 3, "p": 0.5, "xray": None}),
    ],
)
def test_events_are_sent_as_their_type_and_fields(event: Any, sent: dict[str, Any]) -> None:
    assert json.loads(json.dumps(as_json(event))) == sent


def test_a_result_is_sent_with_its_text_and_its_recipe() -> None:
    recipe = Recipe("m", "r", 1, {"temperature": 0.5}, {"torch": "2"})
    assert json.loads(json.dumps(as_json(Result(Text("t", "length", 2), recipe)))) == {
        "type": "result",
        "text": "t",
        "stopped_by": "length",
        "left_out": 2,
        "recipe": {
            "model": "m",
            "revision": "r",
            "seed": 1,
            "options": {"temperature": 0.5},
            "versions": {"torch": "2"},
        },
    }


def test_a_preview_is_sent_as_a_small_picture() -> None:
    for mode, expected in (("RGB", "jpeg"), ("RGBA", "webp")):
        sent = as_json(Preview(Image.new(mode, (8, 6), "red"), 3, 9))
        assert (sent["type"], sent["step"], sent["total"]) == ("preview", 3, 9)
        kind, _, data = sent["image"].partition(",")
        assert kind == f"data:image/{expected};base64"
        assert Image.open(io.BytesIO(base64.b64decode(data))).size == (8, 6)


def test_sound_is_sent_as_its_samples() -> None:
    samples = np.array([0, 1, -2], np.int16)
    sent = as_json(Sound(samples, 16_000))
    assert (sent["type"], sent["rate"]) == ("sound", 16_000)
    assert np.array_equal(np.frombuffer(base64.b64decode(sent["samples"]), np.int16), samples)


def test_an_ending_without_a_result_is_the_calls_error() -> None:
    with pytest.raises(gr.Error, match="No room"):
        as_json(Failed("No room."))
    with pytest.raises(gr.Error, match="cancelled"):
        as_json(Stopped())
