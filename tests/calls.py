"""The API as other programs call it: through gradio's client, and below it as a browser would."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.client import Job
from gradio_client.exceptions import AppError

from pipelines.chat import ChatRequest
from pipelines.events import Emit
from pipelines.spec import Request
from tests.conftest import WAIT_S

Connect = Callable[[], Client]
Update = dict[str, Any]


def start(client: Client, name: str = "/chat", **kwargs: Any) -> Job:
    return client.submit(api_name=name, **kwargs)


def updates(job: Job) -> list[Update]:
    """Everything the call streams, once each; the file must stay empty."""
    outputs = list(job)
    assert all(file is None for _, file in outputs)
    return [update for update, _ in outputs]


def refusal(job: Job) -> str:
    """The message that a call ends with instead of a result."""
    with pytest.raises(AppError) as error:
        job.result(WAIT_S)
    return str(error.value)


def join(http: httpx.Client, values: Update, session: str) -> None:
    """Call /chat as a browser would: join the queue under a session of one's own."""
    config = http.get("config").json()
    (chat,) = [event for event in config["dependencies"] if event["api_name"] == "chat"]
    names = list(ChatRequest.model_fields)
    defaults = {name: field.default for name, field in ChatRequest.model_fields.items()} | {
        "history": [],
        "begin_with": [],
    }
    data = [(defaults | values)[name] for name in names]
    http.post(
        "gradio_api/queue/join", json={"data": data, "fn_index": chat["id"], "session_hash": session}
    ).raise_for_status()


def events_of(stream: httpx.Response) -> Iterator[Update]:
    for line in stream.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))


def out_of_reach(request: Request, emit: Emit) -> str:
    raise AssertionError("what should have been refused reached the model")
