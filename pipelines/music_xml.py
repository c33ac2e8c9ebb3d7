"""A piece of music as MusicXML: a score to read, print and edit, which says that AI made it and carries its recipe.

Every voice is a part. A note that no single sign stands for, or that crosses a bar line, becomes several with ties; an
upbeat's bar holds just the upbeat, as printers have it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import groupby
from statistics import fmean
from xml.etree import ElementTree as xml
from xml.etree.ElementTree import Element, SubElement

from pipelines import music_instruments
from pipelines.events import Recipe
from pipelines.music_score import TICKS, Head, Note, Score
from pipelines.sound_file import MADE_BY_AI, SOFTWARE

DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 '
    'Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
FIFTHS = {"major": (0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5), "minor": (-3, 4, -1, -6, 1, -4, 3, -2, 5, 0, -5, 2)}
PLAIN = {192: "breve", 96: "whole", 48: "half", 24: "quarter", 12: "eighth", 6: "16th", 3: "32nd"}
SIGNS: dict[int, tuple[str, int, bool]] = {
    **{ticks * 3 // 2: (name, 1, False) for ticks, name in PLAIN.items() if ticks % 2 == 0},
    **{ticks * 2 // 3: (name, 0, True) for ticks, name in PLAIN.items()},
    1: ("64th", 0, True),
    **{ticks: (name, 0, False) for ticks, name in PLAIN.items()},
}
"""For each length that one sign stands for: the sign, its dots, and whether it is one of three in the time of two."""

STEPS = "FCGDAEB"  # in fifths
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
LOWEST_IN_TREBLE = 57  # a voice whose mean pitch is below this is written in the bass clef


def musicxml(score: Score, recipe: Recipe) -> bytes:
    """The score as a MusicXML file."""
    root = Element("score-partwise", version="4.0")
    _identified(root, recipe)
    parts = SubElement(root, "part-list")
    for voice, program in enumerate(score.head.instruments):
        _listed(parts, voice, program)
    for voice in range(len(score.head.instruments)):
        part = SubElement(root, "part", id=f"P{voice + 1}")
        _written(part, score, [note for note in score.notes if note.voice == voice])
    xml.indent(root, " ")
    return (DOCTYPE + xml.tostring(root, "unicode")).encode()


def _identified(root: Element, recipe: Recipe) -> None:
    about = SubElement(root, "identification")
    SubElement(about, "creator", type="composer").text = f"{SOFTWARE}, {recipe.model}"
    SubElement(SubElement(about, "encoding"), "software").text = SOFTWARE
    more = SubElement(about, "miscellaneous")
    SubElement(more, "miscellaneous-field", name="origin").text = MADE_BY_AI
    SubElement(more, "miscellaneous-field", name="recipe").text = json.dumps(asdict(recipe), ensure_ascii=False)


def _listed(parts: Element, voice: int, program: int) -> None:
    name = f"P{voice + 1}"
    part = SubElement(parts, "score-part", id=name)
    SubElement(part, "part-name").text = music_instruments.NAMES[program]
    instrument = SubElement(part, "score-instrument", id=f"{name}-I1")
    SubElement(instrument, "instrument-name").text = music_instruments.NAMES[program]
    played = SubElement(part, "midi-instrument", id=f"{name}-I1")
    SubElement(played, "midi-channel").text = str(voice + 1)
    SubElement(played, "midi-program").text = str(program + 1)


@dataclass(frozen=True, slots=True)
class Sign:
    """What is written at one place: a rest, or notes that sound together; tied to the sign before, and behind it."""

    start: int
    length: int
    pitches: tuple[int, ...]
    tied_back: bool = False
    tied_on: bool = False


def _written(part: Element, score: Score, notes: Sequence[Note]) -> None:
    """One voice, bar by bar. All voices begin with the first note of the piece, and fill its last bar."""
    head, bar = score.head, score.head.bar
    begin = min((note.start for note in score.notes), default=0)
    upbeat = begin % bar > 0
    signs = _signs(notes, begin, -(-score.end // bar) * bar, bar)
    for number, (_, inside) in enumerate(groupby(signs, key=lambda sign: sign.start // bar), 1 - upbeat):
        measure = SubElement(part, "measure", number=str(number))
        if number == 0:
            measure.set("implicit", "yes")
        if number == 1 - upbeat:
            _begun(measure, head, notes)
        for sign in inside:
            for place, pitch in enumerate(sign.pitches or (None,)):
                _note(measure, head, sign, pitch, place > 0)


def _begun(measure: Element, head: Head, notes: Sequence[Note]) -> None:
    """What stands before the first note: key, metre, clef and tempo."""
    attributes = SubElement(measure, "attributes")
    SubElement(attributes, "divisions").text = str(TICKS)
    key = SubElement(attributes, "key")
    SubElement(key, "fifths").text = str(FIFTHS[head.mode][head.tonic])
    SubElement(key, "mode").text = head.mode
    time = SubElement(attributes, "time")
    SubElement(time, "beats").text, SubElement(time, "beat-type").text = (str(number) for number in head.metre)
    low = bool(notes) and fmean(note.pitch for note in notes) < LOWEST_IN_TREBLE
    clef = SubElement(attributes, "clef")
    SubElement(clef, "sign").text, SubElement(clef, "line").text = ("F", "4") if low else ("G", "2")
    direction = SubElement(measure, "direction", placement="above")
    metronome = SubElement(SubElement(direction, "direction-type"), "metronome")
    SubElement(metronome, "beat-unit").text, SubElement(metronome, "per-minute").text = "quarter", str(head.tempo)
    SubElement(direction, "sound", tempo=str(head.tempo))


def _note(measure: Element, head: Head, sign: Sign, pitch: int | None, with_the_one_before: bool) -> None:
    note = SubElement(measure, "note")
    if with_the_one_before:
        SubElement(note, "chord")
    if pitch is None:
        SubElement(note, "rest")
    else:
        step, alter, octave = spelled(pitch, FIFTHS[head.mode][head.tonic])
        written = SubElement(note, "pitch")
        SubElement(written, "step").text = step
        if alter:
            SubElement(written, "alter").text = str(alter)
        SubElement(written, "octave").text = str(octave)
    SubElement(note, "duration").text = str(sign.length)
    ties = [kind for kind, there in (("stop", sign.tied_back), ("start", sign.tied_on)) if there]
    for kind in ties:
        SubElement(note, "tie", type=kind)
    name, dots, three = SIGNS[sign.length]
    SubElement(note, "type").text = name
    for _ in range(dots):
        SubElement(note, "dot")
    if three:
        change = SubElement(note, "time-modification")
        SubElement(change, "actual-notes").text, SubElement(change, "normal-notes").text = "3", "2"
    if ties:
        notations = SubElement(note, "notations")
        for kind in ties:
            SubElement(notations, "tied", type=kind)


def _signs(notes: Sequence[Note], begin: int, end: int, bar: int) -> Iterator[Sign]:
    """A voice's notes and the rests between them, cut at bar lines and into lengths that there are signs for."""
    now = begin
    for start, together in groupby(notes, key=lambda note: note.start):
        chord = list(together)
        yield from _cut(now, start, (), bar)
        now = start + chord[0].length
        yield from _cut(start, now, tuple(note.pitch for note in chord), bar)
    yield from _cut(now, end, (), bar)


def _cut(start: int, end: int, pitches: tuple[int, ...], bar: int) -> Iterator[Sign]:
    now = start
    while now < end:
        for length in lengths(min(end, now - now % bar + bar) - now):
            yield Sign(now, length, pitches, bool(pitches) and now > start, bool(pitches) and now + length < end)
            now += length


def lengths(ticks: int) -> tuple[int, ...]:
    """As few and as plain signs as make up this length, the longest first; halves and thirds do not mix."""
    return (ticks,) if ticks in SIGNS else _shortest(ticks, thirds=ticks % 3 > 0)


@cache
def _shortest(ticks: int, thirds: bool) -> tuple[int, ...]:
    if not ticks:
        return ()
    fit = [one for one, sign in SIGNS.items() if ((sign[2] or one % TICKS == 0) if thirds else one % 3 == 0)]
    ways = [(first, *_shortest(ticks - first, thirds)) for first in fit if first <= ticks]
    return min(ways, key=lambda way: (sum(_cost(one) for one in way), [-one for one in way]))


def _cost(ticks: int) -> float:
    _, dots, three = SIGNS[ticks]
    return 1 + 0.2 * dots + 0.3 * three + (ticks < 3)


def spelled(pitch: int, fifths: int) -> tuple[str, int, int]:
    """Step, alteration and octave of a pitch, as it is usually written in a key with so many sharps."""
    place = next(place for place in range(fifths - 3, fifths + 9) if place * 7 % 12 == pitch % 12)
    alter, step = (place + 1) // 7, STEPS[(place + 1) % 7]
    return step, alter, (pitch - alter - SEMITONES[step]) // 12 - 1
