"""How music becomes tokens: voices take turns, and the one that falls silent first says what it does next.

A piece is a row of events, each a pitch (or a rest) and a length, and nothing more: whose turn it is and when it
starts follow from what was written before, so time cannot go back, voices have no gaps, and bars add up. Of the voices
that are free at the same time the highest goes first. Notes therefore come in order of start, then voice.

Pitches are counted from the key note, so a tune is the same tokens in every key.

The sheet that is being written on says three things about the next event: what a reader would know by now (features,
one number for each of FIELDS), which pitches the voice may take, and which lengths then end on the grid and in time.
Parallel fifths and octaves are not among them: Bach hardly ever wrote any, and a small model does not learn that. Any
choice among those leads to a whole piece. Music that exists is read through the same sheet (events_of).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipelines.music_score import TICKS, Head, Note, Score
from pipelines.music_styles import STYLES, Style

LENGTHS = (3, 4, 6, 8, 9, 12, 16, 18, 21, 24, 30, 36, 42, 48, 60, 66, 72, 84, 96, 108, 120, 144, 192)
METRES = ((2, 4), (3, 4), (4, 4), (3, 2), (6, 8), (9, 8), (12, 8), (3, 8), (6, 4))
LOWEST, HIGHEST = -41, 24  # semitones from the key note that the highest voice moves around
NONE, REST = 0, 1  # numbers of what is not known, and of a rest; the others are pitches
PITCHES = HIGHEST - LOWEST + 3
VOICES = 4
LONGEST_BAR, MOST_BARS, PHRASE = 144, 33, 8
BACK, MOST_ALIKE = (1, 2, 4, 8), 7  # bars after which music likes to come again
PACES = (90, 130)  # quarter notes per minute: slower than the first is slow, faster than the last is fast

FIELDS: dict[str, int] = {
    "style": 16,
    "voices": VOICES + 1,
    "mode": 2,
    "metre": len(METRES),
    "tonic": 12,
    "pace": len(PACES) + 2,
    "upbeat": 2,
    "bars": MOST_BARS + 1,
    "part": VOICES,  # whose turn it is
    "place": LONGEST_BAR,  # ticks since the bar began
    "bar": PHRASE,  # bars since a phrase of eight began
    "bars_left": MOST_BARS + 1,
    "before": PITCHES,  # the event before, of whichever voice
    "before_length": len(LENGTHS) + 1,
    "own_length": len(LENGTHS) + 1,  # of this voice's last event
    "ahead": PITCHES,  # what the highest voice has next, where that is known
    **{f"pitch{part}": PITCHES for part in range(VOICES)},  # each voice's last event
    **{f"left{part}": len(LENGTHS) + 1 for part in range(VOICES)},  # and how long it still lasts
    **{f"pitch{back}ago": PITCHES for back in BACK},  # what this voice began at this place so many bars ago
    **{f"length{back}ago": len(LENGTHS) + 1 for back in BACK},
    **{f"alike{back}": MOST_ALIKE + 1 for back in BACK},  # of its last events, those that were as so many bars ago
}
PITCH_FIELDS = ("before", "ahead", *(f"pitch{part}" for part in range(VOICES)), *(f"pitch{back}ago" for back in BACK))


@dataclass(frozen=True, slots=True)
class Event:
    """What one voice does next; `pitch` as in MIDI, None for a rest; `length` in ticks."""

    pitch: int | None
    length: int


def length_number(ticks: int) -> int:
    """The number of the nearest length, the shorter of two; 0 is none."""
    if ticks <= 0:
        return 0
    above = min(bisect_left(LENGTHS, ticks), len(LENGTHS) - 1)
    nearer_below = above > 0 and ticks - LENGTHS[above - 1] <= LENGTHS[above] - ticks
    return above + 1 - nearer_below


def on_grid(start: int, length: int) -> bool:
    """Whether a note may last from here so long: within half a beat it is halved or it is in three, not both."""
    binary, triple = start % 3 == 0, start % 4 == 0
    return (binary and length % 3 == 0) or (triple and length % 4 == 0)


def anchor(style: Style, tonic: int) -> int:
    """The key note from which pitches are counted."""
    return style.centre - 6 + (tonic - style.centre + 6) % 12


class Sheet:
    """A piece as far as it is written.

    `bars` are whole bars; with an upbeat, one more holds just that: it begins with a rest in all voices.
    """

    def __init__(self, head: Head, bars: int, upbeat: bool) -> None:
        self.head, self.style = head, STYLES[head.style]
        self.parts = self.style.parts(len(head.instruments))
        self.bar, self.upbeat = head.bar, upbeat
        self.total = (bars + upbeat) * self.bar
        self._anchor = anchor(self.style, head.tonic)
        self._ends = [0] * len(self.parts)
        self._silent = [0] * len(self.parts)  # ticks since the voice's last note was over
        self._pitches = [NONE] * VOICES
        self._part_ends = [0] * VOICES
        self._own = [0] * VOICES
        self._before = (NONE, 0)
        self._begun: list[dict[int, tuple[int, int]]] = [{} for _ in self.parts]  # by voice and time
        self._alike = [[0] * len(BACK) for _ in self.parts]
        self._steps = [(-1, 0, 0)] * len(
            self.parts
        )  # each voice's last step from note to note: when, from where, where to
        pace = 1 + sum(head.tempo >= bound for bound in PACES) if self.style.paced else 0
        self._constant = [
            list(STYLES).index(head.style),
            len(self.parts),
            int(head.mode == "minor"),
            METRES.index(head.metre),
            head.tonic,
            pace,
            int(upbeat),
            min(bars, MOST_BARS),
        ]
        self._allowed = [self._within(*self.style.ranges[part]) for part in self.parts]

    @property
    def voice(self) -> int:
        """Whose turn it is."""
        return self._ends.index(min(self._ends))

    @property
    def time(self) -> int:
        return min(self._ends)

    @property
    def done(self) -> bool:
        return self.time >= self.total

    def number(self, pitch: int | None) -> int:
        """The number of a pitch; outside of what there are numbers for, that of its nearest octave."""
        if pitch is None:
            return REST
        steps = pitch - self._anchor
        steps += 12 * max(0, -(-(LOWEST - steps) // 12)) - 12 * max(0, -(-(steps - HIGHEST) // 12))
        return steps - LOWEST + 2

    def pitch(self, number: int) -> int | None:
        return None if number == REST else number - 2 + LOWEST + self._anchor

    def features(self, ahead: int = NONE) -> list[int]:
        """What is known before the next event is chosen, as numbers in the order of FIELDS."""
        time, part = self.time, self.parts[self.voice]
        bar = time // self.bar
        left = [length_number(end - time) for end in self._part_ends]
        ago = [self._ago(back) for back in BACK]
        return [
            *self._constant,
            part,
            time % self.bar,
            (bar - self.upbeat) % PHRASE,
            min(self.total // self.bar - bar, MOST_BARS),
            *self._before,
            self._own[part],
            ahead,
            *self._pitches,
            *left,
            *(pitch for pitch, _ in ago),
            *(length for _, length in ago),
            *self._alike[self.voice],
        ]

    def pitches(self) -> list[bool]:
        """Which numbers the next event's pitch may have."""
        allowed = list(self._allowed[self.voice])
        allowed[REST] = any(self.lengths(REST))
        if self.upbeat and self.time == 0:
            return [number == REST for number in range(PITCHES)]
        parallel = self._parallels()
        return [each and number not in parallel for number, each in enumerate(allowed)]

    def lengths(self, number: int) -> list[bool]:
        """Which of LENGTHS it may have: they end on the grid and in time, and no voice rests for more than a bar."""
        voice, time = self.voice, self.time
        most = self.total - time
        if number == REST:
            most = min(most, self.bar - self._silent[voice])
            if voice == 0 and self._silent[0] == time:  # no note yet: the first comes at once, or as the upbeat
                most = min(most, self.bar - time - 1) if self.upbeat else 0
        return [length <= most and on_grid(time, length) for length in LENGTHS]

    def write(self, event: Event) -> Note | None:
        """Takes the next event, whatever the rules above say of it; returns it as a note if it is one."""
        voice, time = self.voice, self.time
        part, number, agos = self.parts[voice], self.number(event.pitch), [self._ago(back) for back in BACK]
        before = self._pitches[part]
        self._ends[voice] = self._part_ends[part] = time + event.length
        self._pitches[part], self._own[part] = number, length_number(event.length)
        self._before = (number, self._own[part])
        same = [ago == self._before for ago in agos]
        self._alike[voice] = [
            min(count + 1, MOST_ALIKE) * on for count, on in zip(self._alike[voice], same, strict=True)
        ]
        self._begun[voice][time] = self._before
        if event.pitch is not None and before > REST and not self._silent[voice]:
            self._steps[voice] = (time, before, number)
        if event.pitch is None:
            self._silent[voice] += event.length
            return None
        self._silent[voice] = 0
        return Note(time, voice, event.pitch, event.length)

    def _parallels(self) -> set[int]:
        """Numbers that would make a fifth or octave follow another, between this voice and one that moves its way."""
        voice, found = self.voice, set[int]()
        here = self._pitches[self.parts[voice]]
        if here <= REST or self._silent[voice]:
            return found
        for other, (time, start, end) in enumerate(self._steps):
            above = 1 if other < voice else -1
            apart = above * (start - here) % 12
            if other != voice and time == self.time and start != end and apart in (0, 7):
                same_way = range(here + 1, PITCHES) if end > start else range(REST + 1, here)
                found |= {number for number in same_way if above * (end - number) % 12 == apart}
        return found

    def _ago(self, back: int) -> tuple[int, int]:
        """Pitch and length of what this voice began so many bars before now."""
        return self._begun[self.voice].get(self.time - back * self.bar, (NONE, 0))

    def _within(self, low: int, high: int) -> list[bool]:
        numbers = range(PITCHES)
        return [number > REST and low <= number - 2 + LOWEST + self._anchor <= high for number in numbers]


def voice_events(notes: Iterable[Note], until: int) -> Iterator[Event]:
    """One voice's notes as events, with rests between them and behind them; rests as long as LENGTHS allow."""
    time = 0
    for note in notes:
        yield from rests(time, note.start)
        yield Event(note.pitch, note.length)
        time = note.start + note.length
    yield from rests(time, until)


def rests(start: int, end: int) -> Iterator[Event]:
    while start < end:
        fitting = [length for length in LENGTHS if length <= end - start and on_grid(start, length)]
        length = fitting[-1] if fitting else end - start
        yield Event(None, length)
        start += length


def has_upbeat(notes: Sequence[Note], bar: int) -> bool:
    return bool(notes) and 0 < min(note.start for note in notes) < bar


def bars_of(score: Score) -> tuple[int, bool]:
    """How many bars a score fills, and whether there is an upbeat in a bar before them."""
    bar = score.head.bar
    upbeat = has_upbeat(score.notes, bar)
    return max(1, -(-score.end // bar) - upbeat), upbeat


def events_of(score: Score) -> Iterator[tuple[Sheet, Event]]:
    """A score as events, each with the sheet as it is before that event is written."""
    sheet = Sheet(score.head, *bars_of(score))
    voices = [
        voice_events([note for note in score.notes if note.voice == voice], sheet.total)
        for voice in range(len(sheet.parts))
    ]
    while not sheet.done:
        event = next(voices[sheet.voice])
        yield sheet, event
        sheet.write(event)


def score_of(head: Head, bars: int, upbeat: bool, events: Iterable[Event]) -> Score:
    """The score that events make: the way back from events_of."""
    sheet = Sheet(head, bars, upbeat)
    written = (sheet.write(event) for event in events)
    return Score(head, tuple(note for note in written if note is not None))


def fitted(melody: Iterable[Note], until: int) -> tuple[Note, ...]:
    """A melody as one voice on the grid: the highest of notes that start together, halves or thirds of each beat
    (whichever it is nearer to), nothing after `until`."""
    notes = sorted(melody, key=lambda note: (note.start, -note.pitch))
    beats: dict[int, list[int]] = {}
    for note in notes:
        beats.setdefault(note.start // TICKS, []).append(note.start % TICKS)
    steps = {beat: _step(starts) for beat, starts in beats.items()}

    def snap(tick: int) -> int:
        step = steps.get(tick // TICKS, 6)
        return round(tick / step) * step

    starts: dict[int, Note] = {}
    for note in notes:
        starts.setdefault(snap(note.start), note)
    firsts = [start for start in sorted(starts) if start < until]
    result = []
    for start, following in zip(firsts, [*firsts[1:], until], strict=False):
        note = starts[start]
        end = min(max(snap(note.start + note.length), start + steps.get(start // TICKS, 6)), following)
        result.append(Note(start, 0, note.pitch, end - start))
    return tuple(result)


def _step(starts: Sequence[int]) -> int:
    """The coarsest grid that these ticks of a beat are on, or else the nearest."""
    return min((6, 8, 3, 4), key=lambda step: sum(abs(start - round(start / step) * step) for start in starts))
