"""Programs get code apart from the words, and long texts in parts; both from the one chat model that is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.chat import ChatRequest
from pipelines.events import Emit, Token
from pipelines.spec import Request
from tests.calls import Connect, refusal, start, updates
from tests.conftest import MODEL, Server
from tests.pipelines.fakes import say

ANSWER = ("Here:\n", "```python\n", "def f():\n", "    return 1\n", "```\n", "It returns one.")
LONG = "\n\n".join(f"Paragraph {n} tells of thing number {n}. " * 30 for n in range(16))


def test_code_comes_apart_and_as_a_file_that_says_what_it_is(server: Server, connect: Connect) -> None:
    server.script = say(*ANSWER)
    *before, (last, file) = start(connect(), "/code", instruction="Return one.", seed=5)
    tokens = [update["text"] for update, _ in before if update["type"] == "token"]
    assert tuple(tokens) == ANSWER and last["text"] == "".join(ANSWER)
    assert (last["code"], last["language"], last["problem"]) == ("def f():\n    return 1", "python", "")
    mark = f"# Made by AI (trainedAlgorithmicMedia) with Polymuse: {MODEL}, seed 5\n"
    assert Path(file).read_text("utf-8") == f"{mark}{last['code']}\n"
    assert last["recipe"]["options"]["instruction"] == "Return one." and last["recipe"]["seed"] == 5


def test_chat_code_and_tasks_are_answered_by_one_loaded_model(server: Server, connect: Connect) -> None:
    seen: list[Request] = []

    def script(request: Request, emit: Emit) -> str:
        seen.append(request)
        return "ok"

    server.script = script
    client = connect()
    client.predict(message="hi", api_name="/chat")
    client.predict(task="explain", code="x = 1", api_name="/code")
    client.predict(text="A text.", api_name="/write")
    assert [type(request) for request in seen] == [ChatRequest] * 3
    held = [model.id for model in server.engine.status().models]
    assert held.count(MODEL) == 1


def test_a_long_text_is_taken_in_parts_that_are_announced(server: Server, connect: Connect) -> None:
    asked: list[str] = []

    def script(request: Request, emit: Emit) -> str:
        assert isinstance(request, ChatRequest)
        asked.append(request.message)
        emit(Token(f"Summary {len(asked)}. ", 0, 1.0))
        return f"Summary {len(asked)}. "

    server.script = script
    told = updates(start(connect(), "/write", text=LONG))
    parts = [update for update in told if update["type"] == "progress" and update["unit"] == "parts"]
    assert len(parts) == len(asked) > 2 and parts[-1]["label"] == f"Joining {len(parts) - 1} parts"
    assert [part["done"] for part in parts] == list(range(len(parts)))
    assert told[-1]["text"] == f"Summary {len(asked)}. "
    assert "Summary 1." in asked[-1] and "Summary 2." in asked[-1] and "Paragraph" not in asked[-1]


@pytest.mark.parametrize(
    ("name", "given", "named"),
    [
        ("/code", {"task": "fix"}, "“code” must have something to fix"),
        ("/code", {"instruction": "x", "language": "klingon"}, "“language”"),
        ("/code", {"instruction": "x", "model": "kokoro-82m"}, "answers SpeechRequests, not CodeRequests"),
        ("/write", {"task": "translate"}, "“text” must have something to translate"),
        ("/write", {"text": "x" * 100_001}, "“text”"),
    ],
)
def test_what_is_wrong_is_named(connect: Connect, name: str, given: dict[str, Any], named: str) -> None:
    assert named in refusal(start(connect(), name, **given))
