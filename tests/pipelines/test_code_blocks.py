"""The code in an answer, told from the words around it while both are still coming."""

from __future__ import annotations

import pytest

from pipelines.code_blocks import Answer, read

CODE = "def f(x):\n    return f'`{x}`'\n\n\nprint(f(1))"
ANSWER = f"Here it is:\n\n```python\n{CODE}\n```\n\nIt prints one.\n"


def test_code_and_words_are_told_apart() -> None:
    assert read(ANSWER, "python") == Answer(CODE, "Here it is:\n\nIt prints one.")


def test_what_was_read_as_code_while_it_came_stays_code() -> None:
    for cut in range(len(ANSWER)):
        so_far = read(ANSWER[:cut], "python", finished=False)
        assert CODE.startswith(so_far.code.rstrip("\n")), repr(ANSWER[:cut])
        assert "`" not in so_far.prose
        assert so_far.closed is ("1))\n```\n" in ANSWER[:cut])


@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_every_kind_of_fence_holds(fence: str) -> None:
    inner = "a = '''\n```\n'''" if fence != "```" else "a = 1"
    assert read(f"{fence}py\n{inner}\n{fence}", "python").code == inner


def test_of_several_blocks_the_one_in_the_language_is_the_code() -> None:
    text = "```bash\npip install x\n```\nthen\n```python\nimport x\n```\nand\n```python\nx.y()\n```"
    answer = read(text, "python")
    assert answer.code == "import x"
    assert "pip install x" in answer.prose and "x.y()" in answer.prose
    assert read(text, "rust").code == "pip install x"


def test_an_answer_that_was_cut_off_keeps_its_code() -> None:
    assert read("```python\nx = 1\ny = ", "python").code == "x = 1\ny = "
    assert read("```", "python").code == ""


def test_bare_code_is_code_once_it_is_complete_and_a_sentence_never_is() -> None:
    assert read("x = 1\nprint(x)\n", "python").code == "x = 1\nprint(x)"
    assert read("x = 1\nprint(x)\n", "python", finished=False).code == ""
    for language in ("python", "javascript", "ruby", "html", "sql", "bash", "css", "php"):
        answer = read("This program prints the number one.", language)  # type: ignore[arg-type]
        assert (answer.code, answer.prose) == ("", "This program prints the number one.")


def test_a_long_line_that_is_no_fence_takes_no_time() -> None:
    """Tried in every way to match it, this one would take minutes, and nothing else would run."""
    line = "~" * 4_000 + "`"
    assert read(line, "rust").prose == line
