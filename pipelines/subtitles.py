"""Captions as files: SRT, which players and editors read, and WebVTT, which pages read and which has room for notes.

Captions are lines: neither their words nor their speakers have line breaks in them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from html import escape

from pipelines.errors import BadRequest
from pipelines.events import Caption, Recipe
from pipelines.sound_file import MADE_BY_AI, SOFTWARE

ARROW = "-->"  # what both formats know a line of times by
RECIPE = f"NOTE {SOFTWARE} recipe: "


def srt(captions: Sequence[Caption]) -> str:
    """SubRip: a number, the times with commas, the words.

    It has no comments, and what is not a caption would be shown as one: that AI made this, and how, is said by the
    sound that it belongs to. Nor has it escapes: an arrow in the words becomes one character, or players would take
    the line for one of times.
    """
    blocks = [
        f"{number}\n{_time(one.start, ',')} --> {_time(one.end, ',')}\n{_named(one)}\n"
        for number, one in enumerate(captions, 1)
    ]
    return "\n".join(blocks)


def vtt(captions: Sequence[Caption], recipe: Recipe) -> str:
    """WebVTT, each speaker a voice. Notes, which no player shows, say that AI made it and carry the recipe."""
    blocks = [
        f"{_time(one.start, '.')} --> {_time(one.end, '.')}\n"
        + (f"<v {escape(one.speaker)}>" if one.speaker else "")
        + f"{escape(one.text, quote=False)}\n"
        for one in captions
    ]
    notes = f"NOTE {MADE_BY_AI} with {SOFTWARE}\n", f"{RECIPE}{_noted(recipe)}\n"
    return "\n".join(["WEBVTT\n", *notes, *blocks])


def read(data: bytes) -> Recipe:
    """The recipe in a WebVTT file that we wrote. Raises BadRequest where there is none."""
    try:
        lines = data.decode().splitlines()
        (found, *_) = [line for line in lines if line.startswith(RECIPE)]
        return Recipe(**json.loads(found.removeprefix(RECIPE)))
    except (ValueError, TypeError):
        raise BadRequest("This file carries no settings of Polymuse. Choose captions that were made here.") from None


def _noted(recipe: Recipe) -> str:
    """JSON that no parser takes for the end of a note: a line of ASCII without arrows, which only texts can have."""
    return json.dumps(asdict(recipe)).replace(ARROW, ARROW.replace(">", r"\u003e"))


def _time(seconds: float, mark: str) -> str:
    """_time(75.5, ",") == "00:01:15,500"."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"


def _named(caption: Caption) -> str:
    words = f"{caption.speaker}: {caption.text}" if caption.speaker else caption.text
    return words.replace(ARROW, "→")
