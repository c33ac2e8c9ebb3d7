"""What a text says exactly about music: its key, its tempo, how many bars, which metre. Plain reading, no meaning."""

from __future__ import annotations

import re

from pipelines.music_score import Mode
from pipelines.music_styles import Metre
from pipelines.music_tokens import METRES

LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
MODES: dict[str, Mode] = {
    "major": "major",
    "maj": "major",
    "": "major",
    "minor": "minor",
    "min": "minor",
    "m": "minor",
    "dorian": "minor",
    "aeolian": "minor",
    "mixolydian": "major",
}
NOTE = r"([a-g])[ -]?(♯|#|sharp|♭|b|flat)?"
NAMED = re.compile(rf"{NOTE}[ -]?(major|maj|minor|min|m|)", re.IGNORECASE)
KEY = re.compile(rf"\b(in |key of )?{NOTE} ?-?(major|minor|dorian|mixolydian|aeolian)\b(?=(\s*$|\s*[,.;:!?])?)", re.I)

COUNTS = {"four": 4, "eight": 8, "twelve": 12, "sixteen": 16, "twenty-four": 24, "thirty-two": 32}
TEMPI = {
    "largo": 50,
    "lento": 54,
    "adagio": 66,
    "andante": 84,
    "moderato": 104,
    "allegretto": 114,
    "allegro": 134,
    "vivace": 156,
    "presto": 176,
}
PACES = {  # of the style's own tempo
    r"very slow(?:ly)?": 0.7,
    r"slow(?:ly)?|calm|gentle|relaxed|quiet|sleepy|peaceful": 0.85,
    r"very fast|very quick": 1.3,
    r"fast|quick(?:ly)?|lively|energetic|rapid|driving": 1.15,
}
DANCES: dict[str, Metre] = {
    "slip jig": (9, 8),
    "jig": (6, 8),
    "waltz": (3, 4),
    "minuet": (3, 4),
    "mazurka": (3, 4),
    "sarabande": (3, 4),
    "polka": (2, 4),
    "barcarolle": (6, 8),
    "lullaby": (3, 4),
}


def key_named(name: str) -> tuple[int, Mode]:
    """Tonic and mode from a key's name: “A minor”, “Am”, “F# major”, “B♭”. Raises ValueError for anything else."""
    found = NAMED.fullmatch(name.strip())
    if found is None:
        raise ValueError(f"“{name}” is not a key; write it like A minor or F# major")
    return _tonic(found[1], found[2]), MODES[found[3].lower()]


def key(text: str) -> tuple[int, Mode] | None:
    """The key that a text names. “a minor tune” is no key, “in A minor” and “tune, A minor” are."""
    for found in KEY.finditer(text):
        article = found[2].lower() == "a" and not found[3] and not found[1] and found[5] is None
        if not article:
            return _tonic(found[2], found[3]), MODES[found[4].lower()]
    return None


def mode(text: str) -> Mode | None:
    found = re.search(r"\b(major|minor|dorian|mixolydian|aeolian)\b", text, re.IGNORECASE)
    return MODES[found[1].lower()] if found else None


def tempo(text: str) -> int | None:
    """Quarter notes per minute, from a figure or an Italian word."""
    figure = re.search(r"(\d{2,3}) ?(?:bpm|beats (?:per|a) minute)\b|\btempo(?: of)? (\d{2,3})\b", text, re.IGNORECASE)
    if figure:
        return int(figure[1] or figure[2])
    return next((value for word, value in TEMPI.items() if re.search(rf"\b{word}\b", text, re.IGNORECASE)), None)


def pace(text: str) -> float:
    """How much faster than usual; 1 where nothing is said."""
    return next((by for words, by in PACES.items() if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE)), 1.0)


def bars(text: str) -> int | None:
    found = re.search(rf"\b(\d{{1,3}}|{'|'.join(COUNTS)})[ -](?:bars?|measures?)\b", text, re.IGNORECASE)
    return None if found is None else COUNTS.get(found[1].lower()) or int(found[1])


def metre(text: str) -> Metre | None:
    """The metre that is written as a fraction or meant by a dance. Raises ValueError for one that there is not."""
    if found := re.search(r"(?<!\d)(\d{1,2})/(\d{1,2})(?!\d)", text):
        written = int(found[1]), int(found[2])
        if written not in METRES:
            known = ", ".join(f"{beats}/{value}" for beats, value in METRES)
            raise ValueError(f"{found[0]} is not a metre that can be composed in; there are {known}")
        return written
    return next((metre for word, metre in DANCES.items() if re.search(rf"\b{word}s?\b", text, re.IGNORECASE)), None)


def _tonic(letter: str, accidental: str | None) -> int:
    raised = {"♯": 1, "#": 1, "sharp": 1, "♭": -1, "b": -1, "flat": -1}
    return (LETTERS[letter.lower()] + raised.get((accidental or "").lower(), 0)) % 12
