"""Files of text and code say that AI made them; the program is still the same program."""

from __future__ import annotations

import ast
from hashlib import sha256
from typing import Any

import pytest

from pipelines import text_file
from pipelines.code_languages import LANGUAGES
from pipelines.code_syntax import check
from pipelines.errors import BadRequest
from pipelines.events import Recipe
from tests.pipelines.code_samples import SAMPLES

RECIPE = Recipe("qwen2.5-coder-7b", "abc", 7, {"task": "write", "code": "```é"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_program_says_so_in_a_comment_and_still_parses(language: Any) -> None:
    file = text_file.code(SAMPLES[language], language, RECIPE).decode()
    assert text_file.MADE_BY_AI in file and "qwen2.5-coder-7b, seed 7" in file
    assert check(file, language).state == "fine"
    first = SAMPLES[language].splitlines()[0]
    if first.startswith(("#!", "<!", "<?")):
        assert file.startswith(first)


def test_a_python_program_is_the_same_program() -> None:
    file = text_file.code(SAMPLES["python"], "python", RECIPE)
    assert ast.dump(ast.parse(file)) == ast.dump(ast.parse(SAMPLES["python"]))


def test_a_text_says_so_at_its_end() -> None:
    file = text_file.text("\nA summary.\n", RECIPE).decode()
    assert file.startswith("A summary.\n") and text_file.MADE_BY_AI in file.splitlines()[-1]


def test_the_recipe_comes_back_and_names_its_file() -> None:
    file = text_file.text("A summary.", RECIPE)
    data = text_file.recipe_of(file, RECIPE)
    assert text_file.read(data) == RECIPE
    assert sha256(file).hexdigest() in data.decode()
    for other in (b"[]", b"[" * 100_000):
        with pytest.raises(BadRequest):
            text_file.read(other)
