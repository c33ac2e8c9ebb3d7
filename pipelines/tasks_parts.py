"""Long texts in parts that fit a model, and the passages of one that a question is about."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

JOINTS = (r"(?<=\n)\s*\n", r"(?<=\n)", r"(?<=[.!?…])\s+|(?<=[。！？])", r"\s+")  # paragraphs, lines, sentences, words
PASSAGE = 700  # bytes: a paragraph


def size(text: str) -> int:
    """How many tokens a text has at most: no token is less than a byte."""
    return len(text.encode())


def parts(text: str, most: int) -> list[str]:
    """The text in order, nothing left out, in parts of up to `most` bytes that are about equally long.

    They end at a paragraph, else a line, else a sentence, else a word, as far as that is possible.
    """
    count = math.ceil(size(text) / most)
    wanted = min(most, math.ceil(size(text) / max(1, count) * 1.1))
    found = [""]
    for piece in _pieces(text, wanted, JOINTS):
        if found[-1].strip() and size(found[-1]) + size(piece) > wanted:
            found.append("")
        found[-1] += piece
    return [part.strip() for part in found if part.strip()]


def _pieces(text: str, most: int, joints: Sequence[str]) -> Iterator[str]:
    """What the parts are put together from: as large as they may be, joined they are the text."""
    if size(text) <= most:
        yield text
    elif not joints:
        yield from _cut(text, most)
    else:
        start = 0
        for joint in re.finditer(joints[0], text):
            if joint.end() > start:
                yield from _pieces(text[start : joint.end()], most, joints[1:])
            start = joint.end()
        yield from _pieces(text[start:], most, joints[1:])


def _cut(text: str, most: int) -> Iterator[str]:
    """A word without an end, cut between characters."""
    piece, length = "", 0
    for character in text:
        length += size(character)
        if piece and length > most:
            yield piece
            piece, length = "", size(character)
        piece += character
    yield piece


def passages(text: str, question: str, most: int) -> tuple[list[str], int]:
    """The passages that share most with the question, in their order, of up to `most` bytes; and of how many.

    Words that few passages have count most (BM25, Robertson et al. 1995). Endings are ignored beyond six letters.
    """
    pieces = parts(text, min(PASSAGE, most))
    words = [Counter(_words(piece)) for piece in pieces]
    mean = sum(map(Counter.total, words)) / len(words) or 1
    scores = [0.0] * len(pieces)
    for word in set(_words(question)):
        having = sum(word in counted for counted in words)
        rare = math.log(1 + (len(words) - having + 0.5) / (having + 0.5))
        for n, counted in enumerate(words):
            often = counted[word]
            scores[n] += rare * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * counted.total() / mean))
    chosen: list[int] = []
    room = most
    for n in sorted(range(len(pieces)), key=lambda n: (-scores[n], n)):
        if size(pieces[n]) + 2 > room:
            break
        chosen.append(n)
        room -= size(pieces[n]) + 2
    return [pieces[n] for n in sorted(chosen)], len(pieces)


def _words(text: str) -> list[str]:
    return [word[:6] for word in re.findall(r"\w+", text.lower())]
