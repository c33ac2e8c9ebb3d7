"""Code is parsed while it is written: an error shows before the end, and what is only unfinished is no error."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random
from typing import get_args

import pytest

from pipelines.code_languages import LANGUAGES, CodeLanguage
from pipelines.code_syntax import ENDLESS, check, language_of
from tests.pipelines.code_samples import SAMPLES

OURS = sorted((Path(__file__).parents[2] / "pipelines").glob("*.py"))
BY_BRACKETS = [language for language, facts in LANGUAGES.items() if not facts.words]


def test_every_language_has_its_facts_and_a_sample() -> None:
    assert set(LANGUAGES) == set(SAMPLES) == set(get_args(CodeLanguage))


@pytest.mark.parametrize("language", LANGUAGES)
def test_right_code_is_fine(language: CodeLanguage) -> None:
    assert check(SAMPLES[language], language).state == "fine"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_beginning_of_right_code_is_never_wrong(language: CodeLanguage) -> None:
    code = SAMPLES[language]
    cuts = {n + back for n, character in enumerate(code, 1) if character == "\n" for back in (0, -1, 3)}
    states = {cut: check(code[:cut], language, finished=False) for cut in cuts}
    assert {cut: found for cut, found in states.items() if found.state == "wrong"} == {}
    assert {"incomplete", "fine"} <= {found.state for found in states.values()}


@pytest.mark.parametrize("file", OURS[::4], ids=lambda file: file.stem)
def test_the_beginning_of_a_real_file_is_never_wrong(file: Path) -> None:
    code, luck = file.read_text("utf-8"), Random(0)
    for cut in luck.sample(range(len(code)), 40):
        assert check(code[:cut], "python", finished=False).state != "wrong", code[:cut][-200:]


@pytest.mark.parametrize("language", BY_BRACKETS)
def test_an_error_shows_before_the_end(language: CodeLanguage) -> None:
    lines = SAMPLES[language].splitlines(keepends=True)
    at = 4 if language == "python" else len(lines) // 2  # in Python a bracket that is open there excuses much
    broken = "".join([*lines[:at], ") ] = = ( }\n", *lines[at : at + 2]])
    found = check(broken, language, finished=False)
    assert found.state == "wrong" and found.problem and 1 <= found.line <= at + 3


def test_the_line_of_an_error_is_named() -> None:
    found = check("def f():\n    return 1\n\nfor x in y\n    print(x)\nz = 1\n", "python", finished=False)
    assert (found.state, found.problem) == ("wrong", "Line 4: Expected ':'.")
    found = check("function f() {\n  return 1;\n}\nlet = = 3;\nlet y = 1;\n", "javascript", finished=False)
    assert (found.state, found.line) == ("wrong", 4)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_incomplete_at_the_end_is_wrong(language: CodeLanguage) -> None:
    code = SAMPLES[language]
    halves = (code[: code.find("\n", cut) + 1] for cut in range(0, len(code), 40))
    half = next(half for half in halves if check(half, language, finished=False).state == "incomplete")
    assert check(half, language).state == "wrong" and check(half, language).problem


@pytest.mark.parametrize("language", [name for name, facts in LANGUAGES.items() if not facts.prose])
def test_the_language_of_code_is_told(language: CodeLanguage) -> None:
    assert language_of(SAMPLES[language], "python") == language


def test_what_only_a_lenient_grammar_takes_is_in_no_language_unless_that_is_likely() -> None:
    assert language_of("This is a sentence.", "python") is None
    assert language_of(SAMPLES["sql"], "python") is None
    assert language_of(SAMPLES["sql"], "sql") == "sql"
    assert language_of(" \n", "python") is None


def test_the_line_that_is_being_written_is_left_out() -> None:
    assert check("x = 1\ny = = ", "python", finished=False).state == "fine"
    assert check("x = 1\ny = = ", "python").state == "wrong"
    assert check("x = ", "python", finished=False).state == check(" \n", "python").state == "empty"


@pytest.mark.parametrize(
    "odd", ["-" * 15_000 + "1", "not " * 3_000, "(" * 300, "a\0b", "x" * 15_000, "\ud800"[:0] + "é\r\n"]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_can_be_sent_breaks_the_parser(language: CodeLanguage, odd: str) -> None:
    assert check(odd, language).state in ("fine", "wrong")
    assert check(odd + "\n", language, finished=False).state in ("fine", "incomplete", "wrong")


def test_code_is_parsed_and_not_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    assert check(f"open({str(trap)!r}, 'w').close()", "python").state == "fine"
    assert not trap.exists()


@pytest.mark.parametrize("before", ["", "// a remark\n" * 500])
@pytest.mark.parametrize(("language", "odd"), [("java", "x=>"), ("c", "x=>"), ("c", "<!--"), ("go", "<!--")])
def test_what_takes_the_grammar_too_long_is_given_up(language: CodeLanguage, odd: str, before: str) -> None:
    """Its time grows with the square: whole, this takes half a minute, in which nothing else runs."""
    begun = time.thread_time()
    found = check(before + odd * (9_000 // len(odd)), language)
    assert found == ENDLESS and found.problem == "This takes too long to be parsed."
    assert time.thread_time() - begun < 2
    assert check(SAMPLES[language] * 20, language) != ENDLESS
