"""Sound as a picture: time to the right, pitch upwards, the louder the brighter.

Pitch is spaced as the ear spaces it. The colours run from dark violet to pale yellow, each step as much brighter as
the one before, so that they mean the same in a light page and a dark one, and in grey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.sound_in import RATE, Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SIZE = 2048
ROWS, MOST_COLUMNS = 160, 960
LOWEST_HZ, HIGHEST_HZ = 60.0, 16_000.0
SHOWN_DB = 70.0  # from the loudest down to black
LOOKS = 4  # frames averaged for a column, where there is time for more
INKS = np.array(  # violet to yellow: hue turns while lightness rises evenly
    [
        [13, 8, 28], [36, 16, 74], [70, 19, 104], [106, 25, 112], [143, 35, 105],
        [178, 50, 87], [208, 75, 62], [229, 108, 38], [241, 149, 33], [245, 193, 66], [250, 236, 150],
    ],
    np.float64,
)  # fmt: skip

Levels = NDArray[np.float32]


def columns(length: int) -> int:
    """How many columns a sound of so many samples gets: one for each 10 ms, up to MOST_COLUMNS."""
    return max(1, min(MOST_COLUMNS, length * 100 // RATE))


def levels(samples: Floats, count: int) -> Levels:
    """How loud it is in dB, in ROWS pitches (the lowest first) at each of `count` times; channels together."""
    each = len(samples) / count
    looks = max(1, min(LOOKS, int(each) // (SIZE // 4)))
    begins = ((np.arange(count * looks) + 0.5) * each / looks).astype(int) - SIZE // 2
    window = np.hanning(SIZE).astype(np.float32)
    weights = _rows()
    found = np.empty((ROWS, count), np.float32)
    for start in range(0, count, 64):
        some = begins[start * looks : (start + 64) * looks]
        places = some[:, None] + np.arange(SIZE)
        there = (places >= 0) & (places < len(samples))
        frames = samples[np.clip(places, 0, len(samples) - 1)].mean(axis=2) * there * window
        power = weights @ np.square(np.abs(np.fft.rfft(frames))).T
        found[:, start : start + 64] = 10 * np.log10(power.reshape(ROWS, -1, looks).mean(axis=2) + 1e-9)
    return found


def picture(levels: Levels, loudest: float) -> Image.Image:
    """Levels as an image: `loudest` dB is the brightest."""
    return inked((levels - loudest) / SHOWN_DB + 1)


def inked(shares: NDArray[np.float32]) -> Image.Image:
    """Shares from 0 to 1 in the colours, the first row lowest."""
    places = np.clip(shares[::-1], 0, 1) * (len(INKS) - 1)
    channels = [np.interp(places, np.arange(len(INKS)), INKS[:, channel]) for channel in range(3)]
    return Image.fromarray(np.stack(channels, axis=2).round().astype(np.uint8))


def gains(bands: Floats, ends: NDArray[np.int64], count: int) -> Image.Image:
    """A mask as an image: gains (frames, bands) on the same axes. `ends` are the bands' upper ends in Hz."""
    rows = np.minimum(np.searchsorted(ends, _pitches()), bands.shape[1] - 1)
    edges = np.linspace(0, len(bands), count + 1).astype(int)
    means = np.add.reduceat(bands, np.minimum(edges[:-1], len(bands) - 1), axis=0)
    means /= np.maximum(np.diff(edges), 1)[:, None]
    return inked(means[:, rows].T)


def _pitches() -> NDArray[np.float64]:
    """The middle of each row in Hz: evenly spaced in mel."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST_HZ, HIGHEST_HZ))
    return np.asarray(700 * (10 ** (np.linspace(low, high, ROWS) / 2595) - 1))


def _rows() -> csr_array:
    """Which bins make up each row: (ROWS, bins), triangles from the pitch before to the pitch after. Most is nought:
    as a dense product this would be the one thing here that takes several threads."""
    from scipy.sparse import csr_array

    pitches = _pitches()
    before = np.concatenate([[2 * pitches[0] - pitches[1]], pitches[:-1]])
    after = np.concatenate([pitches[1:], [2 * pitches[-1] - pitches[-2]]])
    hertz = np.arange(SIZE // 2 + 1) * RATE / SIZE
    width = np.maximum(RATE / SIZE, np.minimum(pitches - before, after - pitches))
    weights = np.clip(1 - np.abs(hertz - pitches[:, None]) / width[:, None], 0, None)
    return csr_array(weights.astype(np.float32))
