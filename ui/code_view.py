"""What is said of code, as HTML: what its parser thinks, and what changed. Pure functions; all of it is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import escape
from pathlib import Path
from typing import Literal

from pipelines.code_languages import LANGUAGES, CodeLanguage
from pipelines.code_syntax import Syntax
from ui import files

AROUND = 3  # unchanged lines shown next to a change
MOST_ROWS = 400
SIGNS = {"same": " ", "add": "+", "del": "−"}
EMPTY = (
    '<div class="pm-code-empty"><strong>Describe a small program</strong><p>The code appears here while it is being '
    "written, and is parsed line by line. It is never run.</p></div>"
)

NO_CODE = '<p class="pm-limits">The model wrote no code. Start again, or choose another model.</p>'


@dataclass(frozen=True)
class Row:
    """A line of a comparison: where it was, where it is (counted from 1, 0 if nowhere), and its text."""

    kind: Literal["same", "add", "del", "gap"]
    old: int
    new: int
    text: str


def syntax(found: Syntax, code: str, language: CodeLanguage, writing: bool) -> str:
    """What the parser says, announced when it changes."""
    parser = "Python's own parser" if language == "python" else f"The {LANGUAGES[language].title} grammar"
    says = {
        "empty": "",
        "fine": f"{parser} finds no error{' so far' if writing else ''}.",
        "incomplete": f"{parser} waits for the rest: something is still open.",
        "wrong": found.problem,
    }[found.state]
    lines = code.splitlines()
    where = ""
    if found.state == "wrong" and 0 < found.line <= len(lines):
        where = f"<code>{escape(lines[found.line - 1].strip()[:120])}</code>"
    title = "Syntax error" if found.state == "wrong" else "Syntax"
    return (
        f'<div class="pm-syntax" data-state="{found.state}" role="status" aria-live="polite">'
        + (f"<span>{title}</span><p>{escape(says)}</p>{where}" if says else "")
        + "</div>"
    )


def diff(before: str, after: str) -> str:
    """What changed, line by line; "" if nothing did."""
    rows = list(_rows(before.splitlines(), after.splitlines()))
    added, removed = (sum(row.kind == kind for row in rows) for kind in ("add", "del"))
    if not added + removed:
        return ""
    shown = "".join(_row(row) for row in rows[:MOST_ROWS])
    rest = f"<p>{len(rows) - MOST_ROWS:,} more lines are not shown.</p>" if len(rows) > MOST_ROWS else ""
    return (
        f'<section class="pm-diff" aria-label="What changed"><p class="pm-diff-head">What changed: '
        f"<ins>{_lines(added)} added</ins>, <del>{_lines(removed)} removed</del></p>"
        '<div class="pm-diff-body" role="group" aria-label="Lines" tabindex="0">'
        f"<table><tbody>{shown}</tbody></table></div>{rest}</section>"
    )


def downloads(links: Mapping[str, Path]) -> str:
    """Links to files, by what they are called here."""
    made = (
        f'<a href="{escape(files.address(path))}" download="{escape(path.name)}">{escape(title)}</a>'
        for title, path in links.items()
    )
    return f'<p class="pm-work-actions pm-downloads">{"".join(made)}</p>' if links else ""


def _rows(old: list[str], new: list[str]) -> Iterator[Row]:
    """All that changed with a few lines around it, and a gap for what was left out."""
    for group in SequenceMatcher(None, old, new).get_grouped_opcodes(AROUND):
        if group[0][1] or group[0][3]:
            yield Row("gap", group[0][1] + 1, group[0][3] + 1, "")
        for kind, old_from, old_to, new_from, new_to in group:
            if kind == "equal":
                for n in range(old_to - old_from):
                    yield Row("same", old_from + n + 1, new_from + n + 1, old[old_from + n])
                continue
            yield from (Row("del", n + 1, 0, old[n]) for n in range(old_from, old_to))
            yield from (Row("add", 0, n + 1, new[n]) for n in range(new_from, new_to))


def _row(row: Row) -> str:
    if row.kind == "gap":
        return '<tr data-kind="gap"><td></td><td></td><td></td><td>…</td></tr>'
    return (
        f'<tr data-kind="{row.kind}"><td>{row.old or ""}</td><td>{row.new or ""}</td><td>{SIGNS[row.kind]}</td>'
        f"<td>{escape(row.text)}</td></tr>"
    )


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"
