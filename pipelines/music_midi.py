"""A piece of music as MIDI: a file to keep, which says that AI made it and how, or a stretch for a synthesiser."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipelines import music_instruments
from pipelines.errors import BadRequest
from pipelines.events import Recipe
from pipelines.music_score import TICKS, Head, Note, Score
from pipelines.sound_file import MADE_BY_AI

if TYPE_CHECKING:
    from mido import MidiFile, MidiTrack

DRUMS = 9
RECIPE = "Polymuse recipe: "
SPREAD = 24  # of MIDI's 64 to each side: the voices sit a little apart
KEYS = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("Cm", "C#m", "Dm", "Ebm", "Em", "Fm", "F#m", "Gm", "G#m", "Am", "Bbm", "Bm"),
}
LOUD, BEAT, BETWEEN = 96, 88, 80  # on the first beat of a bar, on another, off the beat


def midi(score: Score, recipe: Recipe) -> bytes:
    """A file of a track for each voice, its instrument and notes, and one before them for the rest."""
    import mido

    head = score.head
    file, first = _begun(head)
    key = KEYS[head.mode][head.tonic]
    beats, value = head.metre
    first.append(mido.MetaMessage("time_signature", numerator=beats, denominator=value))
    first.append(mido.MetaMessage("key_signature", key=key))
    first.append(mido.MetaMessage("text", text=MADE_BY_AI))
    first.append(mido.MetaMessage("text", text=RECIPE + json.dumps(asdict(recipe))))
    for voice, program in enumerate(head.instruments):
        track = _track(file, voice, program)
        track.insert(0, mido.MetaMessage("track_name", name=music_instruments.NAMES[program]))
        _write(track, head, voice, [note for note in score.notes if note.voice == voice])
    return _saved(file)


def stretch(head: Head, notes: Sequence[Note], levels: Sequence[int], ring_s: float) -> bytes:
    """Some notes for a synthesiser: played at these levels, with so many seconds of silence after the last."""
    import mido

    file, first = _begun(head)
    for voice, (program, level) in enumerate(zip(head.instruments, levels, strict=True)):
        mine = sorted(note for note in notes if note.voice == voice)
        if mine:
            track = _track(file, voice, program)
            side = 2 * voice / (len(levels) - 1) - 1 if len(levels) > 1 else 0
            for control, value in ((7, level), (10, 64 + round(SPREAD * side))):
                track.append(mido.Message("control_change", channel=_channel(voice), control=control, value=value))
            _write(track, head, voice, mine)
    end = max(note.start + note.length for note in notes)
    first.append(mido.MetaMessage("end_of_track", time=end + round(ring_s * head.tempo / 60 * TICKS)))
    return _saved(file)


def read_recipe(data: bytes) -> Recipe:
    """The recipe in a MIDI file that we wrote. Raises BadRequest where there is none."""
    import mido

    try:
        texts = [event.text for event in mido.MidiFile(file=io.BytesIO(data)).tracks[0] if event.type == "text"]
        return Recipe(**json.loads(next(text.removeprefix(RECIPE) for text in texts if text.startswith(RECIPE))))
    except (OSError, EOFError, ValueError, TypeError, LookupError, StopIteration):
        raise BadRequest("This file carries no settings of Polymuse. Choose a piece that was made here.") from None


def _begun(head: Head) -> tuple[MidiFile, MidiTrack]:
    import mido

    file = mido.MidiFile(type=1, ticks_per_beat=TICKS, charset="utf-8")
    first = file.add_track()
    first.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(head.tempo)))
    return file, first


def _saved(file: MidiFile) -> bytes:
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _channel(voice: int) -> int:
    return voice + (voice >= DRUMS)


def _track(file: MidiFile, voice: int, program: int) -> MidiTrack:
    import mido

    track = file.add_track()
    track.append(mido.Message("program_change", channel=_channel(voice), program=program))
    return track


def _write(track: MidiTrack, head: Head, voice: int, notes: Sequence[Note]) -> None:
    """The notes of one voice; where one ends as another begins, the end comes first."""
    import mido

    events: list[tuple[int, int, int]] = []  # tick, velocity, pitch
    for note in notes:
        events += [(note.start, _velocity(head, note), note.pitch), (note.start + note.length, 0, note.pitch)]
    now = 0
    for tick, velocity, pitch in sorted(events):
        kind = "note_on" if velocity else "note_off"
        track.append(mido.Message(kind, channel=_channel(voice), note=pitch, velocity=velocity, time=tick - now))
        now = tick


def _velocity(head: Head, note: Note) -> int:
    if note.start % head.bar == 0:
        return LOUD
    beats, value = head.metre
    beat = head.bar // beats * (3 if value == 8 and beats % 3 == 0 else 1)
    return BEAT if note.start % beat == 0 else BETWEEN
