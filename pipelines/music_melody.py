"""Melodies that people send as MIDI files: read with care, brought to one voice on the grid, their key found.

A file can hold anything: hundreds of tracks or none, drums only, a chord at every tick. The melody is the part that
lies highest among those that really play; of notes that start together the highest counts.
"""

from __future__ import annotations

import io
import struct
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines import music_words
from pipelines.errors import BadRequest
from pipelines.music_request import FASTEST, SLOWEST
from pipelines.music_score import TICKS, Mode, Note
from pipelines.music_styles import Metre
from pipelines.music_tokens import METRES, fitted

if TYPE_CHECKING:
    from mido import MidiFile

BROKEN = (OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, struct.error)
"""What mido's reader raises, between them, on damaged files."""

DRUMS = 9
MOST_NOTES = 20_000
COMMON: Metre = (4, 4)
AS_LONG: dict[Metre, Metre] = {(2, 2): (4, 4), (4, 8): (2, 4), (1, 2): (2, 4), (6, 16): (3, 8)}
CLEARLY = 0.15  # by so much another key must fit better before the one that is written is doubted

# How strongly listeners hear each degree as belonging to the key (Krumhansl and Kessler 1982).
PROFILES: dict[Mode, tuple[float, ...]] = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


@dataclass(frozen=True)
class Melody:
    """One voice, beginning in the first bar; `tempo` only where the file has one that can be played."""

    notes: tuple[Note, ...]
    tonic: int
    mode: Mode
    metre: Metre
    tempo: int | None

    @property
    def bars(self) -> int:
        """How many bars it fills, the last one perhaps in part."""
        beats, value = self.metre
        last = self.notes[-1]
        return -(-(last.start + last.length) // (beats * 4 * TICKS // value))


def read(data: bytes, most_bars: int) -> Melody:
    """The melody in a MIDI file. Raises BadRequest with what is wrong with it."""
    file = _opened(data)
    if file.ticks_per_beat <= 0:
        raise BadRequest("“melody” counts in seconds, not in beats. Export it as an ordinary MIDI file.")
    scale = TICKS / file.ticks_per_beat
    parts, said = _parts(file)
    if not parts:
        raise BadRequest("“melody” has no notes, drums aside. Send a MIDI file with a melody.")
    metre = said.get("metre", COMMON)
    bar = metre[0] * 4 * TICKS // metre[1]
    played = [Note(round(a * scale), 0, pitch, max(1, round((b - a) * scale))) for a, b, pitch in _highest(parts)]
    first = min(note.start for note in played)
    played = [Note(note.start - first // bar * bar, 0, note.pitch, note.length) for note in played]
    last = max(note.start for note in played)
    if last >= most_bars * bar:
        raise BadRequest(f"“melody” has {last // bar + 1} bars; at most {most_bars} can be taken here. Send fewer.")
    notes = fitted(played, most_bars * bar)
    tonic, mode = _key(notes, said.get("key"))
    return Melody(notes, tonic, mode, metre, said.get("tempo"))


def _opened(data: bytes) -> MidiFile:
    import mido

    try:
        return mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (*BROKEN, mido.KeySignatureError):
        raise BadRequest("“melody” is cut off or no MIDI file that can be read. Export it again.") from None


Played = tuple[int, int, int]  # from tick, to tick, pitch


def _parts(file: MidiFile) -> tuple[dict[tuple[int, int], list[Played]], dict[str, Any]]:
    """The notes of each track and channel, without drums, and what the file says of itself first."""
    parts: dict[tuple[int, int], list[Played]] = defaultdict(list)
    said: dict[str, Any] = {}
    count = 0
    for number, track in enumerate(file.tracks):
        now = 0
        sounding: dict[tuple[int, int], int] = {}
        for message in track:
            now += message.time
            if message.is_meta:
                said = _said(message) | said
            elif message.type in ("note_on", "note_off") and message.channel != DRUMS:
                key = message.channel, message.note
                if key in sounding and (began := sounding.pop(key)) < now:
                    parts[number, message.channel].append((began, now, message.note))
                    count += 1
                if message.type == "note_on" and message.velocity:
                    sounding[key] = now
            if count > MOST_NOTES:
                raise BadRequest(f"“melody” has more than {MOST_NOTES:,} notes. Send the melody alone.")
    return parts, said


def _said(message: Any) -> dict[str, Any]:
    match message.type:
        case "time_signature":
            metre = message.numerator, message.denominator
            metre = AS_LONG.get(metre, metre)
            return {"metre": metre} if metre in METRES else {}
        case "key_signature":
            return {"key": music_words.key_named(message.key)}
        case "set_tempo" if message.tempo and SLOWEST <= round(60e6 / message.tempo) <= FASTEST:
            return {"tempo": round(60e6 / message.tempo)}
        case _:
            return {}


def _highest(parts: dict[tuple[int, int], list[Played]]) -> list[Played]:
    """The notes of the highest part that has at least a quarter as many as the busiest."""
    busiest = max(len(part) for part in parts.values())
    return max(
        (part for part in parts.values() if 4 * len(part) >= busiest),
        key=lambda part: fmean(pitch for _, _, pitch in part),
    )


def _key(notes: Iterable[Note], written: tuple[int, Mode] | None) -> tuple[int, Mode]:
    """The key that fits the notes best, unless the one that is written fits nearly as well."""
    heard = np.zeros(12)
    for note in notes:
        heard[note.pitch % 12] += note.length
    fits = {
        (tonic, mode): float(np.corrcoef(np.roll(profile, tonic), heard)[0, 1]) if heard.std() else 0.0
        for mode, profile in PROFILES.items()
        for tonic in range(12)
    }
    best = max(fits, key=fits.__getitem__)
    return written if written is not None and fits[written] >= fits[best] - CLEARLY else best
