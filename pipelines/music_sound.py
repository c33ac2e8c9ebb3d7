"""A piece of music as sound, stretch by stretch while it is being composed: a band that plays from a soundfont.

The synthesiser knows only whole files, so each stretch of notes is one, rendered until its last note has died away,
and laid over what still rings from the stretches before. A stretch begins with silence and ends with it: nothing
clicks where they meet, and it does not matter where the piece is cut.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.music_midi import stretch
from pipelines.music_score import TICKS, Head, Note

RATE = 48_000  # the synthesiser's own
RING_S = 3.5  # after the last note is let go
FADE_S = 0.4  # at the end of that: bells ring for longer
SILENT = 2 / 32768

PROBED = Note(0, 0, 62, TICKS)
USUAL_LEVEL = 80  # of MIDI's volume controller, which leaves room to turn quiet instruments up
EVEN_RMS = 0.015  # of that note, by the synthesiser at the usual level: between what piano and violin have
MOST_TURNED = 2.4  # up or down
LOUD_RMS = 0.07  # of a band that plays one note each; pieces come to -15 to -20 LUFS
KNEE = 0.7  # above which sound is bent rather than cut


class Band:
    """Plays one piece. `levels` say how loud each instrument is to be played, from `level`."""

    def __init__(self, soundfont: bytes, head: Head, levels: Sequence[int]) -> None:
        self._soundfont = soundfont
        self._head = head
        self._levels = tuple(levels)
        self._gain = LOUD_RMS / EVEN_RMS / len(levels) ** 0.5
        self._first = 0  # the tick at which the sound begins
        self._done = 0  # samples that have been given away
        self._mix = np.zeros((0, 2), np.float32)  # what is known of those after them

    def begin(self, tick: int) -> None:
        """The sound begins here, not with the rests before an upbeat."""
        self._first = tick

    def play(self, notes: Sequence[Note]) -> None:
        """Take the next notes; they must not start before what has been given away."""
        if not notes:
            return
        first = min(note.start for note in notes)
        moved = [Note(note.start - first, note.voice, note.pitch, note.length) for note in notes]
        sound = self._gain * rendered(self._soundfont, stretch(self._head, moved, self._levels, RING_S))
        at = self._sample(first) - self._done
        missing = max(0, at + len(sound) - len(self._mix))
        self._mix = np.pad(self._mix, ((0, missing), (0, 0)))
        self._mix[at : at + len(sound)] += sound

    def until(self, tick: int) -> NDArray[np.int16]:
        """The sound up to this tick, before which no more notes will start, from where it was last asked for."""
        return self._given(self._sample(tick) - self._done)

    def end(self) -> NDArray[np.int16]:
        """The rest, until it has died away."""
        loud = np.flatnonzero(np.abs(self._mix).max(axis=1, initial=0) > SILENT)
        return self._given(int(loud[-1]) + 1 if len(loud) else 0)

    def _given(self, count: int) -> NDArray[np.int16]:
        known = self._mix[:count]
        given = np.pad(known, ((0, count - len(known)), (0, 0)))
        self._mix, self._done = self._mix[count:], self._done + count
        return np.round(bent(given) * 32767).astype(np.int16)

    def _sample(self, tick: int) -> int:
        return round(self._head.seconds(tick - self._first) * RATE)


def level(soundfont: bytes, program: int) -> int:
    """How loud to play an instrument so that all are about as loud: soundfonts differ by 10 dB within."""
    alone = Head("", 0, "major", (4, 4), 60, (program,))
    sound = rendered(soundfont, stretch(alone, [PROBED], (USUAL_LEVEL,), 0.0))
    rms = float(np.sqrt(np.square(sound).mean())) or EVEN_RMS
    turned = min(MOST_TURNED, max(1 / MOST_TURNED, EVEN_RMS / rms))
    return min(127, round(USUAL_LEVEL * float(np.sqrt(turned))))  # the controller's square is the amplitude


def rendered(soundfont: bytes, midi: bytes) -> NDArray[np.float32]:
    """A MIDI file as sound, (n, 2) from -1 to 1, faded out at its end."""
    import midirenderer

    with wave.open(io.BytesIO(midirenderer.render_wave_from(soundfont, midi))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 2, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    sound: NDArray[np.float32] = samples.astype(np.float32) / np.float32(32768)
    fade = np.linspace(1, 0, min(len(sound), int(FADE_S * RATE)), dtype=np.float32)
    sound[len(sound) - len(fade) :] *= fade[:, None]
    return sound


def bent(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sound with its peaks rounded off below 1. Each sample by itself, so parts are as the whole."""
    over = np.maximum(np.abs(sound) - KNEE, 0)
    rounded = np.sign(sound) * (KNEE + (1 - KNEE) * np.tanh(over / (1 - KNEE)))
    return np.asarray(np.where(over > 0, rounded, sound), np.float32)
