"""Captions that are exactly true of a shape: all they say comes from the facts it was built with.

What is not covered: size (every shape fills its grid), purpose, mood, and what is not in the facts.
"""

from __future__ import annotations

import re
from random import Random

from training.captions import article, plural
from training.shape_draft import Facts, Feature

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
IRREGULAR = {"leaf": "leaves", "foot": "feet", "shelf": "shelves", "tooth": "teeth"}
AT_MOST_ONE = ("hat", "lid", "back", "label", "chimney")
OPENINGS = ("{}",) * 6 + ("a 3d model of {}", "{}, 3d model", "a figure of {}")
TWICE = ("golden",)  # its colour word would be right, but nobody says it


def several(name: str) -> str:
    """The plural: of what stands before "in", "on" or "under", where one of them follows."""
    if where := re.search(" (across|at|in|on|under) ", name):
        return several(name[: where.start()]) + name[where.start() :]
    head, _, last = name.rpartition(" ")
    return f"{head} {IRREGULAR[last]}".strip() if last in IRREGULAR else plural(name)


def told(feature: Feature, rng: Random) -> str:
    """One feature as it is said after "with"."""
    if feature.count == 0:
        return f"no {feature.name if feature.name in AT_MOST_ONE else several(feature.name)}"
    words = f"{feature.paint} {feature.name}" if feature.paint else feature.name
    if feature.count == 1:
        return article(words)
    if feature.count is None or rng.random() < 0.1:  # leaving the count out stays true
        return several(words)
    return f"{NUMBERS[feature.count]} {several(words)}"


def listed(phrases: list[str]) -> str:
    return " and ".join([", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)


def coloured(facts: Facts, rng: Random) -> str:
    """The main paint in words."""
    if facts.material is None:
        return facts.colour
    if facts.material in TWICE or rng.random() < 0.7:
        return facts.material
    return f"{facts.colour} {facts.material}"


def caption(facts: Facts, names: tuple[str, ...], rng: Random) -> str:
    """One of many ways to tell of it; `names` are what its kind is called."""
    name = names[0] if rng.random() < 0.6 else rng.choice(names)
    paint = coloured(facts, rng)
    traits = rng.sample(facts.traits, min(len(facts.traits), rng.choice((0, 1, 1, 2))))
    features = rng.sample(facts.features, min(len(facts.features), rng.choice((0, 1, 1, 2, 3))))
    phrases = [told(feature, rng) for feature in features]
    luck = rng.random()
    if luck < 0.12:
        text = ", ".join([name, paint, *traits, *phrases])
    elif luck < 0.2 and facts.material is None:
        text = " ".join([article(" ".join([*traits, name])), "in", paint]) + with_(phrases)
    elif luck < 0.28:
        text = " ".join([*traits, paint, name]) + with_(phrases)
    else:
        text = rng.choice(OPENINGS).format(article(" ".join([*traits, paint, name])) + with_(phrases))
    return text


def with_(phrases: list[str]) -> str:
    return f" with {listed(phrases)}" if phrases else ""
