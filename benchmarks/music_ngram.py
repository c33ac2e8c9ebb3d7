"""What a transformer has to beat: a 5-gram with interpolated Kneser-Ney smoothing, over the same tokens.

Each event is two tokens, its pitch counted from the key note and its length. Three 5-grams are tried, and the best of
them is the one to beat:

* "as written": pitch and length in turn, all voices as they take turns, in one row.
* "by voice": the same, but each voice by itself.
* "apart": each voice by itself, pitches after four pitches, lengths after four lengths.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from training.music import COLUMNS, Row

ORDER = 5
Token = Hashable


class KneserNey:
    """P(token | the four before), each order falling back on the next lower, the last on all tokens alike."""

    def __init__(self, rows: Iterable[Sequence[Token]], order: int = ORDER) -> None:
        self._order = order
        self._counts: list[dict[tuple[Token, ...], dict[Token, int]]] = [
            defaultdict(lambda: defaultdict(int)) for _ in range(order)
        ]
        words: set[Token] = set()
        for row in rows:
            words.update(row)
            for context, token in self._contexts(row):
                self._counts[order - 1][context][token] += 1
        for n in range(order - 1, 0, -1):  # of lower orders it counts in how many contexts a token was seen
            for context, found in self._counts[n].items():
                for token in found:
                    self._counts[n - 1][context[1:]][token] += 1
        self._words = len(words) + 1  # one for all that was never seen
        self._totals = [{context: sum(found.values()) for context, found in level.items()} for level in self._counts]
        self._discounts = [self._discount(level) for level in self._counts]

    def nats(self, row: Sequence[Token]) -> Iterator[float]:
        """What each token costs."""
        for context, token in self._contexts(row):
            p = 1 / self._words
            for n in range(self._order):
                own = context[self._order - 1 - n :]
                found = self._counts[n].get(own)
                if found is None:
                    continue
                total, discount = self._totals[n][own], self._discounts[n]
                p = (max(found.get(token, 0) - discount, 0) + discount * len(found) * p) / total
            yield -math.log(p)

    def _contexts(self, row: Sequence[Token]) -> Iterator[tuple[tuple[Token, ...], Token]]:
        padded: list[Token] = [None] * (self._order - 1) + list(row)
        for i, token in enumerate(row):
            yield tuple(padded[i : i + self._order - 1]), token

    @staticmethod
    def _discount(level: Mapping[tuple[Token, ...], Mapping[Token, int]]) -> float:
        once = sum(count == 1 for found in level.values() for count in found.values())
        twice = sum(count == 2 for found in level.values() for count in found.values())
        return once / (once + 2 * twice) if once else 0.5


def by_voice(row: Row) -> list[list[tuple[int, int]]]:
    """Pitch and length of each event, voice by voice."""
    voices: dict[int, list[tuple[int, int]]] = defaultdict(list)
    parts = row.features[:, COLUMNS["part"]].tolist()
    for part, pitch, length in zip(parts, row.pitches.tolist(), row.lengths.tolist(), strict=True):
        voices[part].append((pitch, length))
    return list(voices.values())


def in_turn(events: Iterable[tuple[int, int]]) -> list[Token]:
    return [token for pitch, length in events for token in (("pitch", pitch), ("length", length))]


def as_written(row: Row) -> list[list[Token]]:
    return [in_turn(zip(row.pitches.tolist(), row.lengths.tolist(), strict=True))]


def each_voice(row: Row) -> list[list[Token]]:
    return [in_turn(events) for events in by_voice(row)]


def apart(row: Row) -> list[list[Token]]:
    return [[(kind, event[kind]) for event in events] for events in by_voice(row) for kind in (0, 1)]


WAYS: dict[str, Callable[[Row], list[list[Token]]]] = {
    "as written": as_written,
    "by voice": each_voice,
    "apart": apart,
}


@dataclass(frozen=True)
class Baseline:
    """A 5-gram, and how it reads a piece."""

    way: str
    model: KneserNey

    @classmethod
    def of(cls, way: str, learned: Sequence[Row]) -> Baseline:
        return cls(way, KneserNey(tokens for row in learned for tokens in WAYS[way](row)))

    def nats_per_note(self, rows: Sequence[Row]) -> float:
        """As for the model: rests cost too, but do not count as notes."""
        cost = sum(sum(self.model.nats(tokens)) for row in rows for tokens in WAYS[self.way](row))
        return cost / sum(row.notes for row in rows)
