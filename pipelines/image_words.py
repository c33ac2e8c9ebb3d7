"""What a prompt for the built-in image model says of several things: which, and where they stand.

Two things in relation (“a fox next to an apple”, “a bee above a tulip”), or up to four of one kind or of several
(“three cars”, “two cats and a dog”). The style is told of each. So is the background, unless it is plain: then each
is to be drawn on white, where the model draws best, and the background is painted behind them. What is not understood
so is one thing, as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipelines.image_grounds import COLOURS as GROUNDS
from pipelines.image_grounds import Colour, grounds_of
from pipelines.image_references import BACKGROUND, STYLE_WORDS

Spot = tuple[float, float]
Said = tuple[tuple[str, ...], tuple[tuple[int, Spot], ...]]
APART = 0.25  # of the side: how far from the middle one of several stands, as in the pictures of the training
LEFT, RIGHT, ABOVE, BELOW = (-APART, 0.0), (APART, 0.0), (0.0, -APART), (0.0, APART)
TOP, BOTTOM = ((-APART, -APART), (APART, -APART)), ((-APART, APART), (APART, APART))
SPOTS: dict[int, tuple[Spot, ...]] = {2: (LEFT, RIGHT), 3: (ABOVE, *BOTTOM), 4: (*TOP, *BOTTOM)}
COLUMNS = (TOP[0], BOTTOM[0], TOP[1], BOTTOM[1])  # of “two cats next to two dogs”
BESIDE = "next to|beside|near|close to|alongside|together with|and"
RELATIONS: tuple[tuple[str, Spot, Spot], ...] = (  # words, and where what is before and after them stands
    (r"(?:(?:to|on) the )?right of", RIGHT, LEFT),
    (rf"(?:(?:to|on) the )?left of|{BESIDE}", LEFT, RIGHT),
    (r"above|on top of|over", ABOVE, BELOW),
    (r"below|underneath|under|beneath", BELOW, ABOVE),
)
RELATED = re.compile(rf"\s+({'|'.join(words for words, _, _ in RELATIONS)})\s+", re.IGNORECASE)
LISTED = re.compile(rf"\s*,?\s+(?:{BESIDE})\s+|\s*,\s+", re.IGNORECASE)
COLOUR = "white|black|gr[ae]y|red|orange|yellow|green|teal|blue|navy|purple|pink|brown|gold|golden|silver"
COLOURS = re.compile(rf"(?:(?:an?|the)\s+)?(?:(?:{COLOUR})[\s,]*)+", re.IGNORECASE)
ASKED = re.compile(  # what is said to somebody who draws
    r"^(?:please |can you |could you )*(?:(?:draw|paint|make|create|generate|show)(?: me)? )?"
    r"(?:(?:an?|the) (?:picture|image|drawing|illustration|emoji|icon)s? (?:of|with|showing) )?",
    re.IGNORECASE,
)
STYLE_FIRST = re.compile(rf"^(?:{'|'.join(STYLE_WORDS.values())})(?:\s*,)?\s+", re.IGNORECASE)
STYLE = re.compile("|".join(STYLE_WORDS.values()), re.IGNORECASE)
ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)
AND_MORE = r"(?!\s+and\s|\s+(?:an?|the|one|two|three|[123])\s.*\sand\s)"  # a comma in a list of things
STYLE_LAST = rf"\s+in (?:{'|'.join(STYLE_WORDS.values())})"
OWN_GROUND = r"\s+(?:on|in front of|against|with) (?:[\w-]+ ){0,4}background\b"
AFTER = re.compile(rf"\s*,{AND_MORE}|{STYLE_LAST}|{OWN_GROUND}|\s+(?:{BACKGROUND})", re.IGNORECASE)
NUMBERS = {1: "one|an?|the|1", 2: "two|2|a pair of|a couple of", 3: "three|3", 4: "four|4"}
COUNT = re.compile(
    rf"^(?:{'|'.join(f'(?P<n{n}>{words})' for n, words in reversed(NUMBERS.items()))})\s+(?P<things>\S.*)$",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]")
ON_WHITE = " on a white background"  # as captions of the training are worded
LONGEST = 80  # characters of a thing


@dataclass(frozen=True)
class Scene:
    """Things to draw, each by a prompt of its own, and where they stand."""

    prompts: tuple[str, ...]
    stands: tuple[tuple[int, Spot], ...]  # which of them, and how far from the middle, in sides of the picture
    ground: Colour | None = GROUNDS["white"]  # what is painted behind them; None where each is drawn with its own


def scene_of(prompt: str, names: Collection[str]) -> Scene | None:
    """The things in a prompt; None where there is only one. `names` are things that may have “and” in their names."""
    text = ASKED.sub("", re.sub(r"\s+[&+]\s+", " and ", " ".join(prompt.split())).rstrip(" .,;:!?"))
    grounds = grounds_of(text)
    if len(grounds) > 1:
        return None
    for ground in grounds:
        text = (text[: ground.start] + text[ground.end :]).strip(" ,:")
    style = STYLE_FIRST.match(text)
    before, rest = (style[0], text[style.end() :]) if style else ("", text)
    end = AFTER.search(rest)
    body, after = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    if _is_one(body.lower(), names):
        return None
    said = _listed(body, names) or _related(body)
    if said is None:
        return None
    things, stands = said
    things = tuple(_styled(before, thing) for thing in things)
    if "background" in after.lower():  # of something else than one colour
        return None if grounds else Scene(tuple(thing + after for thing in things), stands, None)
    colour = grounds[0].colour if grounds else GROUNDS["white"]
    return Scene(tuple(f"{thing}{ON_WHITE}{after}" for thing in things), stands, colour)


def _is_one(body: str, names: Collection[str]) -> bool:
    """Whether what would be taken apart is in the name of a thing: “salt and pepper”, “two hearts”."""
    several = (name.lower() for name in names if RELATED.search(name) or _number(name) > 1)
    return any(re.search(rf"\b{re.escape(name)}\b", body) for name in several)


def _styled(before: str, thing: str) -> str:
    """With the style that was told before the first of them, unless it has one of its own."""
    if STYLE.search(thing):
        return thing
    return before + (thing if re.search(r"(?:\bof|,)\s+$", before) else ARTICLE.sub("", thing) if before else thing)


def _number(thing: str) -> int:
    """How many are said to be there; 0 where that is not said."""
    found = COUNT.match(thing)
    return next((number for number in NUMBERS if found[f"n{number}"]), 0) if found else 0


def _listed(body: str, names: Collection[str]) -> Said | None:
    """Things of which each has its number or article."""
    parts = LISTED.split(body)
    numbers = [1 if _is_pair(part, names) else _number(part) for part in parts]
    if sum(numbers) not in SPOTS or not all(numbers) or not all(map(_is_thing, parts)):
        return None
    things = tuple(part if number == 1 else _one_of(part, names) for part, number in zip(parts, numbers, strict=True))
    which = [place for place, number in enumerate(numbers) for _ in range(number)]
    spots = COLUMNS if len(which) == 4 and len(parts) == 2 else SPOTS[len(which)]
    return things, tuple(zip(which, spots, strict=True))


def _is_pair(thing: str, names: Collection[str]) -> bool:
    """“a pair of glasses”: one thing, if it has that name."""
    pair = re.fullmatch(r"a pair of (.*)", thing, re.IGNORECASE)
    return pair is not None and pair[1].lower() in {name.lower() for name in names}


def _is_thing(text: str) -> bool:
    only_colour = COLOURS.fullmatch(text) and text.lower() != "an orange"
    return bool(WORD.search(text)) and len(text) <= LONGEST and not RELATED.search(text) and not only_colour


def _one_of(things: str, names: Collection[str]) -> str:
    """“a fox”, of “two foxes”."""
    found = COUNT.match(things)
    assert found is not None
    one = _singular(found["things"], {name.lower() for name in names})
    return f"{'an' if one[0].lower() in 'aeiou' else 'a'} {one}"


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


def _related(body: str) -> Said | None:
    parts: Sequence[str] = RELATED.split(body)
    if len(parts) != 3:  # none, or more than one relation
        return None
    one, words, other = parts
    if not (_is_thing(one) and _is_thing(other)):
        return None
    if max(_number(one), _number(other)) > 1:
        return None
    spots = next(spots for pattern, *spots in RELATIONS if re.fullmatch(pattern, words, re.IGNORECASE))
    return (one, other), tuple(enumerate(spots))
