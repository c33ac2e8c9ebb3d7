"""Tasks about code, with a scripted chat and with a tiny real one: prompts, gaps, and code that is never run."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipelines import catalog, catalog_file, chat
from pipelines.chat import Begun, ChatPipeline, ChatRequest, Continuation
from pipelines.code import CodePipeline, Coder, prompt
from pipelines.code_catalog import CODERS
from pipelines.code_fim import FAMILIES
from pipelines.code_languages import LANGUAGES
from pipelines.code_request import CURSOR, MOST_CODE, MOST_INSTRUCTION, CodeRequest
from pipelines.errors import BadRequest
from pipelines.events import Cancelled, Code, Emit, Text, Token, Update
from pipelines.spec import Registry, validate
from tests.pipelines import tiny
from tests.pipelines.fakes import CPU

ROOT = Path(__file__).parents[2]
QWEN = FAMILIES["qwen"]
TASKS = ("write", "complete", "explain", "fix", "translate", "test")


@dataclass
class Scribe:
    """A chat that says what it was told to, a few characters at a time."""

    text: str
    step: int = 3
    asked: list[ChatRequest] = field(default_factory=list)

    def run(self, request: ChatRequest, emit: Emit) -> Text:
        self.asked.append(request)
        for n, start in enumerate(range(0, len(self.text), self.step)):
            emit(Token(self.text[start : start + self.step], n, 0.5))
        return Text((request.beginning if isinstance(request, Begun) else "") + self.text, "end")


def run(chat: Any, request: CodeRequest, fim: Any = None) -> tuple[Code, list[Update]]:
    events: list[Update] = []
    return CodePipeline(chat, Coder(fim)).run(request, events.append), events


def told(events: list[Update]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


def test_the_result_has_the_code_apart_and_what_the_parser_says() -> None:
    answer = "Sure:\n```python\nx = = 1\n```\nDone."
    result, events = run(Scribe(answer), CodeRequest(instruction="Set x."))
    assert told(events) == result.text == answer
    assert (result.code, result.problem, result.language) == ("x = = 1", "Line 1: Invalid syntax.", "python")


@pytest.mark.parametrize("task", TASKS)
def test_a_prompt_has_all_that_was_said(task: Any) -> None:
    request = CodeRequest(task=task, instruction="Mind {braces}.", code="f = '{x}'\n", language="rust", seed=4)
    asked = prompt(request)
    assert "Mind {braces}." in asked and "Rust" in asked
    assert ("f = '{x}'" in asked) == (task != "write")
    assert (CURSOR in asked) == (task == "complete")
    chat = Scribe("")
    run(chat, request)
    assert chat.asked == [ChatRequest(message=asked, seed=4, temperature=0.2, max_new_tokens=1_024)]


@pytest.mark.parametrize("task", TASKS)
def test_a_small_model_is_begun_for_and_who_reads_sees_the_whole_answer(task: Any) -> None:
    events: list[Update] = []
    scribe = Scribe("it() {}\n```\nThat is it.")
    request = CodeRequest(task=task, instruction="a", code="b", language="javascript")
    result = CodePipeline(scribe, Coder(begins=True)).run(request, events.append)
    if task == "explain":
        assert scribe.asked == [ChatRequest(message=prompt(request), temperature=0.2, max_new_tokens=1_024)]
        return
    (asked,) = scribe.asked
    assert isinstance(asked, Begun) and asked.message == prompt(request)
    assert asked.beginning == '```javascript\ntest("' if task == "test" else "```javascript\n"
    assert told(events) == result.text == asked.beginning + scribe.text
    assert result.code == ('test("' if task == "test" else "") + "it() {}"


def test_a_model_that_ends_at_once_has_said_what_was_begun() -> None:
    result = CodePipeline(Scribe(""), Coder(begins=True)).run(CodeRequest(instruction="a"), lambda update: None)
    assert (result.text, result.code) == ("```python\n", "")


def test_the_longest_request_is_no_longer_than_a_message() -> None:
    for task in TASKS:
        request = CodeRequest(task=task, instruction="x" * MOST_INSTRUCTION, code="x" * MOST_CODE)  # type: ignore[arg-type]
        run(Scribe(""), request)
        run(Scribe(""), request, QWEN)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_gap_is_shown_with_what_is_around_it(family: str) -> None:
    fim = FAMILIES[family]
    asked = fim.prompt("BEFORE{suffix}", "AFTER{prefix}")
    assert asked.count("BEFORE{suffix}") == asked.count("AFTER{prefix}") == 1
    assert len(asked) == len(fim.template) - len("{prefix}{suffix}") + len("BEFORE{suffix}AFTER{prefix}")
    mark = fim.template.split("{prefix}")[0].strip() or fim.ends[0]
    with pytest.raises(BadRequest, match="takes for a mark"):
        fim.prompt(f"a {mark} b", "")


@pytest.mark.parametrize("step", [1, 3, 7, 100])
@pytest.mark.parametrize("end", QWEN.ends)
def test_a_gap_ends_at_a_mark_and_no_reader_sees_any_of_it(step: int, end: str) -> None:
    code = f"def f(x):\n    return {CURSOR}\n\nprint(f(2))\n"
    chat = Scribe(f"x < 2 <| x{end}def more(): pass", step)
    result, events = run(chat, CodeRequest(task="complete", code=code), QWEN)
    assert told(events) == result.text == "x < 2 <| x"
    assert result.code == code.replace(CURSOR, "x < 2 <| x")
    assert isinstance(chat.asked[0], Continuation)
    assert chat.asked[0].message == QWEN.prompt("def f(x):\n    return ", "\n\nprint(f(2))\n")


def test_what_only_looks_like_a_mark_is_kept() -> None:
    result, events = run(Scribe("a <|fim", 2), CodeRequest(task="complete", code="x = "), QWEN)
    assert told(events) == result.text == "a <|fim" and result.code == "x = a <|fim"


def test_cancelling_ends_a_gap_too() -> None:
    def emit(update: Update) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        CodePipeline(Scribe("x"), Coder(QWEN)).run(CodeRequest(task="complete", code="y = "), emit)


@pytest.fixture(scope="module")
def coder(tmp_path_factory: pytest.TempPathFactory) -> ChatPipeline:
    return chat.load(CPU, tiny.save(tmp_path_factory.mktemp("tiny"), "qwen2"), 512)


def test_a_real_model_goes_on_with_the_marks_as_they_are(coder: ChatPipeline) -> None:
    """Against the library called plainly."""
    import torch

    request = CodeRequest(task="complete", code=f"a{CURSOR}b", temperature=0, max_new_tokens=12)
    ids = torch.tensor([coder._tokenizer.encode(QWEN.prompt("a", "b"))])
    plain = coder.writer.model.generate(ids, do_sample=False, max_new_tokens=12)[0, ids.shape[1] :].tolist()
    _, events = run(coder, request, QWEN)
    assert [event.id for event in events if isinstance(event, Token)] == [n for n in plain if n not in coder._ends]


def test_a_real_model_goes_on_with_what_was_begun(coder: ChatPipeline) -> None:
    """Against the library called plainly. The beginning counts as a part of the answer."""
    import torch

    request = CodeRequest(instruction="a", temperature=0, max_new_tokens=12)
    beginning = coder._tokenizer.encode("```python\n", add_special_tokens=False)
    asked = [{"role": "user", "content": prompt(request)}]
    text = coder._tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=False)
    ids, most = torch.tensor([[*text, *beginning]]), 12 - len(beginning)
    plain = coder.writer.model.generate(ids, do_sample=False, max_new_tokens=most)[0, ids.shape[1] :].tolist()
    events: list[Update] = []
    result = CodePipeline(coder, Coder(begins=True)).run(request, events.append)
    assert [event.id for event in events if isinstance(event, Token)] == [n for n in plain if n not in coder._ends]
    assert told(events) == result.text and result.text.startswith("```python\n")
    short = request.model_copy(update={"max_new_tokens": 1})
    assert "```python\n".startswith(CodePipeline(coder, Coder(begins=True)).run(short, events.append).text)


def test_a_real_model_answers_every_task_and_the_same_seed_the_same(coder: ChatPipeline) -> None:
    for task in TASKS:
        request = CodeRequest(task=task, instruction="a", code="b", max_new_tokens=6, temperature=1, seed=3)  # type: ignore[arg-type]
        first, again = (run(coder, request)[0] for _ in range(2))
        assert first == again


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "“instruction” must say what to write"),
        ({"task": "fix"}, "“code” must have something to fix"),
        ({"task": "test", "code": " \n"}, "“code” must have something to write tests for"),
        ({"task": "complete", "code": f"{CURSOR} {CURSOR}"}, "one gap to fill"),
        ({"instruction": "x", "language": "klingon"}, "“language”"),
        ({"instruction": "x", "task": "run"}, "“task”"),
        ({"instruction": "x", "code": "x" * (MOST_CODE + 1)}, "“code”"),
        ({"instruction": "x", "system": "x"}, "There is no setting “system”"),
    ],
)
def test_what_is_missing_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        validate(CodeRequest, values)


def test_a_request_has_the_fields_that_programs_rely_on() -> None:
    names = "task instruction code language model temperature top_p max_new_tokens seed"
    assert set(CodeRequest.model_fields) == set(names.split())


def test_every_chat_model_takes_code_and_coders_are_listed_apart() -> None:
    registry = Registry(catalog.models(CPU))
    assert [spec.id for spec in registry.of("code")] == [coder.id for coder in CODERS]
    for spec in [*registry.of("chat"), *registry.of("code")]:
        assert spec.takes(CodeRequest(instruction="x")) and spec.takes(ChatRequest(message="x"))
    assert isinstance(registry["qwen2.5-coder-7b"].answering(CodeRequest(instruction="x"), Scribe("")), CodePipeline)
    assert CodeRequest.model_fields["model"].default == registry.of("chat")[0].id


@pytest.mark.parametrize(("parameters", "begins"), [(1, True), (2_000_000_000, False)])
def test_a_catalog_file_adds_coders(tmp_path: Path, parameters: int, begins: bool) -> None:
    facts = f'licence = "MIT"\nparameters = {parameters}\nlayers = 1\nkv_heads = 1\nhead_dim = 1\ncontext = 9'
    file = tmp_path / "models.toml"
    file.write_text(f'[[code]]\nid = "mine"\ntitle = "Mine"\nrepo = "a/b"\nfim = "starcoder"\n{facts}\n')
    (spec,) = catalog_file.read(file, CPU).models
    assert spec.modality == "code" and spec.also[CodeRequest] == Coder(FAMILIES["starcoder"], begins)


def test_nothing_here_could_execute_code() -> None:
    """ast.parse is all that Python's own machinery is used for."""
    dangerous = {
        "exec",
        "eval",
        "compile",
        "__import__",
        "execfile",
        "system",
        "popen",
        "spawn",
        "run_code",
        "globals",
    }
    modules = {"subprocess", "os", "runpy", "code", "codeop", "pty", "multiprocessing", "ctypes", "pickle", "marshal"}
    for file in [*(ROOT / "pipelines").glob("code*.py"), *(ROOT / "ui").glob("code*.py")]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in dangerous, f"{file.name} calls {node.func.id}"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ast":
                assert node.attr == "parse", f"{file.name} uses ast.{node.attr}"
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not modules & {name.split(".")[0] for name in names}, f"{file.name} imports {names}"
    grammars = {facts.grammar[0] for facts in LANGUAGES.values()} - {""}
    assert all(name.startswith("tree_sitter_") for name in grammars)  # what code_syntax imports by name
