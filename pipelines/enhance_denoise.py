"""Noise removal: sound in, block by block; the same sound without noise out, a few frames later.

The network's gains are laid over all bins, and the low ones, where a voice has its harmonics, are filtered: each is a
sum over five frames, weighted by complex numbers that the network gives, so that its phase is put right too.
"""

from __future__ import annotations

import numpy as np

from pipelines.enhance_bands import (
    BINS,
    FILTERED,
    HOP,
    STARTS,
    Analysis,
    Features,
    Floats,
    Spectrum,
    Synthesis,
    over_bins,
)
from pipelines.enhance_network import AHEAD, ORDER, Memory, Network

LATE = (1 + AHEAD) * HOP  # samples by which what comes out is late
BLOCK = 100 * HOP  # a second: what is done between two signs of life


class Stream:
    """One channel on its way. `amount` is how much of the noise is taken away: 1 all that is found, 0 nothing."""

    def __init__(self, network: Network, amount: float = 1.0) -> None:
        self._network = network
        self._amount = amount
        self._analysis, self._features, self._synthesis = Analysis(), Features(), Synthesis()
        self._memory = Memory()
        self._before = np.zeros((ORDER - 1, BINS), np.complex64)

    def __call__(self, samples: Floats) -> tuple[Floats, Floats]:
        """As many samples, LATE later, and how much is kept of each band in their frames; whole HOPs only."""
        spectrum = self._analysis(samples)
        gains, filters = self._network.step(*self._features(spectrum), self._memory)
        known = np.concatenate([self._before, spectrum])
        self._before = known[1 - ORDER :]
        frames = len(spectrum)
        noisy: Spectrum = known[ORDER - 1 - AHEAD :][:frames]
        clean: Spectrum = noisy * over_bins(gains)
        reach = np.stack([known[:, :FILTERED][place:][:frames] for place in range(ORDER)], axis=2)
        clean[:, :FILTERED] = (reach * filters).sum(axis=2)
        return self._synthesis(noisy + self._amount * (clean - noisy)), _kept(noisy, clean)


def _kept(noisy: Spectrum, clean: Spectrum) -> Floats:
    """What became of each band, filters and gains alike: 0 is nothing and 1 all of it, (frames, BANDS)."""
    before, after = (np.add.reduceat(np.square(np.abs(each)), STARTS, axis=1) for each in (noisy, clean))
    return np.sqrt(np.minimum(after / np.maximum(before, 1e-20), 1)).astype(np.float32)
