"""MIDI and MusicXML files hold the notes of the roll, open in other programs, and say who made them."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from typing import Any

import mido
import pytest

from pipelines import music_instruments, music_midi, music_xml
from pipelines.errors import BadRequest
from pipelines.events import Recipe
from pipelines.music_score import TICKS, Head, Note, Score
from pipelines.music_tokens import LENGTHS
from pipelines.sound_file import MADE_BY_AI

RECIPE = Recipe("polymuse-music", "r1", 7, {"prompt": "Größe <b> ♭ 🎻", "bars": 4}, {"torch": "2"})
QUARTET = Head("chorale", 9, "minor", (4, 4), 72, (40, 40, 41, 42))
JIG = Head("jig", 2, "major", (6, 8), 165, (110,))


def piece(head: Head, seed: int = 0, upbeat: int = 0) -> Score:
    """Notes and rests of all lengths there are, over bar lines too; a chord in the first voice."""
    chance = random.Random(seed)
    notes = []
    for voice in range(len(head.instruments)):
        now = upbeat
        while now < 12 * head.bar:
            length = chance.choice(LENGTHS)
            if chance.random() < 0.8 or now == upbeat:
                notes.append(Note(now, voice, chance.randint(40, 80), length))
            now += length
    notes.append(Note(notes[0].start, 0, 84, notes[0].length))
    return Score(head, tuple(sorted(notes)))


def voices(score: Score) -> list[list[tuple[int, int, int]]]:
    count = len(score.head.instruments)
    return [sorted((n.start, n.pitch, n.length) for n in score.notes if n.voice == voice) for voice in range(count)]


def midi_voices(data: bytes) -> list[list[tuple[int, int, int]]]:
    file = mido.MidiFile(file=io.BytesIO(data))
    assert file.ticks_per_beat == TICKS
    found = []
    for track in file.tracks[1:]:
        now, sounding, notes = 0, {}, []
        for message in track:
            now += message.time
            if message.type == "note_on":
                sounding[message.note] = now
            elif message.type == "note_off":
                notes.append((start := sounding.pop(message.note), message.note, now - start))
        assert not sounding
        found.append(sorted(notes))
    return found


@pytest.mark.parametrize("score", [piece(QUARTET), piece(JIG, 1), piece(QUARTET, 2, upbeat=72), Score(JIG, ())])
def test_midi_has_the_notes_of_the_roll(score: Score) -> None:
    assert midi_voices(music_midi.midi(score, RECIPE)) == voices(score)


def test_midi_says_what_the_head_says_and_who_made_it() -> None:
    data = music_midi.midi(piece(QUARTET), RECIPE)
    first, *tracks = mido.MidiFile(file=io.BytesIO(data)).tracks
    said: dict[str, Any] = {message.type: message for message in reversed(first)}
    assert round(mido.tempo2bpm(said["set_tempo"].tempo)) == 72 and said["key_signature"].key == "Am"
    assert (said["time_signature"].numerator, said["time_signature"].denominator) == (4, 4)
    assert any(message.type == "text" and message.text == MADE_BY_AI for message in first)
    programs = [message.program for track in tracks for message in track if message.type == "program_change"]
    assert programs == [40, 40, 41, 42]
    assert music_midi.read_recipe(data) == RECIPE


@pytest.mark.parametrize("data", [b"", b"MThd", b"RIFF" * 40])
def test_a_file_without_a_recipe_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest, match="carries no settings"):
        music_midi.read_recipe(data)


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_every_key_can_be_written(tonic: int, mode: Any) -> None:
    head = Head("air", tonic, mode, (3, 4), 80, (73,))
    score = Score(head, tuple(Note(24 * step, 0, 60 + step, 24) for step in range(13)))
    assert midi_voices(music_midi.midi(score, RECIPE)) == voices(score)
    for pitch in range(128):
        step, alter, octave = music_xml.spelled(pitch, music_xml.FIFTHS[mode][tonic])
        assert 12 * (octave + 1) + music_xml.SEMITONES[step] + alter == pitch and abs(alter) <= 2


def test_pitches_are_spelled_as_the_key_has_them() -> None:
    assert [music_xml.spelled(68, fifths)[:2] for fifths in (0, 4, -4)] == [("G", 1), ("G", 1), ("A", -1)]
    assert music_xml.spelled(60, 0) == ("C", 0, 4) and music_xml.spelled(59, 7) == ("B", 0, 3)


@pytest.mark.parametrize("ticks", range(1, 193))
def test_every_length_is_made_of_signs_that_there_are(ticks: int) -> None:
    assert sum(music_xml.lengths(ticks)) == ticks
    assert set(music_xml.lengths(ticks)) <= set(music_xml.SIGNS)


def test_usual_lengths_are_written_as_is_usual() -> None:
    assert [music_xml.lengths(ticks) for ticks in (96, 36, 8, 30, 20, 60)] == [
        (96,), (36,), (8,), (24, 6), (16, 4), (48, 12),
    ]  # fmt: skip


def opened(data: bytes, kind: str = "musicxml") -> Any:
    music21 = pytest.importorskip("music21", reason="music21 is not installed: training/requirements.txt has it")
    exactly = {"quantizePost": False} if kind == "midi" else {}
    return music21.converter.parse(data, format=kind, **exactly)


@pytest.mark.parametrize("score", [piece(QUARTET), piece(JIG, 1), piece(QUARTET, 2, upbeat=72)])
def test_midi_opens_in_music21_with_the_notes_of_the_roll(score: Score) -> None:
    notes = opened(music_midi.midi(score, RECIPE), "midi").stripTies().flatten().notes
    found = [(round(float(note.offset) * TICKS), pitch.midi) for note in notes for pitch in note.pitches]
    assert sorted(found) == sorted((note.start, note.pitch) for note in score.notes)


def xml_voices(data: bytes, begin: int) -> Sequence[list[tuple[int, int, int]]]:
    found = []
    for part in opened(data).parts:
        notes = part.flatten().stripTies().notes
        ticks = [(round(float(n.offset) * TICKS) + begin, n, round(float(n.quarterLength) * TICKS)) for n in notes]
        found.append(sorted((start, pitch.midi, length) for start, n, length in ticks for pitch in n.pitches))
    return found


@pytest.mark.parametrize(("score", "begin"), [(piece(QUARTET), 0), (piece(JIG, 1), 0), (piece(QUARTET, 2, 72), 72)])
def test_musicxml_has_the_notes_of_the_roll(score: Score, begin: int) -> None:
    assert xml_voices(music_xml.musicxml(score, RECIPE), begin) == voices(score)


def test_musicxml_says_what_the_head_says_and_who_made_it() -> None:
    score = opened(music_xml.musicxml(piece(QUARTET), RECIPE))
    told = dict(score.metadata.all())
    assert told["origin"] == MADE_BY_AI and "Größe <b> ♭ 🎻" in told["recipe"]
    assert [part.partName for part in score.parts] == [music_instruments.NAMES[one] for one in QUARTET.instruments]
    first = score.parts[0].flatten()
    key, time = first.getElementsByClass("KeySignature")[0], first.getElementsByClass("TimeSignature")[0]
    assert key.sharps == 0 and time.ratioString == "4/4"
    assert first.getElementsByClass("MetronomeMark")[0].number == 72


def test_an_upbeat_has_a_bar_of_its_own_length() -> None:
    part = opened(music_xml.musicxml(piece(QUARTET, 2, upbeat=72), RECIPE)).parts[0]
    first, second = part.getElementsByClass("Measure")[:2]
    assert (first.number, first.duration.quarterLength) == (0, 1) and second.number == 1
