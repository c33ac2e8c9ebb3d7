"""The judges of composed music are right about music that is made to be judged."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from benchmarks.music_ngram import WAYS, KneserNey
from pipelines.music_score import Head, Note, Score
from training.music import row_of
from training.music_data import Piece

HEAD = Head("chorale", 0, "major", (4, 4), 72, (19,) * 4)


def chords(*pitches: tuple[int, int, int, int]) -> Score:
    notes = [Note(24 * i, voice, p, 24) for i, chord in enumerate(pitches) for voice, p in enumerate(chord)]
    return Score(HEAD, tuple(notes))


class TestNGram:
    ROWS = (list("abracadabra"), list("abrakadabra"), list("cadabra"))

    @pytest.mark.parametrize("context", ["ab", "ra", "zz", "dz"])
    def test_probabilities_add_up(self, context: str) -> None:
        model = KneserNey(self.ROWS, 3)
        tokens = sorted({token for row in self.ROWS for token in row})
        total = sum(math.exp(-list(model.nats([*context, token]))[-1]) for token in [*tokens, "never seen"])
        assert total == pytest.approx(1)

    def test_what_was_seen_is_likelier(self) -> None:
        model = KneserNey(self.ROWS, 3)
        assert list(model.nats("abr"))[-1] < list(model.nats("abd"))[-1] < list(model.nats("ab?"))[-1]

    @pytest.mark.parametrize("way", WAYS)
    def test_every_event_is_paid_for_once(self, way: str) -> None:
        row = row_of(Piece("c", "c", chords((72, 67, 64, 48), (71, 67, 62, 55)), False))
        paid = Counter(str(token) for tokens in WAYS[way](row) for token in tokens)
        assert sum(paid.values()) == 2 * len(row.pitches)
