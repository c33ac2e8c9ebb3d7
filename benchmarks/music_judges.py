"""What can be counted in a score: notes in key, parallel fifths, what was heard before, what was copied."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, pairwise

from pipelines.music_score import Note, Score
from pipelines.music_styles import STYLES
from pipelines.music_tokens import anchor

SCALES = {"major": {0, 2, 4, 5, 7, 9, 11}, "minor": {0, 2, 3, 5, 7, 8, 9, 10, 11}}  # minor: both sixths and sevenths
FIFTH, OCTAVE = 7, 0
SEED = 5  # notes that a copy has at least

Chord = dict[int, int]  # voice -> pitch


def voices(score: Score) -> list[list[Note]]:
    found: dict[int, list[Note]] = defaultdict(list)
    for note in score.notes:
        found[note.voice].append(note)
    return [found[voice] for voice in sorted(found)]


def share_in_key(scores: Iterable[Score]) -> float:
    inside = total = 0
    for score in scores:
        scale = SCALES[score.head.mode]
        inside += sum((note.pitch - score.head.tonic) % 12 in scale for note in score.notes)
        total += len(score.notes)
    return inside / total


def chords(score: Score) -> Iterator[Chord]:
    """What sounds at each moment at which a note starts."""
    sounding: dict[int, Note] = {}
    for time in sorted({note.start for note in score.notes}):
        sounding |= {note.voice: note for note in score.notes if note.start == time}
        yield {voice: note.pitch for voice, note in sounding.items() if note.start + note.length > time}


def parallels(scores: Iterable[Score], interval: int) -> float:
    """How often, of 100 changes of chord, two voices move the same way from this interval into the same again."""
    found = changes = 0
    for score in scores:
        for one, two in pairwise(chords(score)):
            changes += 1
            moving = [voice for voice in one.keys() & two.keys() if one[voice] != two[voice]]
            for a, b in combinations(sorted(moving), 2):
                apart = {(chord[a] - chord[b]) % 12 for chord in (one, two)}
                same_way = (two[a] - one[a]) * (two[b] - one[b]) > 0
                found += apart == {interval} and same_way
    return 100 * found / max(1, changes)


def share_ending_on_key_note(scores: Sequence[Score]) -> float:
    return sum(voices(score)[-1][-1].pitch % 12 == score.head.tonic for score in scores) / len(scores)


def share_of_bars_heard_before(scores: Iterable[Score]) -> float:
    """Bars that are, in all voices, as one before them in the piece: what makes a form of phrases."""
    again = total = 0
    for score in scores:
        bars: dict[int, list[Note]] = defaultdict(list)
        for note in score.notes:
            bars[note.start // score.head.bar].append(note)
        seen = set()
        for number in sorted(bars):
            shape = tuple((note.start % score.head.bar, note.voice, note.pitch, note.length) for note in bars[number])
            again += shape in seen
            seen.add(shape)
        total += len(bars)
    return again / total


def pitches(score: Score) -> Iterator[int]:
    """Above the key note."""
    key_note = anchor(STYLES[score.head.style], score.head.tonic)
    return (note.pitch - key_note for note in score.notes)


def lengths(score: Score) -> Iterator[int]:
    return (note.length for note in score.notes)


def leaps(score: Score) -> Iterator[int]:
    """Semitones from each note to the next of its voice."""
    return (two.pitch - one.pitch for voice in voices(score) for one, two in pairwise(voice))


def overlap(count: Callable[[Score], Iterable[int]], some: Sequence[Score], others: Sequence[Score]) -> float:
    """How much two distributions have in common, 1 if they are the same; style by style, as often as in `some`."""
    total, notes = 0.0, 0
    for style in {score.head.style for score in some}:
        one, two = (
            Counter(value for score in each if score.head.style == style for value in count(score))
            for each in (some, others)
        )
        size = one.total()
        total += size * sum(min(one[value] / size, two[value] / max(1, two.total())) for value in one)
        notes += size
    return total / notes


class Copies:
    """Finds the longest run of notes that is in one of these scores, in any key, with the same lengths."""

    def __init__(self, scores: Iterable[Score]) -> None:
        self._lines = [line(voice) for score in scores for voice in voices(score)]
        self._places: dict[tuple[tuple[int, int], ...], list[tuple[int, int]]] = defaultdict(list)
        for number, known in enumerate(self._lines):
            for i in range(len(known) - SEED + 1):
                self._places[known[i : i + SEED]].append((number, i))

    def longest(self, score: Score) -> int:
        """In notes; 0 if it is shorter than the shortest that is looked for."""
        best = 0
        for voice in voices(score):
            own = line(voice)
            for i in range(len(own) - SEED + 1):
                for number, j in self._places.get(own[i : i + SEED], ()):
                    known = self._lines[number]
                    if own[i : i + best] == known[j : j + best]:
                        best = max(best, self._run(own, i, known, j))
        return best

    @staticmethod
    def _run(own: Sequence[tuple[int, int]], i: int, known: Sequence[tuple[int, int]], j: int) -> int:
        length = 0
        while i + length < len(own) and j + length < len(known) and own[i + length] == known[j + length]:
            length += 1
        return length


def line(voice: Sequence[Note]) -> tuple[tuple[int, int], ...]:
    """Each note as its length and the step to the next one."""
    return tuple((one.length, two.pitch - one.pitch) for one, two in pairwise(voice))
