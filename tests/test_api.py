"""The public API as other programs see it: one endpoint, keyword arguments, events as JSON, errors to be read."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from gradio_client import handle_file
from PIL import Image

from pipelines.chat import ChatRequest, Message
from pipelines.code_request import CodeRequest
from pipelines.events import Alternative, Emit, Progress, Token, Xray
from pipelines.run import RECORDED
from pipelines.spec import Request
from pipelines.tasks_request import TaskRequest
from tests.calls import Connect, events_of, join, refusal, start, updates
from tests.conftest import MODEL, WAIT_S, Endless, Server, a_step, wait_for
from tests.pipelines.fakes import Gate, say

PUBLIC = {"/chat", "/code", "/write", "/image", "/video", "/shape", "/speech", "/music", "/enhance"}

# What there is ------------------------------------------------------------------------------------------------------


def test_there_is_one_public_endpoint_for_each_kind_of_job(connect: Connect) -> None:
    endpoints = connect().view_api(return_format="dict", print_info=False)
    assert set(endpoints["named_endpoints"]) == PUBLIC and not endpoints["unnamed_endpoints"]


@pytest.mark.parametrize(
    ("name", "kind", "fields", "needed"),
    [
        ("/chat", ChatRequest, "message history system xray begin_with images", ["message"]),
        ("/code", CodeRequest, "task instruction code language", []),
        ("/write", TaskRequest, "task text instruction language tone length level prompt", []),
    ],
)
def test_an_endpoints_parameters_are_the_request_fields(
    connect: Connect, name: str, kind: type[Request], fields: str, needed: list[str]
) -> None:
    endpoints = connect().view_api(return_format="dict", print_info=False)
    endpoint = endpoints["named_endpoints"][name]
    parameters = {p["parameter_name"]: p for p in endpoint["parameters"]}
    assert set(parameters) == {*fields.split(), "model", "temperature", "top_p", "max_new_tokens", "seed"}
    assert [name for name, p in parameters.items() if not p["parameter_has_default"]] == needed
    assert parameters["temperature"]["parameter_default"] == kind.model_fields["temperature"].default
    assert [output["label"] for output in endpoint["returns"]] == ["update", "file"]


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
        "xray": True,
        "begin_with": [5, 0, 77],
    }
    connect().predict(**sent, api_name="/chat")
    history = (Message(role="user", content=" a"), Message(role="assistant", content="```\n  b\n```\n"))
    assert seen == [ChatRequest(**(sent | {"history": history}))]
    assert seen[0].model_dump()["begin_with"] == (5, 0, 77)


def test_pictures_are_sent_as_files_and_each_belongs_to_its_message(
    server: Server, connect: Connect, tmp_path: Path
) -> None:
    seen: list[Request] = []

    def script(request: Request, emit: Emit) -> str:
        seen.append(request)
        return "a picture"

    server.script = script
    for name in ("red", "blue"):
        Image.new("RGB", (8, 8), name).save(tmp_path / f"{name}.png")
    pictures = [handle_file(tmp_path / f"{name}.png") for name in ("red", "blue")]
    history = [{"role": "user", "content": "look", "pictures": 1}, {"role": "assistant", "content": "I do"}]
    update, _ = connect().predict(message="and this?", history=history, images=pictures, api_name="/chat")
    (request,) = seen
    assert isinstance(request, ChatRequest) and [message.pictures for message in request.said] == [1, 0, 1]
    assert request.images == tuple((tmp_path / f"{name}.png").read_bytes() for name in ("red", "blue"))
    digests = [f"sha256:{sha256(data).hexdigest()}" for data in request.images]
    assert update["recipe"]["options"]["images"] == digests


def test_a_call_streams_the_events_with_exactly_their_fields(server: Server, connect: Connect) -> None:
    def script(request: Request, emit: Emit) -> str:
        emit(Progress(256, 300, "Reading", "tokens"))
        emit(Token(" Hel", 7, 0.25, Xray(2.5, 1, 0.5, (Alternative(" Hel", 7, 0.25, 0.5),))))
        emit(Token("lo\n", 8, 1.0))
        return " Hello\n"

    server.script = script
    *events, last = updates(start(connect(), message="hi", seed=3))
    events = [event for event in events if event["type"] != "queued" and event.get("label") != "Fetching"]
    alternative = {"text": " Hel", "id": 7, "p": 0.25, "drawn": 0.5, "end": False}
    xray = {"entropy": 2.5, "rank": 1, "drawn": 0.5, "alternatives": [alternative], "end": False}
    assert [event for event in events if event != {"type": "progress", **PROGRESS_HEARTBEAT}] == [
        {"type": "progress", "done": 256, "total": 300, "label": "Reading", "unit": "tokens"},
        {"type": "token", "text": " Hel", "id": 7, "p": 0.25, "xray": xray},
        {"type": "token", "text": "lo\n", "id": 8, "p": 1.0, "xray": None},
    ]
    recipe = last.pop("recipe")
    assert last == {"type": "result", "text": " Hello\n", "stopped_by": "end", "left_out": 0}
    assert set(recipe.pop("versions")) == set(RECORDED)
    options = ChatRequest(message="hi").model_dump(exclude={"model", "seed"}) | {"history": [], "begin_with": []}
    assert options["images"] == []
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
