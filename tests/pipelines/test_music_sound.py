"""A band that plays a piece bit by bit plays it as it would in one go: no clicks, no gaps, nothing too loud."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.music_score import TICKS, Head, Note
from pipelines.music_sound import RATE, RING_S, Band, bent, level
from tests.pipelines.tiny_soundfont import soundfont

SOUNDFONT = soundfont()
DUET = Head("air", 0, "major", (4, 4), 120, (73, 24))
LEVELS = (90, 90)
TUNE = [Note(beat * TICKS, voice, 60 + 2 * beat + 7 * voice, TICKS) for beat in range(8) for voice in range(2)]


def played(notes: Sequence[Note], cuts: Sequence[int], head: Head = DUET, begin: int = 0) -> list[NDArray[np.int16]]:
    """What a band gives that is told the notes between these ticks together."""
    band = Band(SOUNDFONT, head, LEVELS[: len(head.instruments)])
    band.begin(begin)
    parts = []
    for first, last in zip([begin, *cuts], cuts, strict=False):
        band.play([note for note in notes if first <= note.start < last])
        parts.append(band.until(last))
    last = cuts[-1] if cuts else begin
    band.play([note for note in notes if note.start >= last])
    return [*parts, band.end()]


def loudness(sound: NDArray[np.int16]) -> NDArray[np.float64]:
    """The root of the mean square of each 20 ms."""
    frame = RATE // 50
    frames = sound[: len(sound) // frame * frame].astype(float).reshape(-1, frame * 2)
    return np.sqrt(np.mean(np.square(frames), axis=1))


def test_the_length_is_that_of_the_notes_and_the_end_dies_away() -> None:
    (whole,) = played(TUNE, [])
    notes_s = 8 * 0.5
    assert whole.shape[1] == 2 and notes_s < len(whole) / RATE <= notes_s + RING_S + 0.1
    assert np.abs(whole[-RATE // 100 :]).max() < 40 < np.abs(whole[: RATE // 2]).max()


def test_each_part_is_as_long_as_its_notes() -> None:
    first, second, _ = played(TUNE, [2 * TICKS, 5 * TICKS])
    assert (len(first), len(second)) == (RATE, RATE * 3 // 2)


@pytest.mark.parametrize("cuts", [[TICKS], [2 * TICKS, 4 * TICKS, 6 * TICKS], [beat * TICKS for beat in range(1, 8)]])
def test_parts_joined_sound_as_the_piece_in_one_go(cuts: list[int]) -> None:
    """About as loud at every moment; not the same samples, since notes start with one of the synthesiser's blocks."""
    whole, joined = loudness(played(TUNE, [])[0]), loudness(np.concatenate(played(TUNE, cuts)))
    count = 4 * 50  # frames of 20 ms until the last note ends
    assert abs(len(whole) - len(joined)) < 5
    assert np.abs(joined[:count] - whole[:count]).mean() < 0.15 * whole.max()


def test_it_does_not_matter_where_the_sound_is_cut() -> None:
    told = [TUNE[:6], TUNE[6:]]
    given = []
    for asked in ([], [TICKS, 2 * TICKS, 3 * TICKS]):
        band = Band(SOUNDFONT, DUET, LEVELS)
        band.play(told[0])
        parts = [band.until(tick) for tick in asked]
        band.play(told[1])
        given.append(np.concatenate([*parts, band.end()]))
    assert np.array_equal(*given)


def test_no_join_is_steeper_than_the_sound_itself() -> None:
    cuts = [beat * TICKS for beat in range(1, 8)]
    parts = played(TUNE, cuts)
    steps = np.abs(np.diff(np.concatenate(parts).astype(int), axis=0)).max(axis=1)
    joins = np.cumsum([len(part) for part in parts])[:-1]
    around = max(int(steps[join - 3 : join + 2].max()) for join in joins)
    assert around <= np.percentile(steps, 99.9) * 1.5


def test_a_note_rings_on_over_the_end_of_its_part() -> None:
    long = [Note(0, 0, 60, 6 * TICKS), Note(4 * TICKS, 1, 67, TICKS)]
    first, second, _ = played(long, [2 * TICKS, 4 * TICKS])
    assert np.abs(second.astype(int)).max() > 0.5 * np.abs(first.astype(int)).max()


def test_the_sound_begins_with_the_first_note_not_with_the_rest_before_an_upbeat() -> None:
    late = [Note(note.start + 72, note.voice, note.pitch, note.length) for note in TUNE]
    assert np.array_equal(played(late, [], begin=72)[0], played(TUNE, [])[0])


def test_many_voices_at_full_level_are_bent_and_never_cut_off() -> None:
    crowd = [Note(0, 0, 48 + 5 * pitch, 2 * TICKS) for pitch in range(9)]
    (sound,) = played(crowd, [], Head("air", 0, "major", (4, 4), 120, (48,)))
    assert 0.8 * 32767 < np.abs(sound.astype(int)).max() < 32767


def test_bending_keeps_quiet_sound_and_order() -> None:
    x = np.linspace(-3, 3, 601, dtype=np.float32)
    y = bent(x)
    quiet = np.abs(x) <= 0.7
    assert np.array_equal(y[quiet], x[quiet]) and np.abs(y).max() <= 1 and np.all(np.diff(y) >= 0)
    assert np.array_equal(bent(x[100:200]), y[100:200])


def test_an_instrument_that_sounds_loud_is_played_softer() -> None:
    assert 0 < level(SOUNDFONT, 40) <= 127
