"""How loud a sound is to the ear (ITU-R BS.1770, in LUFS), and making it as loud as is wanted without clipping.

Peaks are true peaks: those of the wave between the samples, found by looking four times as often. Where a gain would
raise them beyond the ceiling they are turned down, over a few milliseconds on either side, so that nothing is cut off
flat; that costs loudness, which is measured again and made up for.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipelines.sound_in import RATE, Floats

CEILING_DB = -1.5  # half a decibel below what must not be passed: the wave can bend between four times the samples too
OFTEN = 4
WINDOW = 48  # samples, a millisecond: peaks are looked for in each
HOLD, GLIDE = 8, 8  # windows on either side by which a gain for a peak reaches, and over which it glides there
BLOCK = RATE  # samples done at a time
NEAR_LU, TRIES = 0.05, 6
MOST_GAIN_DB = 60.0


def measured(samples: Floats) -> float:
    """The integrated loudness in LUFS; minus infinity where all of it is quieter than -70."""
    import pyloudnorm

    return float(pyloudnorm.Meter(RATE).integrated_loudness(samples))


def peaks(samples: Floats, tick: Callable[[], None] = lambda: None) -> Floats:
    """The true peak in each WINDOW, over all channels."""
    from scipy.signal import resample_poly

    found = []
    for start in range(0, len(samples), BLOCK):
        tick()
        margin = min(start, WINDOW)
        end = min(len(samples), start + BLOCK)
        fine = resample_poly(samples[start - margin : end + WINDOW], OFTEN, 1, axis=0)
        loud = np.abs(fine[margin * OFTEN : (end - start + margin) * OFTEN]).max(axis=1)
        padded = np.pad(loud, (0, -len(loud) % (WINDOW * OFTEN))).reshape(-1, WINDOW * OFTEN)
        found.append(padded.max(axis=1))
    return np.concatenate(found).astype(np.float32)


def made(samples: Floats, target: float, tick: Callable[[], None] = lambda: None) -> tuple[Floats, float, float]:
    """The sound at `target` LUFS (0: as loud as it is) with its peaks below the ceiling; its loudness and true peak.

    Where it cannot be made so loud (a click in silence), it comes as near as it can.
    """
    loud_at, before = peaks(samples, tick), measured(samples)
    wanted = target or before
    gain = float(np.clip(wanted - before, -MOST_GAIN_DB, MOST_GAIN_DB)) if np.isfinite(before) else 0.0
    for _ in range(TRIES):
        louder = _limited(samples, loud_at, gain, tick)
        reached = measured(louder)
        if not np.isfinite(reached) or not target or abs(target - reached) < NEAR_LU or gain >= MOST_GAIN_DB:
            break
        gain = min(gain + target - reached, MOST_GAIN_DB)
    return louder, reached, decibels(float(peaks(louder, tick).max()))


def decibels(amplitude: float) -> float:
    """Of full scale."""
    return 20 * float(np.log10(max(amplitude, 1e-9)))


def _limited(samples: Floats, loud_at: Floats, gain: float, tick: Callable[[], None]) -> Floats:
    """The sound with this gain in dB, less where it has peaks."""
    gains = _gains(loud_at, 10 ** (gain / 20))
    louder = np.empty_like(samples)
    middles = (np.arange(len(gains)) + 0.5) * WINDOW
    for start in range(0, len(samples), BLOCK):
        tick()
        stretch = samples[start : start + BLOCK]
        here = np.interp(np.arange(start, start + len(stretch)), middles, gains)
        louder[start : start + BLOCK] = stretch * here.astype(np.float32)[:, None]
    return louder


def _gains(loud_at: Floats, gain: float) -> NDArray[np.float64]:
    """A gain for each window: low enough for every peak nearby, and gliding from one to the next.

    A mean over no more windows than the lowest was taken from is nowhere above what is needed.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    ceiling = 10 ** (CEILING_DB / 20)
    needed = np.minimum(gain, ceiling / np.maximum(loud_at.astype(np.float64), 1e-9))
    held = minimum_filter1d(needed, 2 * (HOLD + 1) + 1, mode="nearest")
    return np.asarray(uniform_filter1d(held, 2 * GLIDE + 1, mode="nearest"))
