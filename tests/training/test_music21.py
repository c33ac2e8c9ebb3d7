"""What music21 reads becomes scores as they sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.music_score import Head, Note
from training.music_pieces import LeftOut

pytest.importorskip("music21", reason="music21 is not installed: training/requirements.txt has it")

from training import music_abc, music_chorales
from training.music_abc import best_key

TUNE = """X:1
T:The Test
R:jig
M:6/8
L:1/8
K:G
D|"G"G2B {c}d2.B|=f2d fdB|[DA]2A ABA|1 G3- G2:|2 G3- G2||
d|T(3efg d BAG|E>D E d2c|B2A AGF|G3-G2|]
"""


def notes_of(text: str) -> list[Note]:
    return list(music_abc.score_of("ryansMammoth/Test#0", text)[1].notes)


def test_a_tune_is_read_as_it_sounds() -> None:
    title, score, paced = music_abc.score_of("ryansMammoth/Test#0", TUNE)
    assert (title, paced) == ("The Test", False)
    assert score.head == Head("jig", 7, "major", (6, 8), 165, score.head.instruments)
    notes = score.notes
    assert notes[0] == Note(60, 0, 62, 12)  # an upbeat, at the end of its bar
    assert [note.pitch for note in notes[1:9]] == [67, 71, 74, 71, 77, 74, 77, 74]  # natural until the bar ends
    assert notes[10].pitch == 69  # the upper of two
    assert Note(288, 0, 67, 60) in notes  # tied, and its other ending is not there
    assert Note(348, 0, 74, 12) in notes  # the next section's upbeat completes the bar
    assert [note.length for note in notes if note.start >= 360][:3] == [8, 8, 8]
    assert score.end == 9 * 72 - 12


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("M:6/8", "M:5/8", "metre"),
        ('|"G"G2B', '|"G"G2BBB', "bars"),
        ("K:G", "K:?", "key"),
        ("\nd|T", "\nK:D\nd|T", "changes"),
    ],
)
def test_what_cannot_be_read_says_why(old: str, new: str, reason: str) -> None:
    with pytest.raises(LeftOut, match=reason):
        music_abc.score_of("ryansMammoth/Test#0", TUNE.replace(old, new))


def test_a_signature_alone_does_not_make_a_key_major() -> None:
    minor = [Note(24 * i, 0, pitch, 24) for i, pitch in enumerate((64, 67, 71, 69, 67, 66, 64))]
    assert best_key(7, minor, 64) == (4, "minor")
    assert best_key(7, [*minor, Note(168, 0, 67, 96)], 67)[0] in (7, 4)


def test_a_reel_in_sixteenths_is_one_in_eighths() -> None:
    eighths = "X:1\nT:A Reel\nM:4/4\nL:1/8\nK:D\n" + "dfaf dfaf|" * 4
    sixteenths = eighths.replace("4/4", "2/4").replace("1/8", "1/16")
    assert notes_of(sixteenths) == notes_of(eighths)


def test_a_chorale_is_read_as_it_sounds(tmp_path: Path) -> None:
    from music21 import key, meter, note, stream

    piece = stream.Score()
    for pitches in (
        ("G4", "A4", "B4", "G4"),
        ("D4", "D4", "G4", "D4"),
        ("B3", "C4", "D4", "B3"),
        ("G3", "F#3", "G3", "G2"),
    ):
        part = stream.Part([key.KeySignature(1), meter.TimeSignature("4/4")])
        part.append([note.Note(pitch, quarterLength=2) for pitch in pitches])
        piece.append(part.makeMeasures())
    piece.write("musicxml", tmp_path / "bwv1.xml")
    score = music_chorales.score_of(tmp_path / "bwv1.xml")
    assert (score.head.key, score.head.metre) == ("G major", (4, 4))
    assert score.notes[:5] == (
        Note(0, 0, 67, 48),
        Note(0, 1, 62, 48),
        Note(0, 2, 59, 48),
        Note(0, 3, 55, 48),
        Note(48, 0, 69, 48),
    )
