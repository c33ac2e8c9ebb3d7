"""The code tab's events, as the page sends them: an error shown before the end, nothing lost, Stop is last."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from pipelines import text_file
from pipelines.chat import ChatRequest, Continuation
from pipelines.code import Coder
from pipelines.code_request import CURSOR, CodeRequest
from pipelines.code_syntax import check
from pipelines.events import Emit, Token
from pipelines.spec import Request, validate
from tests.conftest import MODEL, WAIT_S, Endless, Server
from tests.pipelines.fakes import Gate, say
from tests.ui.visitor import Visitor
from ui import code_view, states
from ui.code import EXAMPLES
from ui.code_run import CodeDesk

ASKED: dict[str, Any] = {
    "task": "write",
    "instruction": "One.",
    "code": "",
    "language": "python",
    "model": MODEL,
    "temperature": 0.2,
    "top_p": 0.9,
    "max_new_tokens": 64,
    "seed": 1,
    "random_seed": False,
}


STANDS = ("go", "stop", "result", "report", "words", "line", "use")


@pytest.fixture
def visitor(served: Server) -> Iterator[Visitor]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        yield Visitor(served, http, f"code-{token_hex(4)}", "ui.code")


def stands(visitor: Visitor) -> dict[str, Any]:
    return dict(zip(STANDS, visitor.call("code_stands", None), strict=True))


def written(visitor: Visitor, **changed: Any) -> dict[str, Any]:
    """Ask, to the end; returns how things stand."""
    assert visitor.ended("on_code", None, *(ASKED | changed).values())["success"]
    assert visitor.ended("coding", None)["success"]
    return stands(visitor)


def test_code_and_words_come_apart_with_what_the_parser_says(served: Server, visitor: Visitor) -> None:
    served.script = say("Here:\n", "```py\nx = <b>\n", "```\n", "It is **one**.")
    shown = written(visitor)
    assert shown["result"]["value"] == "x = <b>" and shown["result"]["visible"]
    assert shown["words"]["value"] == "Here:\n\nIt is **one**."
    assert 'data-state="wrong"' in shown["report"] and "x = &lt;b&gt;" in shown["report"]
    assert shown["go"]["visible"] and not shown["stop"]["visible"] and shown["use"]["visible"]
    assert 'data-state="done"' in shown["line"]


def test_an_error_shows_while_the_rest_is_still_being_written(served: Server, visitor: Visitor) -> None:
    gate = Gate()

    def script(request: Request, emit: Emit) -> str:
        for line in ("```python\n", "def f()\n", "    return 1\n", "x = 2\n"):
            emit(Token(line, 0, 1.0))
        gate()
        return "```python\ndef f()\n    return 1\nx = 2\n```"

    served.script = script
    assert visitor.ended("on_code", None, *ASKED.values())["success"]
    for _ in visitor.join("coding", None):
        if gate.reached.is_set() and not gate.open.is_set() and 'data-state="wrong"' in stands(visitor)["report"]:
            shown = stands(visitor)
            assert "Line 1: Expected" in shown["report"] and shown["stop"]["visible"]
            gate.open.set()
    assert gate.open.is_set()


def test_a_fix_is_compared_with_what_came_in(served: Server, visitor: Visitor) -> None:
    served.script = say("```python\nx = 1\ny = '<i>'\n```")
    report = written(visitor, task="fix", code="x = 1\ny = <i>\n")["report"]
    assert "1 line added" in report and "1 line removed" in report
    assert "y = &lt;i&gt;" in report and "y = &#x27;&lt;i&gt;&#x27;" in report and "<i>" not in report
    assert "pm-diff" not in written(visitor, task="translate", code="x = 1", language="rust")["report"]


def test_a_gap_that_has_a_line_of_its_own_is_no_line_that_was_removed(served: Server, visitor: Visitor) -> None:
    served.script = say("```python\ndef f(a):\n    a += 1\n    return a\n```")
    report = written(visitor, task="complete", code=f"def f(a):\n    {CURSOR}\n    return a")["report"]
    assert "1 line added" in report and "0 lines removed" in report


def test_an_answer_without_code_says_so_and_shows_no_empty_editor(served: Server, visitor: Visitor) -> None:
    served.script = say("I have put it right.")
    shown = written(visitor, task="fix", code="x = 1")
    assert "The model wrote no code." in shown["report"] and "Download as text" in shown["report"]
    assert not shown["result"]["visible"] and shown["words"]["value"] == "I have put it right."
    assert "no code" not in written(visitor, task="explain", code="x = 1")["report"]


def test_a_gap_is_filled_by_a_model_that_can(served: Server, visitor: Visitor) -> None:
    seen: list[Request] = []

    def script(request: Request, emit: Emit) -> str:
        seen.append(request)
        emit(Token("a + b", 0, 1.0))
        return "a + b"

    served.script = script
    shown = written(visitor, task="complete", code=f"def f(a, b):\n    return {CURSOR}\n", model="a-coder")
    assert shown["result"]["value"] == "def f(a, b):\n    return a + b"
    assert isinstance(seen[0], Continuation) and "1 line added" in shown["report"]
    written(visitor, task="complete", code="x = ")
    assert type(seen[1]) is ChatRequest


def test_files_say_what_they_are_and_how_they_were_made(served: Server, visitor: Visitor) -> None:
    served.script = say("```rust\nfn main() {}\n```")
    report = written(visitor, language="rust")["report"]
    program, recipe = (Path(unquote(at)) for at in re.findall(r'href="gradio_api/file=([^"]+)"', report))
    assert program.name == "polymuse-code.rs" and check(program.read_text(), "rust").state == "fine"
    assert program.read_text().splitlines()[0].startswith("// Made by AI")
    assert text_file.read(recipe.read_bytes()).options["language"] == "rust"


def test_an_explanation_has_no_editor_and_is_a_text(served: Server, visitor: Visitor) -> None:
    served.script = say("It makes ", "a list.\n```python\n[1]\n```")
    shown = written(visitor, task="explain", code="[x for x in y]")
    assert not shown["result"]["visible"] and shown["words"]["value"].startswith("It makes a list.")
    assert "polymuse-explanation.txt" in shown["report"] and "pm-syntax" not in shown["report"]


def test_stop_keeps_what_was_written(served: Server, visitor: Visitor) -> None:
    served.script = endless = Endless()
    assert visitor.ended("on_code", None, *(ASKED | {"task": "explain", "code": "x"}).values())["success"]
    shown: dict[str, Any] = {}
    for _ in visitor.join("coding", None):
        if "1" in stands(visitor)["words"]["value"]:
            shown = dict(zip(STANDS, visitor.call("on_stop_code", None), strict=True))
            break
    assert "what was written is kept" in shown["line"] and shown["words"]["value"].startswith("0 1")
    assert shown["go"]["visible"] and endless.cancelled.wait(WAIT_S)
    assert "polymuse-explanation.txt" in shown["report"] and "polymuse-recipe.json" in shown["report"]


def test_a_run_that_was_given_up_with_its_page_says_that_it_stopped(served: Server, visitor: Visitor) -> None:
    served.script = endless = Endless()
    assert visitor.ended("on_code", None, *(ASKED | {"task": "explain", "code": "x"}).values())["success"]
    for _ in visitor.join("coding", None):
        if "1" in stands(visitor)["words"]["value"]:
            break  # the stream is closed, as when the page is left
    assert endless.cancelled.wait(WAIT_S)
    while (shown := stands(visitor))["stop"]["visible"]:
        time.sleep(0.05)
    assert 'data-state="stopped"' in shown["line"] and "what was written is kept" in shown["line"]
    assert shown["go"]["visible"] and shown["words"]["value"].startswith("0 1")


def test_what_was_asked_last_is_not_lost_where_nothing_came_of_it(served: Server, visitor: Visitor) -> None:
    key, *_ = visitor.call("on_return", "", None)
    written(visitor)

    def script(request: Request, emit: Emit) -> str:
        raise RuntimeError

    served.script = script
    written(visitor, instruction="Two.")
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        again = Visitor(served, http, f"code-{token_hex(4)}", "ui.code").call("on_return", key, None)
    assert "Two." in again


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"instruction": " "}, "Say what the program should do first."),
        ({"task": "fix"}, "Paste some code first."),
        ({"code": "x", "task": "complete", "instruction": "x" * 4_001}, "“instruction”"),
    ],
)
def test_what_is_refused_changes_nothing(served: Server, visitor: Visitor, wrong: Any, named: str) -> None:
    served.script = say("```python\nx = 1\n```")
    before = written(visitor)
    last = visitor.ended("on_code", None, *(ASKED | wrong).values())
    assert not last["success"] and named in last["output"]["error"]
    assert stands(visitor) == before


def test_one_can_go_on_with_what_was_written(served: Server, visitor: Visitor) -> None:
    served.script = say("```python\nx = 1\n```")
    written(visitor)
    assert visitor.call("on_use", None) == ["fix", "x = 1"]


def test_every_example_is_a_request() -> None:
    for task, instruction, code, language in EXAMPLES.values():
        validate(CodeRequest, {"task": task, "instruction": instruction, "code": code, "language": language})


def test_who_did_nothing_keeps_nothing() -> None:
    desk = CodeDesk()
    assert not desk.used and not desk.at_work
    desk.begin(validate(CodeRequest, {"instruction": "x"}), Coder())
    assert desk.used and desk.at_work
    desk.stop()
    assert desk.shown() == CodeDesk().shown() and desk.line == states.stopped()


# What is shown ------------------------------------------------------------------------------------------------------


def test_a_comparison_has_every_changed_line_and_few_others() -> None:
    old = [f"line {n}" for n in range(60)]
    new = [*old[:20], "<new>", *old[21:50], *old[51:]]
    html = code_view.diff("\n".join(old), "\n".join(new))
    assert re.findall(r'data-kind="(add|del)"', html) == ["del", "add", "del"]
    assert html.count('data-kind="same"') == 12 and "&lt;new&gt;" in html and "<new>" not in html
    assert code_view.diff("a\nb", "a\nb") == ""


def test_a_long_comparison_is_cut_and_says_so() -> None:
    html = code_view.diff("", "\n".join(map(str, range(1_000))))
    assert html.count("<tr") == code_view.MOST_ROWS and "600 more lines" in html


def test_comparing_anything_takes_no_time() -> None:
    done = threading.Event()

    def compare() -> None:
        code_view.diff("\n" * 15_000, "\n".join("ab" * 5_000))
        done.set()

    threading.Thread(target=compare, daemon=True).start()
    assert done.wait(WAIT_S)
