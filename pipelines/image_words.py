"""What a prompt for the built-in image model says of several things: which, and where they stand.

Two things in relation (“a fox next to an apple”, “a bee above a tulip”), or two or three of one kind (“three cars”).
The words around them, style and background, are told of each. What is not understood so is one thing, as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from pipelines.image_references import BACKGROUND, STYLE_WORDS

Spot = tuple[float, float]
APART = 0.25  # of the side: how far from the middle one of several stands, as in the pictures of the training
LEFT, RIGHT, ABOVE, BELOW = (-APART, 0.0), (APART, 0.0), (0.0, -APART), (0.0, APART)
SPOTS: dict[int, tuple[Spot, ...]] = {2: (LEFT, RIGHT), 3: (ABOVE, (-APART, APART), (APART, APART))}
RELATIONS: tuple[tuple[str, Spot, Spot], ...] = (  # words, and where what is before and after them stands
    (r"(?:to the )?right of", RIGHT, LEFT),
    (r"(?:to the )?left of|next to|beside|and", LEFT, RIGHT),
    (r"above|on top of|over", ABOVE, BELOW),
    (r"below|underneath|under|beneath", BELOW, ABOVE),
)
RELATED = re.compile(rf"\s+({'|'.join(words for words, _, _ in RELATIONS)})\s+", re.IGNORECASE)
COLOUR = "white|black|gr[ae]y|red|orange|yellow|green|teal|blue|navy|purple|pink|brown|gold|golden|silver"
COLOURS = re.compile(rf"(?:(?:an?|the)\s+)?(?:(?:{COLOUR})[\s,]*)+", re.IGNORECASE)
STYLE_FIRST = re.compile(rf"^(?:{'|'.join(STYLE_WORDS.values())})(?:\s*,)?\s+", re.IGNORECASE)
AFTER = re.compile(rf"\s*,|\s+(?:{BACKGROUND})|\s+on (?:{COLOUR})(?=\s*(?:,|$))", re.IGNORECASE)
COUNT = re.compile(r"^(?:(?P<two>two|2|a pair of)|(?P<three>three|3))\s+(?P<things>\S.*)$", re.IGNORECASE)
LONGEST = 80  # characters of a thing


@dataclass(frozen=True)
class Scene:
    """Things to draw, each by a prompt of its own, and where they stand."""

    prompts: tuple[str, ...]
    stands: tuple[tuple[int, Spot], ...]  # which of them, and how far from the middle, in sides of the picture


def scene_of(prompt: str, names: Collection[str]) -> Scene | None:
    """The things in a prompt; None where there is only one. `names` are things that may have “and” in their names."""
    text = " ".join(prompt.split())
    style = STYLE_FIRST.match(text)
    before, rest = (style[0], text[style.end() :]) if style else ("", text)
    end = AFTER.search(rest)
    body, after = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    if _is_one(body.lower(), names):
        return None
    things = _counted(body, names) or _related(body)
    if things is None:
        return None
    said, stands = things
    return Scene(tuple(f"{before}{thing}{after}" for thing in said), stands)


def _is_one(body: str, names: Collection[str]) -> bool:
    """Whether what would be taken apart is in the name of a thing: “salt and pepper”, “two hearts”."""
    several = (name.lower() for name in names if RELATED.search(name) or COUNT.match(name))
    return any(re.search(rf"\b{re.escape(name)}\b", body) for name in several)


def _counted(body: str, names: Collection[str]) -> tuple[tuple[str, ...], tuple[tuple[int, Spot], ...]] | None:
    found = COUNT.match(body)
    if found is None or RELATED.search(body):
        return None
    one = _singular(found["things"], {name.lower() for name in names})
    article = "an" if one[0].lower() in "aeiou" else "a"
    return (f"{article} {one}",), tuple((0, spot) for spot in SPOTS[2 if found["two"] else 3])


def _singular(things: str, names: Collection[str]) -> str:
    """One of them: by the ending that gives a thing's name, else by the usual ones."""
    head, space, last = things.rpartition(" ")
    if last.lower() in names or not re.search(r"[^s]s$", last, re.IGNORECASE):
        return things
    endings = (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", ""))
    ones = [last[: -len(many)] + one for many, one in endings if last.lower().endswith(many)]
    named = [one for one in ones if one.lower() in names or f"{head} {one}".lower() in names]
    usual = re.sub(r"(?<=\w{2})ies$|(?<=[sxz])es$|(?<=[cs]h)es$|s$", lambda end: "y" if end[0] == "ies" else "", last)
    return f"{head}{space}{named[0] if named else usual}"


def _related(body: str) -> tuple[tuple[str, ...], tuple[tuple[int, Spot], ...]] | None:
    parts = RELATED.split(body)
    if len(parts) != 3:  # none, or more than one relation
        return None
    one, words, other = parts
    if not (one and other) or COLOURS.fullmatch(one) or max(len(one), len(other)) > LONGEST:
        return None
    if COUNT.match(one) or COUNT.match(other):
        return None
    spots = next(spots for pattern, *spots in RELATIONS if re.fullmatch(pattern, words, re.IGNORECASE))
    return (one, other), tuple(enumerate(spots))
