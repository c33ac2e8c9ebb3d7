"""Pieces of speech that can be laid end to end: the model's own silence cut off, edges that start and end at nothing.

The model begins and ends each piece with up to half a second of near-silence of its own. That is cut where the sound
sinks into it, faded over a few milliseconds there, and a pause of a known length put in its place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAME_S = 0.01
SILENT_DB = -42.0  # below the loudest frame of the piece: breath and room, no word
MARGIN_S = 0.03  # kept of what is silent, so that no soft consonant is lost
FADE_S = 0.01


def trimmed(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The piece without the silence around it, faded in and out within what is silent. Empty if all of it is."""
    frame = int(rate * FRAME_S)
    count = len(sound) // frame
    power = np.square(sound[: count * frame].reshape(count, frame)).mean(axis=1) if count else np.zeros(0)
    if not count or power.max() < 1e-9:
        return sound[:0]
    loud = np.flatnonzero(power > power.max() * 10 ** (SILENT_DB / 10))
    margin = int(rate * MARGIN_S)
    start = max(0, int(loud[0]) * frame - margin)
    end = min(len(sound), (int(loud[-1]) + 1) * frame + margin)
    cut = sound[start:end].copy()
    fade = np.linspace(0, 1, min(int(rate * FADE_S), len(cut) // 2), dtype=np.float32)
    cut[: len(fade)] *= fade
    cut[len(cut) - len(fade) :] *= fade[::-1]
    return cut


class Tape:
    """Sound that grows at its end, held once however many look at it: an hour is 170 MB.

    `likely` samples are set aside, which takes memory only where they are used; should it become more, it is moved.
    """

    def __init__(self, likely: int) -> None:
        self._room = np.empty(likely, np.int16)
        self.length = 0

    @property
    def samples(self) -> NDArray[np.int16]:
        """All that is on it."""
        return self._room[: self.length]

    def add(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """Put it at the end; returns it as it lies there, where nothing ever changes it."""
        start, end = self.length, self.length + len(samples)
        if end > len(self._room):
            self._room = np.concatenate([self.samples, np.empty(max(start, len(samples)), np.int16)])
        self._room[start:end] = samples
        self.length = end
        return self._room[start:end]


def pcm(sound: NDArray[np.float32], rate: int, pause: float) -> NDArray[np.int16]:
    """As 16-bit samples, with so many seconds of silence after it."""
    samples = np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)
    return np.concatenate([samples, np.zeros(round(pause * rate), np.int16)])
