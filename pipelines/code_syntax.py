"""Whether code can be parsed, also while it is still being written. Nothing is ever run, imported or compiled.

Python is read by its own parser, the others by tree-sitter's grammars, which carry on past an error and say where it
is. Half-written code is not called wrong for what may still come: the line that is being written is left out, and
what is only unclosed or unfinished is "incomplete" until the end has come.
"""

from __future__ import annotations

import ast
import re
import threading
import time
import warnings
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from pipelines.code_languages import LANGUAGES, CodeLanguage

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

State = Literal["empty", "fine", "incomplete", "wrong"]
CLOSERS = {"(": ")", "[": "]", "{": "}"}
UNFINISHED = re.compile(r"was never closed|unterminated triple-quoted|unexpected EOF|EOF in multi-line")
NEEDS_A_BLOCK = re.compile(r"expected an indented block after .* on line (\d+)")
MOST_NODES = 200_000  # looked at in one tree: more are in none of a length that we take
MOST_S = 0.25  # of computing for one tree: a program of fifteen thousand characters takes a fiftieth
PIECE, PIECE_S = 1_000, 0.05  # bytes, and seconds of computing: of a program it takes a fiftieth of them


@dataclass(frozen=True)
class Syntax:
    """What a parser says. `line` is counted from 1, 0 where there is nothing to point at."""

    state: State
    line: int = 0
    message: str = ""

    @property
    def problem(self) -> str:
        """What is wrong, in a sentence; "" if nothing is."""
        if self.state not in ("wrong", "incomplete"):
            return ""
        return f"Line {self.line}: {self.message}." if self.line else f"{self.message}."


ENDLESS = Syntax("wrong", 0, "This takes too long to be parsed")


def check(code: str, language: CodeLanguage, finished: bool = True) -> Syntax:
    """What the language's parser says of the code, of which more may come unless it is `finished`."""
    if not finished:
        code = code[: code.rfind("\n") + 1]
    if not code.strip():
        return Syntax("empty")
    found = _python(code) if language == "python" else _others(code, language, finished)
    return Syntax("wrong", found.line, found.message) if finished and found.state == "incomplete" else found


def language_of(code: str, likely: CodeLanguage) -> CodeLanguage | None:
    """Which language code is in: the first whose parser has nothing against it, beginning with the `likely` one.

    None if none fits. Those whose parsers take a sentence in English, too, are only found if they are likely.
    """
    if not code.strip():
        return None
    others = (name for name, facts in LANGUAGES.items() if not facts.prose and name != likely)
    return next((name for name in (likely, *others) if check(code, name).state == "fine"), None)


# Python ------------------------------------------------------------------------------------------------------------


def _python(code: str) -> Syntax:
    error = _refused(code)
    if error is None:
        return Syntax("fine")
    line, message = error
    return Syntax("incomplete" if _may_go_on(code, line, message) else "wrong", line, _sentence(message))


def _refused(code: str) -> tuple[int, str] | None:
    """Where and why Python's parser refuses this code; None if it does not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in strings: the code is somebody else's
            ast.parse(code)
    except SyntaxError as error:
        return error.lineno or 1, error.msg
    except (RecursionError, MemoryError):
        return 0, "This is nested too deeply to be parsed"
    return None


def _may_go_on(code: str, line: int, message: str, tries: int = 3) -> bool:
    """Whether more lines could put this right, as far as a few `tries` tell."""
    if UNFINISHED.search(message):
        return True
    lines = code.splitlines()
    last = max((n for n, text in enumerate(lines, 1) if text.strip() and not text.lstrip().startswith("#")), default=0)
    if needs := NEEDS_A_BLOCK.search(message):  # as it does where any other line follows the first one of its block
        head = lines[int(needs[1]) - 1]
        body = "case _: pass" if "'match' statement" in message else "pass"
        code += " " * (len(head) - len(head.lstrip()) + 1) + body + "\n"
        still = _refused(code)
        return still is None or (tries > 0 and still != (line, message) and _may_go_on(code, *still, tries - 1))
    if "expected 'except' or 'finally' block" in message or lines[last - 1].lstrip().startswith("@"):
        return line >= last
    return False


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:].rstrip(".")


# The others --------------------------------------------------------------------------------------------------------


def _others(code: str, language: CodeLanguage, finished: bool) -> Syntax:
    source = code.encode()
    error, opened = _read(source, language)
    if error is None:
        return Syntax("fine")
    if finished:
        return error
    if LANGUAGES[language].words:  # nothing that could be added here closes an “if” or a tag
        return Syntax("incomplete", error.line, error.message)
    if error == ENDLESS:
        return error
    closed, _ = _read(source + "".join(reversed(opened)).encode(), language)
    if closed is None or closed.line >= source.count(b"\n"):
        return Syntax("incomplete", error.line, error.message)
    return closed


def _read(source: bytes, language: CodeLanguage) -> tuple[Syntax | None, list[str]]:
    """What is wrong first, if anything, and what would close the brackets that are open at the end."""
    with _lock:
        tree = _tree(source, language)
        if tree is None:
            return ENDLESS, []
        error: Syntax | None = None
        opened: list[str] = []
        pending, seen = [tree.root_node], 0
        while pending and seen < MOST_NODES:
            node, seen = pending.pop(), seen + 1
            if error is None and (node.is_error or node.is_missing):
                error = _error(node, source)
            if node.type in CLOSERS:
                opened.append(CLOSERS[node.type])
            elif opened and node.type == opened[-1] and not node.is_missing:
                opened.pop()
            pending += reversed(node.children)
        return error, opened


def _tree(source: bytes, language: CodeLanguage) -> Tree | None:
    """What the grammar makes of the source; None where that would take too long.

    Parsing past errors can take a time that is quadratic in what is read, and nothing else runs meanwhile. Part of it
    cannot be stopped, such as what is done at the end. So short pieces are tried first: there it shows, and is over.
    """
    pieces = [source[at : at + PIECE] for at in range(0, len(source), PIECE)]
    if len(pieces) > 1 and any(_in_time(piece, language, PIECE_S) is None for piece in pieces):
        return None
    return _in_time(source, language, MOST_S)


def _in_time(source: bytes, language: CodeLanguage, most: float) -> Tree | None:
    parser, until = _parser(language), time.thread_time() + most
    try:
        tree = parser.parse(lambda at, _: source[at:], progress_callback=lambda *_: time.thread_time() > until)
    except ValueError:  # so it says that it was stopped
        parser.reset()
        return None
    return tree if time.thread_time() <= until else None


def _error(node: Node, source: bytes) -> Syntax:
    line = node.start_point[0] + 1
    if node.is_missing:
        return Syntax("wrong", line, f"“{node.type}” is missing")
    words = source[node.start_byte : node.end_byte].decode(errors="replace").split()
    return Syntax(
        "wrong", line, f"“{' '.join(words)[:40]}” cannot be understood here" if words else "Something is missing"
    )


_lock = threading.Lock()  # a parser is used by one thread at a time


@cache
def _parser(language: CodeLanguage) -> Parser:
    from tree_sitter import Language, Parser

    module, function = LANGUAGES[language].grammar
    return Parser(Language(getattr(import_module(module), function)()))
