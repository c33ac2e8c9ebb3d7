"""The code in a model's answer, told from the words around it, also while the answer is still being written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.code_languages import LANGUAGES, CodeLanguage
from pipelines.code_syntax import check

FENCE = re.compile(r" {0,3}(`{3,}+|~{3,}+)[ \t]*+([^\s`]*+)[^`\n]*+$")  # gives nothing back: a long line takes no time
MAYBE_A_FENCE = re.compile(r"(?:^|\n)[ \t]*[`~]{1,3}\Z")


@dataclass(frozen=True)
class Answer:
    """An answer taken apart: the code, and everything else that was said. `closed`: no more code will come."""

    code: str
    prose: str
    closed: bool = True


@dataclass(frozen=True)
class _Block:
    """A stretch of the answer: in a fence or, with `name` None, outside of any. `source` is how it was written."""

    name: str | None
    text: str
    source: str
    closed: bool = True


def read(text: str, language: CodeLanguage, finished: bool = True) -> Answer:
    """The answer so far. Of several blocks the first in this language is the code, else the first of all.

    An answer without any block is code if its language's parser takes it and would not take a sentence. A last line
    that may become a fence is left out unless the answer is finished.
    """
    if not finished:
        text = MAYBE_A_FENCE.sub("", text)
    blocks = list(_blocks(text, finished))
    fenced = [block for block in blocks if block.name is not None]
    if not fenced:
        facts = LANGUAGES[language]
        bare = finished and not facts.prose and check(text, language).state == "fine"
        return Answer(text.strip("\n"), "") if bare else Answer("", text.strip(), finished)
    known = {"", *LANGUAGES[language].names}
    chosen = next((block for block in fenced if (block.name or "").lower() in known), fenced[0])
    prose = "\n\n".join(block.source.strip() for block in blocks if block is not chosen)
    return Answer(chosen.text, prose.strip(), chosen.closed)


def _blocks(text: str, finished: bool) -> Iterator[_Block]:
    name: str | None = None
    fence = ""
    lines: list[str] = []
    source: list[str] = []
    for line in text.splitlines(keepends=True):
        found = FENCE.match(line.rstrip("\n"))
        if found and name is None:
            if source:
                yield _Block(None, "", "".join(source))
            name, fence, lines, source = found[2], found[1], [], [line]
        elif found and found[1].startswith(fence) and not found[2]:
            yield _Block(name, "".join(lines).strip("\n"), "".join([*source, line]))
            name, fence, source = None, "", []
        else:
            source.append(line)
            lines.append(line)
    if name is not None:
        yield _Block(name, "".join(lines).lstrip("\n"), "".join(source), finished)
    elif source:
        yield _Block(None, "", "".join(source))
