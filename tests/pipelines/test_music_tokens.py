"""Any choice that the sheet allows makes a whole piece of music, and every piece is the same tokens again."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations, pairwise

import pytest

from pipelines.music_score import TONICS, Head, Note, Score
from pipelines.music_styles import STYLES
from pipelines.music_tokens import (
    FIELDS,
    LENGTHS,
    NONE,
    PITCHES,
    REST,
    Event,
    Sheet,
    anchor,
    bars_of,
    events_of,
    fitted,
    length_number,
    on_grid,
    rests,
    score_of,
)

HEADS = [
    Head(style.id, tonic, style.modes[0], metre, style.tempo, (0,) * voices)
    for tonic, style in enumerate(STYLES.values())
    for metre in style.metres
    for voices in style.voices
]


def improvised(head: Head, bars: int, upbeat: bool, seed: int) -> Score:
    """A piece in which chance chooses, of what the grammar allows."""
    chance = random.Random(seed)
    sheet, notes = Sheet(head, bars, upbeat), []
    while not sheet.done:
        pitch = chance.choice([number for number, allowed in enumerate(sheet.pitches()) if allowed])
        length = chance.choice([i for i, allowed in enumerate(sheet.lengths(pitch)) if allowed])
        note = sheet.write(Event(sheet.pitch(pitch), LENGTHS[length]))
        notes += [note] if note else []
    return Score(head, tuple(notes))


def voice_of(score: Score, voice: int) -> list[Note]:
    return [note for note in score.notes if note.voice == voice]


@pytest.mark.parametrize("upbeat", [False, True])
@pytest.mark.parametrize("head", HEADS, ids=lambda head: f"{head.style}-{head.metre}-{len(head.instruments)}")
def test_whatever_the_grammar_allows_is_a_whole_piece(head: Head, upbeat: bool) -> None:
    score = improvised(head, 3, upbeat, seed=1)
    total = (3 + upbeat) * head.bar
    style = STYLES[head.style]
    assert score.notes == tuple(sorted(score.notes, key=lambda note: (note.start, note.voice)))
    assert total - head.bar <= score.end <= total
    for voice, part in enumerate(style.parts(len(head.instruments))):
        notes = voice_of(score, voice)
        low, high = style.ranges[part]
        assert all(low <= note.pitch <= high and note.length in LENGTHS for note in notes)
        ends = [0, *(note.start + note.length for note in notes)]
        starts = [*(note.start for note in notes), total]
        assert all(0 <= start - end <= head.bar for end, start in zip(ends, starts, strict=True))
    first = min(note.start for note in voice_of(score, 0))
    assert 0 < first < head.bar if upbeat else first == 0


@pytest.mark.parametrize("seed", range(20))
def test_a_piece_is_its_tokens_and_back(seed: int) -> None:
    head = HEADS[seed % len(HEADS)]
    score = improvised(head, 4, seed % 2 == 0, seed)
    bars, upbeat = bars_of(score)
    events = [event for _, event in events_of(score)]
    assert score_of(head, bars, upbeat, events) == score


def test_no_fifth_or_octave_follows_another() -> None:
    """Of the pairs of voices that move the same way at the same time; by chance alone it is every twentieth chord."""
    score = improvised(Head("chorale", 0, "major", (4, 4), 72, (0,) * 4), 300, False, seed=8)
    moved = 0
    for one, two in combinations(range(4), 2):
        before = {note.start: prior for prior, note in pairwise(voice_of(score, one))}
        other = {note.start: prior for prior, note in pairwise(voice_of(score, two))}
        new = {(note.voice, note.start): note.pitch for note in score.notes}
        for time in before.keys() & other.keys():
            high, low = before[time], other[time]
            if high.start + high.length == time == low.start + low.length:
                steps = [new[voice, time] - prior.pitch for voice, prior in ((one, high), (two, low))]
                apart = {(high.pitch - low.pitch) % 12, (new[one, time] - new[two, time]) % 12}
                moved += 1
                assert apart not in ({0}, {7}) or steps[0] * steps[1] <= 0
    assert moved > 50


def test_what_is_written_is_what_the_sheet_says_next() -> None:
    """Each voice's last event, and how long it still lasts, are among the features of the events behind it."""
    head = Head("chorale", 0, "major", (4, 4), 72, (0,) * 4)
    names = list(FIELDS)
    for sheet, _ in events_of(improvised(head, 2, False, seed=3)):
        said = dict(zip(names, sheet.features(), strict=True))
        assert said["part"] == sheet.voice
        assert said["place"] == sheet.time % head.bar
        assert said[f"left{sheet.voice}"] == 0
        assert all(0 <= said[name] < size for name, size in FIELDS.items())


def test_a_tune_is_the_same_tokens_in_another_key() -> None:
    def read(score: Score) -> list[tuple[list[int], int]]:
        tonic = list(FIELDS).index("tonic")
        rows = [(sheet.features(), sheet.number(event.pitch)) for sheet, event in events_of(score)]
        return [(features[:tonic] + features[tonic + 1 :], pitch) for features, pitch in rows]

    score = improvised(Head("jig", 7, "major", (6, 8), 165, (0,)), 4, True, seed=5)
    higher = Score(replace(score.head, tonic=9), tuple(replace(note, pitch=note.pitch + 2) for note in score.notes))
    assert read(score) == read(higher)


@pytest.mark.parametrize("style", STYLES.values(), ids=lambda style: style.id)
def test_every_pitch_of_a_style_has_a_number(style) -> None:
    for tonic in range(len(TONICS)):
        sheet = Sheet(Head(style.id, tonic, "major", style.metres[0], 90, (0,) * len(style.ranges)), 1, False)
        low, high = min(low for low, _ in style.ranges), max(high for _, high in style.ranges)
        for pitch in range(low, high + 1):
            assert sheet.pitch(sheet.number(pitch)) == pitch
        assert anchor(style, tonic) % 12 == tonic


def test_pitches_beyond_the_numbers_count_as_those_of_another_octave() -> None:
    sheet = Sheet(HEADS[0], 1, False)
    for pitch in range(128):
        number = sheet.number(pitch)
        assert REST < number < PITCHES
        assert (sheet.pitch(number) - pitch) % 12 == 0


def test_half_beats_are_halved_or_in_three() -> None:
    assert on_grid(0, 8) and on_grid(8, 4) and on_grid(6, 18) and on_grid(12, 4)
    assert not on_grid(8, 3) and not on_grid(6, 8) and not on_grid(5, 3)


def test_rests_fill_what_they_should() -> None:
    for start in (0, 6, 8, 24):
        for end in range(start + 12 - start % 12, 300, 12):
            assert sum(event.length for event in rests(start, end)) == end - start


def test_a_length_is_numbered_as_the_nearest() -> None:
    assert length_number(0) == NONE
    assert [length_number(length) for length in LENGTHS] == list(range(1, len(LENGTHS) + 1))
    assert length_number(1000) == len(LENGTHS)
    assert length_number(13) == length_number(12)


class TestFitted:
    def test_one_note_at_a_time_on_the_grid(self) -> None:
        played = [Note(1, 0, 60, 20), Note(1, 0, 64, 25), Note(25, 0, 62, 40), Note(47, 0, 65, 3), Note(200, 0, 67, 9)]
        melody = fitted(played, 192)
        assert [(note.start, note.pitch) for note in melody] == [(0, 64), (24, 62), (48, 65)]
        assert all(one.start + one.length <= two.start for one, two in pairwise(melody))

    def test_triplets_stay_triplets(self) -> None:
        played = [Note(0, 0, 60, 7), Note(9, 0, 62, 7), Note(16, 0, 64, 8), Note(24, 0, 65, 24)]
        assert [note.start for note in fitted(played, 96)] == [0, 8, 16, 24]

    def test_what_fits_stays_as_it_is(self) -> None:
        chance = random.Random(7)
        for _ in range(50):
            played = [
                Note(chance.randrange(400), 0, chance.randrange(40, 90), chance.randrange(1, 60)) for _ in range(9)
            ]
            melody = fitted(played, 384)
            assert fitted(melody, 384) == melody
            assert all(note.length > 0 and note.start + note.length <= 384 for note in melody)

    def test_nothing_stays_nothing(self) -> None:
        assert fitted([], 96) == ()
