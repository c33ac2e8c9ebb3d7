"""The programming languages of the code tab, as data: how each is called, written to a file, commented and parsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CodeLanguage = Literal[
    "python",
    "javascript",
    "typescript",
    "java",
    "c",
    "cpp",
    "csharp",
    "go",
    "rust",
    "php",
    "ruby",
    "bash",
    "sql",
    "html",
    "css",
]


@dataclass(frozen=True)
class Facts:
    """About one language. `editor` is gradio's name for the nearest that its editor can colour.

    `grammar` is a package of the tree-sitter project and its function; "" where Python's own parser is used. `prose`:
    a sentence in English would pass as code too. `words`: what is open is closed by words or tags rather than
    brackets. `tests` is what its unit tests are usually written with.
    """

    title: str
    extension: str
    editor: str | None
    comment: tuple[str, str]
    grammar: tuple[str, str]
    names: frozenset[str]  # after the three backticks before a block
    tests: str
    prose: bool = False
    words: bool = False


SLASHES = ("// ", "")
HASH = ("# ", "")


def _facts(
    title: str,
    extension: str,
    editor: str | None,
    comment: tuple[str, str],
    grammar: tuple[str, str],
    names: str,
    tests: str,
    **more: bool,
) -> Facts:
    return Facts(title, extension, editor, comment, grammar, frozenset(names.split()), tests, **more)


JS, TS = ("tree_sitter_javascript", "language"), ("tree_sitter_typescript", "language_tsx")
PHP, RUBY = ("tree_sitter_php", "language_php"), ("tree_sitter_ruby", "language")
HTML, CSS = ("tree_sitter_html", "language"), ("tree_sitter_css", "language")
SH, SQL = ("tree_sitter_bash", "language"), ("tree_sitter_sql", "language")
TAG, STARS = ("<!-- ", " -->"), ("/* ", " */")

LANGUAGES: dict[CodeLanguage, Facts] = {
    "python": _facts("Python", "py", "python", HASH, ("", ""), "python py python3", "pytest"),
    "javascript": _facts("JavaScript", "js", "javascript", SLASHES, JS, "javascript js jsx node", "Jest"),
    "typescript": _facts("TypeScript", "ts", "typescript", SLASHES, TS, "typescript ts tsx", "Jest"),
    "java": _facts("Java", "java", "cpp", SLASHES, ("tree_sitter_java", "language"), "java", "JUnit"),
    "c": _facts("C", "c", "c", SLASHES, ("tree_sitter_c", "language"), "c h", "assert.h"),
    "cpp": _facts("C++", "cpp", "cpp", SLASHES, ("tree_sitter_cpp", "language"), "cpp c++ cc hpp", "GoogleTest"),
    "csharp": _facts("C#", "cs", "cpp", SLASHES, ("tree_sitter_c_sharp", "language"), "csharp c# cs", "xUnit"),
    "go": _facts("Go", "go", "cpp", SLASHES, ("tree_sitter_go", "language"), "go golang", "the package testing"),
    "rust": _facts("Rust", "rs", "cpp", SLASHES, ("tree_sitter_rust", "language"), "rust rs", "#[test]"),
    "php": _facts("PHP", "php", "javascript", SLASHES, PHP, "php", "PHPUnit", prose=True),
    "ruby": _facts("Ruby", "rb", "python", HASH, RUBY, "ruby rb", "minitest", prose=True, words=True),
    "bash": _facts("Bash", "sh", "shell", HASH, SH, "bash sh shell zsh", "bats", prose=True, words=True),
    "sql": _facts("SQL", "sql", "sql", ("-- ", ""), SQL, "sql", "queries that check it", prose=True),
    "html": _facts("HTML", "html", "html", TAG, HTML, "html", "Jest", prose=True, words=True),
    "css": _facts("CSS", "css", "css", STARS, CSS, "css", "Jest", prose=True),
}
