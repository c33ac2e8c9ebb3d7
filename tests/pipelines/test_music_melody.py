"""Whatever is sent as a MIDI file becomes a melody on the grid or a message, soon."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import mido
import pytest

from pipelines import music_melody
from pipelines.errors import BadRequest
from pipelines.music_melody import MOST_NOTES, Melody
from pipelines.music_request import MOST_BARS, MOST_MELODY
from pipelines.music_score import TICKS, Note

SCALE = [(beat * 480, 480, pitch) for beat, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72))]


def track(notes: Sequence[tuple[int, int, int]], channel: int = 0, meta: Sequence[Any] = ()) -> mido.MidiTrack:
    """A track of (from tick, ticks, pitch)."""
    events = [(at, 1, pitch) for at, _, pitch in notes] + [(at + length, 0, pitch) for at, length, pitch in notes]
    made, now = mido.MidiTrack(meta), 0
    for tick, on, pitch in sorted(events):
        made.append(mido.Message("note_on", channel=channel, note=pitch, velocity=90 * on, time=tick - now))
        now = tick
    return made


def midi(*tracks: mido.MidiTrack, per_beat: int = 480) -> bytes:
    file = mido.MidiFile(ticks_per_beat=per_beat, tracks=list(tracks))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def read(data: bytes, bars: int = MOST_BARS) -> Melody:
    return music_melody.read(data, bars)


def test_a_plain_tune_is_read_as_it_is() -> None:
    meta = [
        mido.MetaMessage("time_signature", numerator=2, denominator=4),
        mido.MetaMessage("key_signature", key="C"),
        mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(96)),
    ]
    melody = read(midi(track(SCALE, meta=meta)))
    assert melody.notes == tuple(Note(beat * TICKS, 0, pitch, TICKS) for beat, (_, _, pitch) in enumerate(SCALE))
    assert (melody.tonic, melody.mode, melody.metre, melody.tempo, melody.bars) == (0, "major", (2, 4), 96, 4)


def test_a_performance_comes_onto_the_grid() -> None:
    chance = random.Random(3)
    loose = [(at + chance.randint(0, 30), length - chance.randint(30, 60), pitch) for at, length, pitch in SCALE]
    melody = read(midi(track(loose)))
    assert [note.start for note in melody.notes] == [beat * TICKS for beat in range(8)]
    assert all(note.length % 3 == 0 for note in melody.notes)


def test_the_highest_part_that_really_plays_is_the_melody_and_drums_are_none() -> None:
    bass = track([(at, length, pitch - 24) for at, length, pitch in SCALE])
    tune = track(SCALE, channel=1)
    bell = track([(0, 480, 108)], channel=2)
    drums = track([(at, 10, 90) for at in range(0, 3840, 60)], channel=9)
    assert [note.pitch for note in read(midi(bass, tune, bell, drums)).notes] == [pitch for _, _, pitch in SCALE]


def test_hundreds_of_tracks_are_read_and_the_melody_found() -> None:
    crowd = [track([(at, length, 40 + number % 12) for at, length, _ in SCALE], number % 9) for number in range(400)]
    assert [note.pitch for note in read(midi(*crowd, track(SCALE, 11))).notes] == [pitch for _, _, pitch in SCALE]


def test_of_a_chord_the_highest_note_counts_and_voices_never_overlap() -> None:
    chords = [(at, length * 2, pitch - below) for at, length, pitch in SCALE for below in (0, 4, 7)]
    notes = read(midi(track(chords))).notes
    assert [note.pitch for note in notes] == [pitch for _, _, pitch in SCALE]
    assert all(a.start + a.length <= b.start for a, b in pairwise(notes))


def test_silence_before_the_first_bar_goes_and_an_upbeat_stays() -> None:
    late = [(at + 1920 * 3 + 1440, length, pitch) for at, length, pitch in SCALE]
    assert read(midi(track(late))).notes[0].start == 3 * TICKS


@pytest.mark.parametrize(("written", "found"), [("Am", (9, "minor")), ("F#", (0, "major")), (None, (0, "major"))])
def test_the_key_is_the_written_one_where_that_can_be_true(written: str | None, found: tuple[int, str]) -> None:
    meta = [] if written is None else [mido.MetaMessage("key_signature", key=written)]
    tune = [*SCALE, (8 * 480, 1920, 60), *((12 * 480 + at, 240, 69) for at in range(0, 960, 240))]
    melody = read(midi(track(tune, meta=meta)))
    assert (melody.tonic, melody.mode) == found


@pytest.mark.parametrize("tempo", [0, 1, 16_777_215])
def test_an_absurd_tempo_is_not_taken_over(tempo: int) -> None:
    meta = [mido.MetaMessage("set_tempo", tempo=tempo)]
    assert read(midi(track(SCALE, meta=meta))).tempo is None


def test_metres_that_are_counted_otherwise_are_the_same_bars() -> None:
    meta = [mido.MetaMessage("time_signature", numerator=2, denominator=2)]
    assert read(midi(track(SCALE, meta=meta))).metre == (4, 4)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (midi(), "no notes"),
        (midi(mido.MidiTrack()), "no notes"),
        (midi(track(SCALE, channel=9)), "no notes, drums aside"),
        (midi(track(SCALE))[:40], "cut off"),
        (b"MThd", "cut off"),
        (b"MThd" + bytes(1_000), "MIDI file|no notes|seconds"),
        (midi(track(SCALE), per_beat=32_767)[:12] + b"\xe7\x28" + midi(track(SCALE))[14:], "seconds, not in beats"),
        (midi(track([(0, 480, 60), (480 * 4 * 200, 480, 60)])), "has 201 bars; at most 32"),
        (midi(track([(0, 480, 60), (2**27, 480, 60)])), "bars; at most 32"),
    ],
)
def test_what_is_no_melody_gets_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        read(data)


def test_a_file_as_large_as_is_taken_full_of_notes_is_answered_soon() -> None:
    """100,000 notes in running status, in a file of the largest size: refused within seconds on a slow machine."""
    body = b"\x00\x90" + b"\x3c\x40\x01\x3c\x00\x00" * 82_000 + b"\xff\x2f\x00"
    data = b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk" + len(body).to_bytes(4, "big") + body
    assert len(data) < MOST_MELODY
    began = time.process_time()
    with pytest.raises(BadRequest, match=f"more than {MOST_NOTES:,} notes"):
        read(data)
    assert time.process_time() - began < 20


def test_damaged_files_are_refused_and_never_break_anything() -> None:
    whole = midi(
        track(SCALE, meta=[mido.MetaMessage("key_signature", key="C"), mido.MetaMessage("text", text="hello")])
    )
    chance = random.Random(1)
    answers = set()
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
        try:
            answers.add(type(read(bytes(data))))
        except BadRequest:
            answers.add(BadRequest)
    assert answers == {Melody, BadRequest}
