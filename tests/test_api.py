"""The public API as other programs see it: one endpoint, keyword arguments, events as JSON, errors to be read."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.client import Job
from gradio_client.exceptions import AppError

from pipelines.chat import ChatRequest, Message
from pipelines.errors import DownloadFailed
from pipelines.events import Emit, Progress, Token
from pipelines.run import RECORDED
from pipelines.spec import Request
from tests.conftest import MODEL, WAIT_S, Endless, Server, a_step, wait_for
from tests.pipelines.fakes import Gate, say

Connect = Callable[[], Client]
Update = dict[str, Any]


@pytest.fixture(autouse=True)
def no_logging_noise(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.CRITICAL, "polymuse")
    yield


def start(client: Client, **kwargs: Any) -> Job:
    return client.submit(api_name="/chat", **kwargs)


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


PUBLIC = {"/chat", "/image", "/speech", "/music", "/enhance"}

# What there is ------------------------------------------------------------------------------------------------------


def test_there_is_one_public_endpoint_for_each_kind_of_job(connect: Connect) -> None:
    endpoints = connect().view_api(return_format="dict", print_info=False)
    assert set(endpoints["named_endpoints"]) == PUBLIC and not endpoints["unnamed_endpoints"]


def test_an_endpoints_parameters_are_the_request_fields(connect: Connect) -> None:
    endpoints = connect().view_api(return_format="dict", print_info=False)
    chat = endpoints["named_endpoints"]["/chat"]
    parameters = {p["parameter_name"]: p for p in chat["parameters"]}
    assert set(parameters) == {
        *("message", "history", "system", "model", "temperature", "top_p", "max_new_tokens", "seed")
    }
    assert [name for name, p in parameters.items() if not p["parameter_has_default"]] == ["message"]
    assert parameters["temperature"]["parameter_default"] == ChatRequest.model_fields["temperature"].default
    assert [output["label"] for output in chat["returns"]] == ["update", "file"]


def test_health_needs_no_model_and_counts_what_is_under_way(server: Server, connect: Connect) -> None:
    calm = httpx.get(f"{server.url}health").json()
    assert (calm["status"], calm["device"], calm["running"], calm["queue"]) == ("ok", "cpu", 0, 0)
    gate = Gate()
    server.script = lambda request, emit: gate() or "done"
    client = connect()
    jobs = [start(client, message="hello") for _ in range(3)]  # two of one visitor's at a time, the third waits
    assert gate.reached.wait(WAIT_S)
    wait_for(lambda: server.engine.status().queued == 1)
    busy = httpx.get(f"{server.url}health").json()
    gate.open.set()
    for job in jobs:
        job.result(WAIT_S)
    assert (busy["status"], busy["running"], busy["queue"]) == ("ok", 2, 1)
    assert {"id": MODEL, "title": MODEL.title(), "bytes": 10 * 1024, "in_use": True} in busy["models"]
    assert busy["memory"]["used"] <= busy["memory"]["budget"]


# What a call streams ------------------------------------------------------------------------------------------------


def test_a_call_needs_a_message_and_nothing_else(server: Server, connect: Connect) -> None:
    seen: list[Request] = []

    def script(request: Request, emit: Emit) -> str:
        seen.append(request)
        return "hello"

    server.script = script
    update, file = connect().predict(message="hi", api_name="/chat")
    assert (update["type"], update["text"], file) == ("result", "hello", None)
    assert seen == [ChatRequest(message="hi")]


def test_every_keyword_reaches_the_model_as_it_was_sent(server: Server, connect: Connect) -> None:
    seen: list[Request] = []

    def script(request: Request, emit: Emit) -> str:
        seen.append(request)
        return ""

    server.script = script
    sent = {
        "message": "  and\n\n    now?\n",
        "history": [{"role": "user", "content": " a"}, {"role": "assistant", "content": "```\n  b\n```\n"}],
        "system": "Be brief. ",
        "model": MODEL,
        "temperature": 0.7,
        "top_p": 0.5,
        "max_new_tokens": 9,
        "seed": 2**53 - 1,
    }
    connect().predict(**sent, api_name="/chat")
    history = (Message(role="user", content=" a"), Message(role="assistant", content="```\n  b\n```\n"))
    assert seen == [ChatRequest(**(sent | {"history": history}))]


def test_a_call_streams_the_events_with_exactly_their_fields(server: Server, connect: Connect) -> None:
    def script(request: Request, emit: Emit) -> str:
        emit(Progress(256, 300, "Reading the conversation", "tokens"))
        emit(Token(" Hel", 7, 0.25, ((" Hel", 0.25), (" Bye", 0.125))))
        emit(Token("lo\n", 8, 1.0))
        return " Hello\n"

    server.script = script
    *events, last = updates(start(connect(), message="hi", seed=3))
    events = [event for event in events if event["type"] != "queued" and event.get("label") != "Fetching"]
    assert [event for event in events if event != {"type": "progress", **PROGRESS_HEARTBEAT}] == [
        {"type": "progress", "done": 256, "total": 300, "label": "Reading the conversation", "unit": "tokens"},
        {"type": "token", "text": " Hel", "id": 7, "p": 0.25, "alternatives": [[" Hel", 0.25], [" Bye", 0.125]]},
        {"type": "token", "text": "lo\n", "id": 8, "p": 1.0, "alternatives": []},
    ]
    recipe = last.pop("recipe")
    assert last == {"type": "result", "text": " Hello\n", "stopped_by": "end", "left_out": 0}
    assert set(recipe.pop("versions")) == set(RECORDED)
    options = ChatRequest(message="hi").model_dump(exclude={"model", "seed"}) | {"history": []}
    assert recipe == {"model": MODEL, "revision": "r1", "seed": 3, "options": options}


PROGRESS_HEARTBEAT = {"done": 0, "total": 0, "label": "Loading the model", "unit": "steps"}


def test_events_arrive_while_the_model_still_works(server: Server, connect: Connect) -> None:
    gate = Gate()

    def script(request: Request, emit: Emit) -> str:
        emit(Token("early", 0, 1.0))
        gate()
        return "early"

    server.script = script
    job = start(connect(), message="hi")
    first = next(update for update, _ in job if update["type"] == "token")
    assert first["text"] == "early" and not job.done()
    gate.open.set()
    assert job.result(WAIT_S)[0]["type"] == "result"


def test_a_call_that_waits_is_told_its_place(server: Server, connect: Connect) -> None:
    gate = Gate()
    server.script = lambda request, emit: gate() or ""
    client = connect()
    jobs = [start(client, message=f"{n}") for n in range(2)]
    assert gate.reached.wait(WAIT_S)
    wait_for(lambda: server.engine.status().running == 2)
    third = start(client, message="2")
    queued = next(update for update, _ in third)
    gate.open.set()
    for job in (*jobs, third):
        assert job.result(WAIT_S)[0]["type"] == "result"
    assert set(queued) == {"type", "position", "ahead_s"} and (queued["type"], queued["position"]) == ("queued", 1)


def test_two_clients_are_served_at_once_and_get_their_own_answers(server: Server, connect: Connect) -> None:
    under_way: set[str] = set()

    def script(request: Request, emit: Emit) -> str:
        assert isinstance(request, ChatRequest)
        under_way.add(request.message)
        while len(under_way) < 2:
            emit(Token(request.message, 0, 1.0))
            a_step()
        return request.message

    server.script = script
    jobs = {message: start(connect(), message=message) for message in ("one", "two")}
    for message, job in jobs.items():
        assert {update["text"] for update in updates(job) if "text" in update} == {message}


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


# How a call ends early ----------------------------------------------------------------------------------------------


def test_cancelling_a_call_stops_the_model(server: Server, connect: Connect) -> None:
    server.script = endless = Endless()
    job = start(connect(), message="hi")
    next(update for update, _ in job if update["type"] == "token")
    job.cancel()
    assert endless.cancelled.wait(WAIT_S)
    wait_for(lambda: server.engine.status().running == 0)
    server.script = say("again")
    assert connect().predict(message="hi", api_name="/chat")[0]["text"] == "again"


def test_a_client_that_vanishes_gets_its_call_cancelled(server: Server) -> None:
    server.script = endless = Endless()
    with httpx.Client(base_url=server.url, timeout=WAIT_S) as http:
        join(http, {"message": "hi"}, "gone")
        with http.stream("GET", "gradio_api/queue/data", params={"session_hash": "gone"}) as stream:
            kinds = (message["msg"] for message in events_of(stream))
            assert [kind for kind, _ in zip(kinds, range(5), strict=False)].count("process_generating") >= 1
    assert endless.cancelled.wait(WAIT_S)
    wait_for(lambda: server.engine.status().running == 0)


def test_a_call_cancelled_elsewhere_ends_with_a_message(server: Server, connect: Connect) -> None:
    server.script = endless = Endless()
    job = start(connect(), message="hi")
    assert endless.started.wait(WAIT_S)
    (run,) = server.engine._active
    run.cancel()
    assert refusal(job) == "The job was cancelled."


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
            body = {"data": data, "fn_index": number, "session_hash": f"forger{number}"}
            answer = http.post("gradio_api/queue/join", json=body)
            if answer.is_error:
                continue
            with http.stream("GET", "gradio_api/queue/data", params={"session_hash": f"forger{number}"}) as stream:
                for message in events_of(stream):
                    assert "root:" not in json.dumps(message)
                    if message["msg"] == "process_completed":
                        break


# Helpers ------------------------------------------------------------------------------------------------------------


def join(http: httpx.Client, values: Update, session: str) -> None:
    """Call /chat as a browser would: join the queue under a session of one's own."""
    config = http.get("config").json()
    (chat,) = [event for event in config["dependencies"] if event["api_name"] == "chat"]
    names = list(ChatRequest.model_fields)
    defaults = {name: field.default for name, field in ChatRequest.model_fields.items()} | {"history": []}
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
