"""Texts and code as files that say that AI made them, and their recipe as a file beside them.

A sound file carries its recipe inside; in a program that would be a page of comment, so here it is a file of its own,
with the digest of the text that it belongs to.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256

from pipelines.code_languages import LANGUAGES, CodeLanguage
from pipelines.errors import BadRequest
from pipelines.events import Recipe
from pipelines.sound_file import MADE_BY_AI, SOFTWARE


def code(text: str, language: CodeLanguage, recipe: Recipe) -> bytes:
    """A program, with a comment in its first line, or where the language wants another line there, its second."""
    opens, closes = LANGUAGES[language].comment
    mark = f"{opens}{_mark(recipe)}{closes}\n"
    first, newline, rest = text.partition("\n")
    if first.startswith(("#!", "<!DOCTYPE", "<!doctype", "<?")):
        return f"{first}{newline or chr(10)}{mark}{rest}".rstrip("\n").encode() + b"\n"
    return f"{mark}{text}".rstrip("\n").encode() + b"\n"


def text(words: str, recipe: Recipe) -> bytes:
    """A text, with a last line that says what it is."""
    return f"{words.strip()}\n\n-- \n{_mark(recipe)}\n".encode()


def recipe_of(file: bytes, recipe: Recipe) -> bytes:
    """The recipe of a file that was written here, as JSON."""
    about = {"title": MADE_BY_AI, "software": SOFTWARE, "sha256": sha256(file).hexdigest()}
    return json.dumps({**about, "recipe": asdict(recipe)}, ensure_ascii=False, indent=2).encode()


def read(data: bytes) -> Recipe:
    """The recipe in such a file. Raises BadRequest where there is none."""
    try:
        return Recipe(**json.loads(data)["recipe"])
    except (ValueError, TypeError, LookupError, RecursionError):
        raise BadRequest("This file carries no settings of Polymuse. Choose a recipe that was made here.") from None


def _mark(recipe: Recipe) -> str:
    return f"{MADE_BY_AI} with {SOFTWARE}: {recipe.model}, seed {recipe.seed}"
