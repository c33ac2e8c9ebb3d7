"""No tune is both learned from and withheld, and what is learned from has tokens."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.music_score import Head, Note, Score
from training.music_pieces import LeftOut, Piece, checked, families, load, runs, store


def piece(name: str, pitches: list[int]) -> Piece:
    notes = tuple(Note(12 * i, 0, pitch, 12) for i, pitch in enumerate(pitches))
    return Piece(name, name, Score(Head("reel", 0, "major", (4, 4), 200, (110,)), notes), False)


LINE = [60, 62, 64, 67, 65, 64, 62, 60, 67, 69, 71, 72, 74, 72, 71, 69, 67, 65, 64, 62]


def test_a_tune_under_another_name_and_in_another_key_is_of_the_same_family() -> None:
    other = [72 - (pitch * 7) % 13 for pitch in LINE]
    varied = [pitch + 5 for pitch in LINE[:-2]] + [70, 72]
    found = families([piece("a", LINE), piece("b", varied), piece("c", other)])
    assert found[0].family == found[1].family != found[2].family
    assert found[0].withheld == found[1].withheld


def test_of_equal_pieces_one_is_kept() -> None:
    assert [each.name for each in families([piece("a", LINE), piece("b", [p + 2 for p in LINE])])] == ["a"]


def test_repeated_notes_do_not_hide_a_tune() -> None:
    twice = [pitch for pitch in LINE for _ in range(2)]
    assert runs(piece("a", LINE).score) == runs(piece("b", twice).score)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda note: replace(note, pitch=note.pitch + 40), "range"),
        (lambda note: replace(note, length=7), "tokens"),
        (lambda note: replace(note, start=note.start * 200), "length"),
    ],
)
def test_what_has_no_tokens_is_left_out(change, reason: str) -> None:
    score = piece("a", LINE * 2).score
    assert checked(score) == score
    with pytest.raises(LeftOut, match=reason):
        checked(Score(score.head, tuple(change(note) for note in score.notes)))


def test_pieces_come_back_as_they_were_stored(tmp_path: Path) -> None:
    pieces = families([piece("a", LINE), piece("b", LINE[::-1])])
    store(pieces, Counter(metre=3), tmp_path)
    assert load(tmp_path) == pieces
    with pytest.raises(SystemExit, match=r"training\.music_data"):
        load(tmp_path / "nowhere")
