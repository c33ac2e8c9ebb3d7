"""Tunes in ABC notation as scores, or why not: music21 reads the notes, this finds bars, key, kind and tempo.

Repeats are not played out, of endings the last one counts, grace notes are left out and chords are their highest note.
Where a section ends in the middle of a bar and the next begins with the rest of it, the two make one bar.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from music21 import abcFormat

from pipelines.music_score import TICKS, Head, Mode, Note, Score
from pipelines.music_styles import STYLES
from pipelines.music_tokens import METRES
from training.music_pieces import LeftOut

CORPUS = ("ryansMammoth", "oneills1850", "airdsAirs", "miscFolk")
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHIFTS = {"#": 1, "##": 2, "-": -1, "--": -2, "n": 0, "": 0}
MODES: dict[str, tuple[Mode, int]] = {  # the key's own mode, and the key note of the same signature's major key
    "": ("major", 0),
    "maj": ("major", 0),
    "mix": ("major", 5),
    "lyd": ("major", 7),
    "m": ("minor", 3),
    "min": ("minor", 3),
    "aeo": ("minor", 3),
    "dor": ("minor", 10),
    "phr": ("minor", 8),
}
RELATED: tuple[tuple[int, Mode], ...] = ((0, "major"), (9, "minor"), (2, "minor"), (7, "major"))
PROFILES = {  # Krumhansl and Kessler 1982: how well each step belongs to a key
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
KINDS = (  # what a tune calls itself, and the style that is
    (r"slip ?jig|hop jig", "slip-jig"),
    (r"strathspey|fling", "strathspey"),
    (r"hornpipe|clog", "hornpipe"),
    (r"\bjig\b|slide", "jig"),
    (r"\breel\b", "reel"),
    (r"march|quick ?step|troop|retreat|tattoo|walk ?around", "march"),
    (r"\bair\b|lament|lullaby", "air"),
)
WORDS = (("very slow", 56), ("slow", 70), ("moderate", 104), ("spirit", 140), ("lively", 140), ("animated", 140))
FIELD = re.compile(r"^([A-Za-z]):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
ORNAMENT = re.compile(r'"[^"\n]*"|![^!\n]*!|[~.HLMOPSTuv](?=[\^_=]*[A-Ga-gz\[({])|%.*$', re.MULTILINE)


def tunes(folder: Path) -> Iterator[tuple[str, str]]:
    """Each tune of the collections that are learned from: its name, `collection/file#number`, and its text."""
    for collection in CORPUS:
        for file in sorted((folder / collection).glob("*.abc")):
            text = file.read_text("utf-8", errors="replace")
            for number, tune in enumerate(re.split(r"(?m)^(?=X:)", text)[1:]):
                yield f"{collection}/{file.stem}#{number}", tune


def score_of(name: str, text: str) -> tuple[str, Score, bool]:
    """Title, score, and whether the text says how fast it goes."""
    fields: dict[str, list[str]] = {}
    for letter, value in FIELD.findall(text):
        fields.setdefault(letter, []).append(value)
    if (
        len(fields.get("K", ())) != 1
        or len(fields.get("M", ())) != 1
        or "V" in fields
        or "[M:" in text
        or "[K:" in text
    ):
        raise LeftOut("changes key or metre, or has several parts")
    metre = _metre(fields["M"][0])
    bars = _bars(text)
    bar = Fraction(metre[0] * 4, metre[1])
    notes = _on_grid(bars, bar)
    style = _style(name, fields, metre)
    if style in ("reel", "hornpipe", "strathspey") and metre == (2, 4):
        metre, notes = (4, 4), [Note(note.start * 2, 0, note.pitch, note.length * 2) for note in notes]
    tonic, mode = _key(fields["K"][0], notes)
    tempo = _tempo(fields) if STYLES[style].paced else None
    chosen = STYLES[style]
    head = Head(style, tonic, mode, metre, tempo or chosen.tempo, chosen.instruments[0])
    return " / ".join(fields.get("T", [name])[:1]), Score(head, tuple(notes)), tempo is not None


def _metre(text: str) -> tuple[int, int]:
    text = {"C": "4/4", "C|": "4/4", "2/2": "4/4", "4/8": "2/4"}.get(text.split("%")[0].strip(), text)
    found = re.match(r"(\d+)/(\d+)", text)
    metre = (int(found[1]), int(found[2])) if found else (0, 0)
    if metre not in METRES:
        raise LeftOut("metre")
    return metre


def _bars(text: str) -> list[list[tuple[int | None, Fraction, bool]]]:
    """Bars of (pitch, quarter notes, tied to the next); of several endings the last."""
    lines = [line if FIELD.match(line) else ORNAMENT.sub("", line).replace("\\", "") for line in text.splitlines()]
    handler = abcFormat.ABCHandler()
    try:
        handler.process("\n".join(line for line in lines if line.strip()) + "\n")
    except Exception as error:  # music21 has no error of its own for this
        raise LeftOut("music21 cannot read it") from error
    bars: list[list[tuple[int | None, Fraction, bool]]] = [[]]
    shifts: dict[tuple[str, str], int] = {}
    first_ending: int | None = None
    for token in handler.tokens:
        if isinstance(token, abcFormat.ABCBar):
            shifts = {}
            if bars[-1]:
                bars.append([])
            if token.repeatForm == "first":
                first_ending = len(bars) - 1
            elif token.repeatForm == "second" and first_ending is not None:
                del bars[first_ending:]
                bars.append([])
                first_ending = None
        elif isinstance(token, abcFormat.ABCNote) and not token.inGrace:
            pitch = None if token.isRest else _pitch(token, shifts)
            length = Fraction(token.quarterLength).limit_denominator(96)
            if token.activeTuplet is not None:
                length *= Fraction(token.activeTuplet.tupletMultiplier()).limit_denominator(96)
            if length > 0:
                bars[-1].append((pitch, length, token.tie in ("start", "continue")))
    return [bar for bar in bars if bar]


def _pitch(token: abcFormat.ABCNote, shifts: dict[tuple[str, str], int]) -> int:
    """As in MIDI; an accidental holds until the bar ends."""
    if isinstance(token, abcFormat.ABCChord):
        if not token.subTokens:
            raise LeftOut("music21 cannot read it")
        return max(_pitch(each, shifts) for each in token.subTokens)
    found = re.fullmatch(r"([A-G])(#{1,2}|-{1,2}|n)?(\d)", token.pitchName or "")
    if not found:
        raise LeftOut("music21 cannot read it")
    step, shift, octave = found[1], SHIFTS[found[2] or ""], found[3]
    if re.search(r"[\^_=]", token.src):
        shifts[step, octave] = shift
    return 12 * int(octave) + 12 + STEPS[step] + shifts.get((step, octave), shift)


def _on_grid(bars: Sequence[Sequence[tuple[int | None, Fraction, bool]]], bar: Fraction) -> list[Note]:
    """Notes in ticks; the first bar may be an upbeat, the last may lack as much or more."""
    sizes = [sum((length for _, length, _ in each), Fraction()) for each in bars]
    if len(bars) < 4:
        raise LeftOut("shorter than four bars")
    place = (bar - sizes[0]) if sizes[0] < bar else Fraction()
    start, notes, tied = place, [], False
    for each in bars:
        for pitch, length, ties in each:
            ticks = (start * TICKS, length * TICKS)
            if any(value.denominator != 1 for value in ticks):
                raise LeftOut("notes between the ticks")
            begin, last = int(ticks[0]), int(ticks[1])
            if pitch is not None:
                if tied and notes and notes[-1].pitch == pitch and notes[-1].start + notes[-1].length == begin:
                    notes[-1] = Note(notes[-1].start, 0, pitch, notes[-1].length + last)
                else:
                    notes.append(Note(begin, 0, pitch, last))
            tied = ties
            start += length
    ends = [place + sum(sizes[: i + 1], Fraction()) for i in range(len(sizes))]
    whole = sum(end % bar == 0 for end, size in zip(ends, sizes, strict=True) if size == bar)
    if any(size > bar for size in sizes) or whole < sum(size == bar for size in sizes):
        raise LeftOut("bars that do not add up")
    return notes


def _style(name: str, fields: dict[str, list[str]], metre: tuple[int, int]) -> str:
    said = " ".join([*fields.get("R", ()), *fields.get("T", ())[:2], *fields.get("N", ())[:1]]).lower()
    kinds = [style for words, style in KINDS if re.search(words, " ".join(fields.get("R", ())).lower())]
    kinds += [style for words, style in KINDS if re.search(words, said)]
    if metre == (9, 8):
        return "slip-jig"
    if kinds and not (kinds[0] in ("jig", "slip-jig") and metre[1] != 8):
        return "jig" if kinds[0] == "slip-jig" else kinds[0]
    if name.startswith("oneills1850"):
        return _chapter(int(re.findall(r"\d+", " ".join(fields.get("B", ()) or fields["X"]).replace("1850", ""))[-1]))
    if "american" in name:
        return "march"
    return "air" if name.startswith("miscFolk") else "country"


def _chapter(number: int) -> str:
    """O'Neill's book is in order of kind."""
    for last, style in ((700, "air"), (1115, "jig"), (1175, "slip-jig"), (1555, "reel"), (1733, "hornpipe")):
        if number <= last:
            return style
    return "country" if number < 1782 else "march"


def _tempo(fields: dict[str, list[str]]) -> int | None:
    """Quarter notes per minute, as far as the text says."""
    for value in fields.get("Q", ()):
        found = re.match(r"(\d+)/(\d+)\s*=\s*(\d+)", value)
        if found:
            return round(int(found[3]) * 4 * int(found[1]) / int(found[2]))
    said = " ".join(fields.get("N", ())).lower()
    return next((tempo for word, tempo in WORDS if word in said), None)


def _key(text: str, notes: Sequence[Note]) -> tuple[int, Mode]:
    """What the text says, unless it says major where one of the keys with the same signature fits much better."""
    found = re.match(r"([A-G])([#b]?)\s*([A-Za-z]*)", text)
    if not found:
        raise LeftOut("key")
    mode, up = MODES.get(found[3].lower()[:3], ("major", 0)) if found[3].lower() != "m" else MODES["m"]
    tonic = (STEPS[found[1]] + {"#": 1, "b": -1, "": 0}[found[2]]) % 12
    return (tonic, mode) if mode == "minor" or up else best_key(tonic, notes, notes[-1].pitch)


def best_key(major: int, notes: Sequence[Note], last: int) -> tuple[int, Mode]:
    """Of the keys that share a signature, the one whose steps are heard most; the last note counts for much."""
    heard: Counter[int] = Counter()
    for note in notes:
        heard[note.pitch % 12] += note.length
    total = sum(heard.values())

    def fit(key: tuple[int, Mode]) -> float:
        tonic, mode = key
        belongs = sum(PROFILES[mode][(step - tonic) % 12] * ticks for step, ticks in heard.items()) / total
        return belongs + 1.0 * (last % 12 == tonic)

    return max((((major + up) % 12, mode) for up, mode in RELATED), key=fit)
