"""The write tab's events, as the page sends them: parts one by one, prompts of one's own, Stop keeps what is done."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import unquote

import gradio as gr
import httpx
import pytest

from pipelines import text_file
from pipelines.chat import ChatRequest
from pipelines.events import Emit, Token
from pipelines.spec import Request, validate
from pipelines.tasks_request import TaskRequest, preset
from tests.conftest import MODEL, WAIT_S, Endless, Server
from tests.ui.visitor import Visitor
from ui import files, states
from ui.write import EXAMPLES, FITTING, LIMITS, TASKS, WISHES
from ui.write_run import Page

LONG = "\n\n".join(f"Paragraph {n} tells of <thing> number {n}. " * 30 for n in range(16))
WISHED: dict[str, Any] = {
    "task": "summarise",
    "instruction": "",
    "text": "A short text.",
    "language": "French",
    "tone": "as it is",
    "length": "medium",
    "level": "anyone",
}
STANDS = ("go", "stop", "result", "parts", "line")
SHOWN = preset(validate(TaskRequest, {"text": "x"}))
SETTINGS = {"temperature": 0.3, "top_p": 0.9, "max_new_tokens": 64, "seed": 1, "random_seed": False}
ASKED = {**WISHED, "prompt": SHOWN, "model": MODEL, **SETTINGS}


@pytest.fixture
def visitor(served: Server) -> Iterator[Visitor]:
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        yield Visitor(served, http, f"write-{token_hex(4)}", "ui.write")


@pytest.fixture
def asked(served: Server) -> list[str]:
    """What the model was told; it answers with the number of the message."""
    told: list[str] = []

    def script(request: Request, emit: Emit) -> str:
        assert isinstance(request, ChatRequest)
        told.append(request.message)
        emit(Token(f"<Answer> {len(told)}", 0, 1.0))
        return f"<Answer> {len(told)}"

    served.script = script
    return told


def stands(visitor: Visitor) -> dict[str, Any]:
    return dict(zip(STANDS, visitor.call("write_stands", None), strict=True))


def written(visitor: Visitor, **changed: Any) -> dict[str, Any]:
    assert visitor.ended("on_write", None, None, *(ASKED | changed).values())["success"]
    assert visitor.ended("writing", None)["success"]
    return stands(visitor)


def links(report: str) -> list[Path]:
    """The files that are offered."""
    return [Path(unquote(at)) for at in re.findall(r'href="gradio_api/file=([^"]+)"', report)]


def test_a_short_text_is_one_question_and_one_answer(visitor: Visitor, asked: list[str]) -> None:
    shown = written(visitor)
    assert asked == [SHOWN.replace("{text}", "A short text.")]
    assert shown["result"]["value"] == "<Answer> 1" and shown["result"]["visible"]
    assert "pm-part" not in shown["parts"] and 'data-state="done"' in shown["line"]


def test_a_long_text_shows_its_parts_and_then_the_whole(visitor: Visitor, asked: list[str]) -> None:
    shown = written(visitor, text=LONG)
    labels = re.findall(r"<summary>([^<]+)<", shown["parts"])
    assert labels == [
        *(f"Part {n + 1} of {len(asked) - 1}" for n in range(len(asked) - 1)),
        f"Joining {len(asked) - 1} parts",
    ]
    assert shown["result"]["value"] == f"<Answer> {len(asked)}"
    assert "&lt;Answer&gt; 1" in shown["parts"] and "<Answer>" not in shown["parts"]


def test_stop_keeps_the_finished_parts(served: Server, visitor: Visitor) -> None:
    endless, parts = Endless(), 0

    def script(request: Request, emit: Emit) -> str:
        nonlocal parts
        parts += 1
        if parts == 3:
            return endless(request, emit)
        emit(Token(f"Summary of part {parts}.", 0, 1.0))
        return f"Summary of part {parts}."

    served.script = script
    assert visitor.ended("on_write", None, None, *(ASKED | {"text": LONG}).values())["success"]
    shown: dict[str, Any] = {}
    for _ in visitor.join("writing", None):
        if endless.started.is_set() and "Part 3 of" in stands(visitor)["parts"]:
            shown = dict(zip(STANDS, visitor.call("on_stop_writing", None), strict=True))
            break
    assert "2 finished parts kept" in shown["line"] and endless.cancelled.wait(WAIT_S)
    assert "Summary of part 1." in shown["parts"] and "Summary of part 2." in shown["parts"]
    file, recipe = links(shown["parts"])
    assert re.match(r"Part 1 of \d+\n\nSummary of part 1\.\n\nPart 2 of ", file.read_text())
    assert "Made by AI" in file.read_text()
    assert text_file.read(recipe.read_bytes()).revision == files.UNFINISHED
    assert shown["go"]["visible"] and not shown["stop"]["visible"]


def test_stop_says_that_what_there_is_of_the_first_part_is_kept(served: Server, visitor: Visitor) -> None:
    served.script = endless = Endless()
    assert visitor.ended("on_write", None, None, *(ASKED | {"text": LONG}).values())["success"]
    shown: dict[str, Any] = {}
    for _ in visitor.join("writing", None):
        if endless.started.is_set() and "0 1" in stands(visitor)["parts"]:
            shown = dict(zip(STANDS, visitor.call("on_stop_writing", None), strict=True))
            break
    assert "what was written is kept" in shown["line"] and len(links(shown["parts"])) == 2
    assert endless.cancelled.wait(WAIT_S)


def test_a_run_that_was_given_up_with_its_page_says_that_it_stopped(served: Server, visitor: Visitor) -> None:
    served.script = endless = Endless()
    assert visitor.ended("on_write", None, None, *ASKED.values())["success"]
    for _ in visitor.join("writing", None):
        if endless.started.is_set() and stands(visitor)["result"]["value"]:
            break  # the stream is closed, as when the page is left
    assert endless.cancelled.wait(WAIT_S)
    while (shown := stands(visitor))["stop"]["visible"]:
        time.sleep(0.05)
    assert 'data-state="stopped"' in shown["line"] and "what was written is kept" in shown["line"]
    assert shown["go"]["visible"] and shown["result"]["value"].startswith("0 1")
    file, recipe = links(shown["parts"])
    assert file.read_text().startswith("0 1") and "Made by AI" in file.read_text()
    assert text_file.read(recipe.read_bytes()).revision == files.UNFINISHED


def test_what_was_asked_last_is_not_lost_where_nothing_came_of_it(
    served: Server, visitor: Visitor, asked: list[str]
) -> None:
    key, *_ = visitor.call("on_return", "", None)
    written(visitor)

    def script(request: Request, emit: Emit) -> str:
        raise RuntimeError

    served.script = script
    written(visitor, text="Another text.")
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        again = Visitor(served, http, f"write-{token_hex(4)}", "ui.write").call("on_return", key, None)
    assert "Another text." in again


def test_a_translation_grows_part_by_part(served: Server, visitor: Visitor, asked: list[str]) -> None:
    shown = written(visitor, task="translate", text=LONG, max_new_tokens=1_000)
    assert shown["result"]["value"] == "\n\n".join(f"<Answer> {n + 1}" for n in range(len(asked)))
    assert len(asked) > 5 and all("into French" in message for message in asked)


def test_the_prompt_follows_what_is_chosen_until_it_is_changed_by_hand(visitor: Visitor, asked: list[str]) -> None:
    for_children = visitor.call("on_wish", None, SHOWN, *(WISHED | {"level": "a child"}).values())[0]
    assert "a child understands" in for_children
    written(visitor, prompt=for_children, level="a teenager")  # the field is behind what was chosen last
    assert "a teenager understands" in asked[-1]
    by_hand = "As a pirate: {text}"
    assert visitor.call("on_wish", None, by_hand, *WISHED.values())[0].get("__type__") == "update"
    written(visitor, prompt=by_hand)
    assert asked[-1] == "As a pirate: A short text."


def test_after_a_reload_the_prompt_follows_what_is_chosen_again(served: Server, visitor: Visitor) -> None:
    """The new page shows the first prompt again, whatever the one before had come to show."""
    key, *_ = visitor.call("on_return", "", None)
    for_children = visitor.call("on_wish", None, SHOWN, *(WISHED | {"level": "a child"}).values())[0]
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        again = Visitor(served, http, f"write-{token_hex(4)}", "ui.write")
        same, *_ = again.call("on_return", key, None)
        assert same == key
        assert again.call("on_wish", None, SHOWN, *(WISHED | {"level": "a child"}).values())[0] == for_children


def test_what_was_asked_is_back_after_a_reload_with_a_prompt_of_ones_own(
    served: Server, visitor: Visitor, asked: list[str]
) -> None:
    key, *_ = visitor.call("on_return", "", None)
    written(visitor, prompt="As a pirate: {text}", level="a child")
    with httpx.Client(base_url=served.url, timeout=WAIT_S) as http:
        again = Visitor(served, http, f"write-{token_hex(4)}", "ui.write")
        *_, level, prompt, model, _, seed = again.call("on_return", key, None)
        assert (level, prompt, model, seed) == ("a child", "As a pirate: {text}", MODEL, ASKED["seed"])
        by_hand = again.call("on_wish", None, prompt, *WISHED.values())[0]
        assert by_hand.get("__type__") == "update" and "value" not in by_hand


def test_a_text_that_is_too_long_leaves_the_prompt_as_it_is(visitor: Visitor) -> None:
    told = visitor.call("on_wish", None, SHOWN, *(WISHED | {"level": "a child", "text": "x" * 100_001}).values())[0]
    assert "a child understands" in told
    kept = visitor.call("on_wish", None, told, *(WISHED | {"instruction": "x" * 4_001}).values())[0]
    assert kept.get("__type__") == "update" and "value" not in kept


def test_no_field_for_a_text_cuts_what_is_pasted(served: Server) -> None:
    """On any tab: too much is refused with a message, and stays where it is."""
    boxes = [block for block in served.page.blocks.values() if isinstance(block, gr.Textbox)]
    texts = [box for box in boxes if box.max_lines and box.max_lines > 1]
    assert len(texts) > 6
    assert [box.elem_id for box in texts if box.max_length] == []


def test_a_text_file_says_what_it_is_and_its_recipe_is_beside_it(visitor: Visitor, asked: list[str]) -> None:
    report = written(visitor)["parts"]
    file, recipe = links(report)
    assert "Made by AI" in file.read_text() and file.read_text().startswith("<Answer> 1")
    assert text_file.read(recipe.read_bytes()).options["text"] == "A short text."


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"text": " "}, "Paste a text first."),
        ({"task": "answer"}, "Ask a question about the text first."),
        ({"task": "write"}, "Say what to write first."),
        ({"text": "x" * 100_001}, "This text has 100,001 characters; it may have up to 100,000."),
        ({"instruction": "x" * 4_001}, "“instruction”"),
    ],
)
def test_what_is_refused_changes_nothing(visitor: Visitor, asked: list[str], wrong: Any, named: str) -> None:
    before = written(visitor)
    last = visitor.ended("on_write", None, None, *(ASKED | {"prompt": SHOWN} | wrong).values())
    assert not last["success"] and named in last["output"]["error"]
    assert stands(visitor) == before and len(asked) == 1


def test_every_task_has_its_words_and_says_its_limits(visitor: Visitor) -> None:
    names = [name for _, name in TASKS]
    assert set(names) == set(WISHES) == set(FITTING)
    for name in names:
        *_, about = visitor.call("on_task", name, MODEL)
        assert LIMITS.get(name, LIMITS[""]) in about
    *_, about = visitor.call("on_task", "translate", "other")
    assert "pm-limits" not in about


def test_every_example_is_a_request() -> None:
    for name, (task, instruction, text, tone) in EXAMPLES.items():
        wished = {"task": task, "instruction": instruction, "text": text, "tone": tone}
        told = preset(validate(TaskRequest, wished))
        assert ("formal" in name) == ("formal" in told)


def test_who_did_nothing_keeps_nothing() -> None:
    page = Page()
    assert not page.used and page.kept() == ""
    page.begin(validate(TaskRequest, {"text": "x"}))
    assert page.used and page.at_work
    page.stop()
    assert page.shown() == Page().shown() and page.line == states.stopped()
