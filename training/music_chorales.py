"""Bach's chorales as scores, or why not: four voices, one note at a time, in bars of one metre."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from music21 import converter, meter

from pipelines.music_score import TICKS, Head, Mode, Note, Score
from pipelines.music_styles import STYLES
from pipelines.music_tokens import METRES, VOICES
from training.music_abc import best_key
from training.music_pieces import LeftOut


def files(folder: Path) -> Iterator[Path]:
    """Settings by Bach; his other works there are a handful."""
    yield from sorted(file for file in (folder / "bach").glob("*.mxl") if re.match(r"bwv\d", file.name))


def score_of(file: Path) -> Score:
    try:
        piece = converter.parse(file, forceSource=True, storePickle=False)
    except Exception as error:  # music21 has no error of its own for this
        raise LeftOut("music21 cannot read it") from error
    parts = list(piece.parts)
    if len(parts) != VOICES:
        raise LeftOut("not in four parts")
    metre = _metre(parts)
    bar = metre[0] * 4 * TICKS // metre[1]
    measures = list(parts[0].getElementsByClass("Measure"))
    first = _ticks(measures[0].duration.quarterLength)
    shift = bar - first if first < bar else 0
    for measure in measures:
        if _ticks(measure.duration.quarterLength) == bar and (_ticks(measure.offset) + shift) % bar:
            raise LeftOut("bars that do not add up")
    notes = [note for voice, part in enumerate(parts) for note in _voice(part, voice, shift)]
    notes.sort()
    tonic, mode = _key(parts[-1], notes)
    style = STYLES["chorale"]
    head = Head(style.id, tonic, mode, metre, style.tempo, style.instruments[0])
    return Score(head, tuple(notes))


def _metre(parts: list[Any]) -> tuple[int, int]:
    found = {(each.numerator, each.denominator) for each in parts[0].recurse().getElementsByClass(meter.TimeSignature)}
    found = {(4, 4) if each == (2, 2) else each for each in found}
    if len(found) != 1 or not found <= set(METRES):
        raise LeftOut("metre")
    return found.pop()


def _ticks(quarters: Any) -> int:
    ticks = quarters * TICKS
    if ticks != int(ticks):
        raise LeftOut("notes between the ticks")
    return int(ticks)


def _voice(part: Any, voice: int, shift: int) -> list[Note]:
    """Tied notes are one; of a chord the outer note; grace notes are left out."""
    notes: list[Note] = []
    for element in part.flatten().notes:
        if element.duration.isGrace:
            continue
        pitches = [pitch.midi for pitch in element.pitches]
        pitch = min(pitches) if voice == VOICES - 1 else max(pitches)
        start, length = _ticks(element.offset) + shift, _ticks(element.duration.quarterLength)
        tied = element.tie is not None and element.tie.type in ("stop", "continue")
        if tied and notes and notes[-1].pitch == pitch and notes[-1].start + notes[-1].length == start:
            notes[-1] = Note(notes[-1].start, voice, pitch, notes[-1].length + length)
        else:
            notes.append(Note(start, voice, pitch, length))
    if not notes or any(one.start + one.length > two.start for one, two in pairwise(notes)):
        raise LeftOut("voices with several notes at once")
    return notes


def _key(bass: Any, notes: list[Note]) -> tuple[int, Mode]:
    """Of the keys of the signature; the bass ends on the key note."""
    signature = next(iter(bass.recurse().getElementsByClass("KeySignature")), None)
    if signature is None:
        raise LeftOut("key")
    last = max(note for note in notes if note.voice == VOICES - 1)
    return best_key(signature.sharps * 7 % 12, notes, last.pitch)
