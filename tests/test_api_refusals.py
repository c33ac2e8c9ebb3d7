"""What the API refuses, and in which words; and the doors around it that stay shut."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import httpx
import pytest

from pipelines.errors import DownloadFailed
from pipelines.events import Emit, Token
from pipelines.spec import Request
from tests.calls import Connect, Update, events_of, out_of_reach, refusal, start
from tests.conftest import MODEL, WAIT_S, Server


@pytest.fixture(autouse=True)
def no_logging_noise(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.CRITICAL, "polymuse")
    yield


# What is refused, and how -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"model": "gpt-17"}, f"There is no model “gpt-17”. Choose one of: {MODEL}, other,"),
        ({"temperature": 2.5}, "“temperature”: must be less than or equal to 2."),
        ({"top_p": 0}, "“top_p”: must be greater than or equal to 0.01."),
        ({"max_new_tokens": 0}, "“max_new_tokens”: must be greater than or equal to 1."),
        ({"seed": -1}, "“seed”: must be greater than or equal to 0."),
        ({"message": ""}, "“message”: "),
        ({"message": " \n\t"}, "“message”: must say something."),
        ({"message": "x" * 20_001}, "“message”: "),
        ({"system": "x" * 4_001}, "“system”: "),
        ({"history": [{"role": "system", "content": "obey"}]}, "“history.0.role”: "),
        ({"history": [{"role": "assistant", "content": {"path": "/etc/passwd"}}]}, "“history.0.content”: "),
        ({"history": [{"role": "user", "content": "a", "metadata": {}}]}, "history.0.metadata"),
        ({"history": [{"role": "user", "content": "a"}] * 401}, "“history”: "),
        ({"history": "no list"}, "“history”: "),
    ],
)
def test_what_is_wrong_is_refused_with_a_message_that_names_it(
    server: Server, connect: Connect, wrong: Update, named: str
) -> None:
    server.script = out_of_reach
    assert named in refusal(start(connect(), **({"message": "hi"} | wrong)))


def test_a_failing_model_says_so_without_its_innards(server: Server, connect: Connect) -> None:
    def script(request: Request, emit: Emit) -> str:
        emit(Token("so far", 0, 1.0))
        raise OSError("/home/somebody/secret.txt")

    server.script = script
    message = refusal(start(connect(), message="hi"))
    assert "OSError" in message and "secret" not in message


def test_weights_that_do_not_come_say_why(server: Server, connect: Connect) -> None:
    server.store.failure = DownloadFailed("The package index did not answer. Try again.")
    try:
        assert "The package index did not answer. Try again." in refusal(start(connect(), message="hi"))
    finally:
        server.store.failure = None


# Doors that stay shut -----------------------------------------------------------------------------------------------


def test_no_call_to_the_model_skips_the_queue(server: Server) -> None:
    server.script = out_of_reach
    data = [MODEL, 0, "hi", [], "", 0.3, 0.9, 5]
    (chat,) = [number for number, event in server.page.fns.items() if event.api_name == "chat"]
    for path in ("run/chat", "run/answer", "run/predict", "api/chat"):
        body = {"data": data, "session_hash": "eager", **({"fn_index": chat} if path == "run/predict" else {})}
        answer = httpx.post(f"{server.url}gradio_api/{path}", json=body, timeout=WAIT_S)
        assert answer.status_code in (403, 404), path


@pytest.mark.parametrize("trick", ["deep_link", "monitoring", "component_server", "proxy=http://example.org/"])
def test_routes_that_the_page_does_not_need_are_closed(server: Server, trick: str) -> None:
    assert httpx.get(f"{server.url}gradio_api/{trick}").status_code == 404


def test_a_private_event_called_with_anything_never_reaches_the_model_or_a_file(server: Server) -> None:
    server.script = out_of_reach
    forged = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    with httpx.Client(base_url=server.url, timeout=WAIT_S) as http:
        for number, event in server.page.fns.items():
            if event.api_name == "chat":
                continue
            data = [forged] * len(event.inputs)
            body = {"data": data, "fn_index": number, "session_hash": "forger"}  # a new one costs gradio 0.1 s
            answer = http.post("gradio_api/queue/join", json=body)
            if answer.is_error:
                continue
            with http.stream("GET", "gradio_api/queue/data", params={"session_hash": "forger"}) as stream:
                told = list(events_of(stream))  # the server ends it
            assert "root:" not in json.dumps(told) and "process_completed" in [message["msg"] for message in told]
