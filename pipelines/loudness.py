"""How loud a sound is to the ear (ITU-R BS.1770, in LUFS), and making it as loud as is wanted without clipping.

Everything goes a second at a time, so that ten minutes take no more memory than the sound itself and a run can be
ended at once; pyloudnorm, which the tests compare with, takes eight times the sound.

Peaks are true peaks: those of the wave between the samples, found by looking four times as often. Where a gain would
raise them beyond the ceiling they are turned down, over a few milliseconds on either side, so that nothing is cut off
flat; that costs loudness, which is measured again and made up for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipelines.sound_in import RATE, Floats

WEIGHTING = np.array(  # of the head and of the ear, at 48 kHz, as the recommendation gives them
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
STEP, STEPS = RATE // 10, 4  # a block of 400 ms begins every 100
SILENCE_LUFS, QUIETER_LU = -70.0, -10.0  # blocks below do not count, nor those so far below the others

CEILING_DB = -1.5  # half a decibel below what must not be passed: the wave can bend between four times the samples too
OFTEN = 4
SURELY = 0.4  # a wave whose samples stay below this share of the ceiling does not pass it between them
WINDOW = 48  # samples, a millisecond: peaks are looked for in each
HOLD, GLIDE = 8, 8  # windows on either side by which a gain for a peak reaches, and over which it glides there
BLOCK = RATE  # samples done at a time
NEAR_LU, TRIES = 0.05, 6
MOST_GAIN_DB = 60.0

Tick = Callable[[], None]


def _no_tick() -> None:
    """For those who wait."""


def measured(samples: Floats, tick: Tick = _no_tick) -> float:
    """The integrated loudness in LUFS; minus infinity where all of it is quieter than -70."""
    return _loudness(_blocks(samples, None, tick))


def peaks(samples: Floats, above: float = 0.0, tick: Tick = _no_tick) -> Floats:
    """The true peak in each WINDOW, over all channels; in seconds without a sample above this, the highest sample."""
    found = []
    for start in range(0, len(samples), BLOCK):
        tick()
        stretch = samples[start : start + BLOCK]
        if max(stretch.max(), -stretch.min()) > above:
            margin = min(start, WINDOW)
            around = samples[start - margin : start + BLOCK + WINDOW]
            found.append(_highest(_fine(around)[margin * OFTEN :][: len(stretch) * OFTEN], WINDOW * OFTEN))
        else:
            found.append(_highest(stretch, WINDOW))
    return np.concatenate(found)


def make(samples: Floats, target: float, tick: Tick = _no_tick) -> tuple[float, float]:
    """Bring the sound, where it is, to `target` LUFS (0: as loud as it is), its peaks below the ceiling.

    Returns its loudness and its true peak in dB. Where it cannot be made so loud (a click in silence), it comes as
    near as it can.
    """
    before = reached = measured(samples, tick)
    gain = float(np.clip(target - before, -MOST_GAIN_DB, MOST_GAIN_DB)) if target and np.isfinite(before) else 0.0
    loud_at = peaks(samples, SURELY * 10 ** ((CEILING_DB - gain) / 20), tick)
    for _ in range(TRIES):
        gains = _gains(loud_at, 10 ** (gain / 20))
        reached = _loudness(_blocks(samples, gains, tick))
        if not target or not np.isfinite(reached) or abs(target - reached) < NEAR_LU or gain >= MOST_GAIN_DB:
            break
        gain = min(gain + target - reached, MOST_GAIN_DB)
    for start, louder in zip(range(0, len(samples), BLOCK), _blocks(samples, gains, tick), strict=True):
        samples[start : start + BLOCK] = louder
    highest = max(float(samples.max()), -float(samples.min()))
    return reached, decibels(float(peaks(samples, 2 * SURELY * highest, tick).max()))


def decibels(amplitude: float) -> float:
    """Of full scale."""
    return 20 * float(np.log10(max(amplitude, 1e-9)))


def _fine(samples: Floats) -> Floats:
    """With OFTEN times the samples."""
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(samples, OFTEN, 1, axis=0), np.float32)


def _highest(samples: Floats, each: int) -> Floats:
    loud = np.abs(samples).max(axis=1)
    return np.asarray(np.pad(loud, (0, -len(loud) % each)).reshape(-1, each).max(axis=1))


def _blocks(samples: Floats, gains: NDArray[np.float64] | None, tick: Tick) -> Iterator[Floats]:
    """The sound a second at a time, with these gains of its windows."""
    for start in range(0, len(samples), BLOCK):
        tick()
        stretch = samples[start : start + BLOCK]
        if gains is None:
            yield stretch
        else:
            places = np.arange(start, start + len(stretch)) / WINDOW - 0.5
            yield stretch * np.interp(places, np.arange(len(gains)), gains).astype(np.float32)[:, None]


def _loudness(blocks: Iterator[Floats]) -> float:
    """Of what comes in blocks of whole steps, but for the last."""
    from scipy.signal import sosfilt

    powers: list[NDArray[np.float64]] = []
    state: NDArray[np.float64] | None = None
    for block in blocks:
        if state is None:
            state = np.zeros((len(WEIGHTING), 2, block.shape[1]))
        heard, state = sosfilt(WEIGHTING, block, axis=0, zi=state)
        whole = len(heard) // STEP * STEP
        powers.append(np.square(heard[:whole]).reshape(-1, STEP * heard.shape[1]).sum(axis=1) / STEP)
    power = np.convolve(np.concatenate(powers), np.full(STEPS, 1 / STEPS), "valid")
    counted = power[_lufs(power) >= SILENCE_LUFS]
    if not len(counted):
        return -np.inf
    return float(_lufs(counted[_lufs(counted) > _lufs(counted.mean()) + QUIETER_LU].mean()))


def _lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return -0.691 + 10 * np.log10(np.maximum(power, 1e-20))


def _gains(loud_at: Floats, gain: float) -> NDArray[np.float64]:
    """A gain for each window: low enough for every peak nearby, and gliding from one to the next.

    A mean over no more windows than the lowest was taken from is nowhere above what is needed.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    ceiling = 10 ** (CEILING_DB / 20)
    needed = np.minimum(gain, ceiling / np.maximum(loud_at.astype(np.float64), 1e-9))
    held = minimum_filter1d(needed, 2 * (HOLD + 1) + 1, mode="nearest")
    return np.asarray(uniform_filter1d(held, 2 * GLIDE + 1, mode="nearest"))
