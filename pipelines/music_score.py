"""A piece of music as values: notes on a grid of ticks, and a head that says how to read and how to play them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

TICKS = 24  # of a quarter note: thirty-seconds and triplets of sixteenths are whole numbers

Mode: TypeAlias = Literal["major", "minor"]
TONICS = ("C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """`start` and `length` in ticks, the start counted from the beginning of the piece; `pitch` as in MIDI (60 is
    middle C); `voice` counts from 0, the highest. Notes of one voice do not overlap unless they start together."""

    start: int
    voice: int
    pitch: int
    length: int


@dataclass(frozen=True, slots=True)
class Head:
    """What holds for the whole piece.

    `style` is an id of the model's own; `tonic` a pitch class, 0 for C; `metre` as (beats, note value), (6, 8) for
    6/8; `tempo` in quarter notes per minute; `instruments` are General MIDI programs, 0 to 127, one for each voice.
    """

    style: str
    tonic: int
    mode: Mode
    metre: tuple[int, int]
    tempo: int
    instruments: tuple[int, ...]

    @property
    def bar(self) -> int:
        """Ticks of a bar."""
        beats, value = self.metre
        return beats * 4 * TICKS // value

    @property
    def key(self) -> str:
        return f"{TONICS[self.tonic]} {self.mode}"

    def seconds(self, ticks: float) -> float:
        return ticks / TICKS * 60 / self.tempo


@dataclass(frozen=True, slots=True)
class Score:
    """A whole piece; its notes are in order of start, then voice, then pitch."""

    head: Head
    notes: tuple[Note, ...]

    @property
    def end(self) -> int:
        """The tick at which the last note is over."""
        return max((note.start + note.length for note in self.notes), default=0)
