"""Sound as overlapping frames of a spectrum and back, and the two views of them that DeepFilterNet hears.

A frame is 20 ms at 48 kHz and the next begins 10 ms later. Its window is its own inverse: frames that nobody changed
overlap and add to the sound that they were taken from. Everything here works on blocks of frames and remembers what it
needs of the block before, so that blocks joined are the whole. See arXiv:2305.08227 for what the network is given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE, HOP, SIZE = 48_000, 480, 960
BINS = SIZE // 2 + 1
BANDS, LEAST_BINS = 32, 2  # bands as wide as the ear's, of at least so many bins
FILTERED = 96  # bins up to 4.8 kHz, which are filtered over time; above them a gain for each band is enough
MEMORY = 0.99  # of what is usual in a band: a second, about
MEAN_DB, MEAN_MAGNITUDE = (-60.0, -90.0), (1e-3, 1e-4)  # what is usual at first, from the lowest to the highest

Floats = NDArray[np.float32]
Spectrum = NDArray[np.complex64]


def band_widths() -> NDArray[np.int64]:
    """How many bins each band has: bands of the same width on the ear's scale, none narrower than LEAST_BINS."""
    scale = 24.7 * 9.265
    top = 9.265 * np.log1p(RATE / 2 / scale)
    edges = scale * np.expm1(np.arange(1, BANDS + 1) * top / BANDS / 9.265)
    ends = np.round(edges / (RATE / SIZE)).astype(int)
    widths, before, over = [], 0, 0
    for end in ends:
        wide = int(end) - before - over
        over = max(0, LEAST_BINS - wide)
        widths.append(max(LEAST_BINS, wide))
        before = int(end)
    widths[-1] += BINS - sum(widths)
    return np.array(widths)


WIDTHS = band_widths()
STARTS = np.concatenate([[0], np.cumsum(WIDTHS)[:-1]])
_rise = np.sin(np.pi * (np.arange(SIZE) + 0.5) / SIZE)
WINDOW: Floats = np.sin(np.pi / 2 * np.square(_rise)).astype(np.float32)


class Analysis:
    """Sound to frames: a frame for each HOP samples, which ends with them."""

    def __init__(self) -> None:
        self._before = np.zeros((1, HOP), np.float32)

    def __call__(self, samples: Floats) -> Spectrum:
        hops = np.concatenate([self._before, samples.reshape(-1, HOP)])
        self._before = hops[-1:]
        frames = np.concatenate([hops[:-1], hops[1:]], axis=1) * WINDOW
        return (np.fft.rfft(frames) / SIZE).astype(np.complex64)


class Synthesis:
    """Frames to sound: HOP samples for each frame, a HOP later than they went in."""

    def __init__(self) -> None:
        self._before = np.zeros((1, HOP), np.float32)

    def __call__(self, spectrum: Spectrum) -> Floats:
        frames = (np.fft.irfft(spectrum, SIZE) * SIZE).astype(np.float32) * WINDOW
        second = np.concatenate([self._before, frames[:, HOP:]])
        self._before = second[-1:]
        return np.ravel(frames[:, :HOP] + second[:-1])


class Features:
    """What the network hears: how loud each band is, and the low bins, both against what is usual there."""

    def __init__(self) -> None:
        self._mean = np.linspace(*MEAN_DB, BANDS)
        self._magnitude = np.linspace(*MEAN_MAGNITUDE, FILTERED)

    def __call__(self, spectrum: Spectrum) -> tuple[Floats, Spectrum]:
        """(frames, BANDS) and (frames, FILTERED)."""
        power = np.square(np.abs(spectrum).astype(np.float64))
        level = 10 * np.log10(np.add.reduceat(power, STARTS, axis=1) / WIDTHS + 1e-10)
        low = spectrum[:, :FILTERED]
        usual, self._mean = _usual(level, self._mean)
        scale, self._magnitude = _usual(np.abs(low).astype(np.float64), self._magnitude)
        return ((level - usual) / 40).astype(np.float32), (low / np.sqrt(scale)).astype(np.complex64)


def _usual(values: NDArray[np.float64], before: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The fading mean of each column up to each row, and that of the last row."""
    from scipy.signal import lfilter

    means, _ = lfilter([1 - MEMORY], [1, -MEMORY], values, axis=0, zi=MEMORY * before[None])
    return means, means[-1]


def over_bins(gains: Floats) -> Floats:
    """(frames, BANDS) -> (frames, BINS)."""
    return np.repeat(gains, WIDTHS, axis=1)
