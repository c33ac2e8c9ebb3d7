"""The gentle part: a low cut, three tone controls and a compressor, with presets for what is usually recorded.

Filters are those of the Audio EQ Cookbook, run by scipy. pedalboard would do the same and is under the GPL, which the
rest of Polymuse is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipelines.sound_in import RATE, Floats

Preset = Literal["podcast", "voice note", "music", "none"]

BASS_HZ, PRESENCE_HZ, TREBLE_HZ = 200.0, 3_500.0, 8_000.0
WIDTH = 0.9  # Q of the presence filter: an octave and a half
STEP = 240  # 5 ms: how often the compressor looks
RATIO, KNEE_DB, ABOVE_DB = 4.0, 8.0, -2.0  # it begins so far above what is usual
ATTACK_S, RELEASE_S = 0.01, 0.18
QUIET = 1e-4


@dataclass(frozen=True)
class Tone:
    """`low_cut` in Hz (0: none), `bass`, `presence` and `treble` in dB, `compression` from 0 to 1.

    `denoise`, also from 0 to 1, is for the noise removal, which comes before. It knows voices only: music it takes for
    noise.
    """

    denoise: float = 1.0
    low_cut: float = 0.0
    bass: float = 0.0
    presence: float = 0.0
    treble: float = 0.0
    compression: float = 0.0

    def changed(self, given: Mapping[str, float]) -> Tone:
        """With other values for what is given."""
        return replace(self, **given)

    def settings(self) -> dict[str, float]:
        """For the recipe."""
        return asdict(self)


PRESETS: dict[Preset, Tone] = {
    "podcast": Tone(low_cut=80, bass=1.0, presence=2.0, treble=1.0, compression=0.5),
    "voice note": Tone(low_cut=120, bass=-1.0, presence=3.0, treble=0.0, compression=0.8),
    "music": Tone(denoise=0.0, low_cut=25, bass=1.0, presence=0.0, treble=1.5, compression=0.2),
    "none": Tone(),
}


def shape(samples: Floats, tone: Tone, tick: Callable[[], None]) -> None:
    """Give the sound, where it is, this tone, a second at a time; `tick` is called at each."""
    from scipy.signal import sosfilt

    sections = _sections(tone)
    if len(sections):
        state = np.zeros((len(sections), 2, samples.shape[1]))
        for start in range(0, len(samples), RATE):
            tick()
            samples[start : start + RATE], state = sosfilt(sections, samples[start : start + RATE], axis=0, zi=state)
    if tone.compression:
        _compress(samples, tone.compression, tick)


def _sections(tone: Tone) -> NDArray[np.float64]:
    from scipy.signal import butter

    low_cut = butter(2, tone.low_cut, "highpass", fs=RATE, output="sos") if tone.low_cut else np.zeros((0, 6))
    shelves = [
        _shelf(BASS_HZ, tone.bass, high=False),
        _peak(PRESENCE_HZ, tone.presence),
        _shelf(TREBLE_HZ, tone.treble, high=True),
    ]
    chosen = [section for section, gain in zip(shelves, (tone.bass, tone.presence, tone.treble), strict=True) if gain]
    return np.concatenate([low_cut, np.array(chosen).reshape(-1, 6)])


def _peak(hertz: float, gain: float) -> NDArray[np.float64]:
    turn, high = 2 * np.pi * hertz / RATE, 10 ** (gain / 40)
    alpha = np.sin(turn) / (2 * WIDTH)
    middle = -2 * np.cos(turn)
    section = np.array([1 + alpha * high, middle, 1 - alpha * high, 1 + alpha / high, middle, 1 - alpha / high])
    return np.asarray(section / section[3])


def _shelf(hertz: float, gain: float, *, high: bool) -> NDArray[np.float64]:
    """A shelf with a slope of 1."""
    turn, level = 2 * np.pi * hertz / RATE, 10 ** (gain / 40)
    cosine = -np.cos(turn) if high else np.cos(turn)
    sign = -1 if high else 1
    edge = np.sqrt(2 * level) * np.sin(turn)
    above, below = level + 1, level - 1
    section = np.array(
        [
            level * (above - below * cosine + edge),
            sign * 2 * level * (below - above * cosine),
            level * (above - below * cosine - edge),
            above + below * cosine + edge,
            sign * -2 * (below + above * cosine),
            above + below * cosine - edge,
        ]
    )
    return np.asarray(section / section[3])


def _compress(samples: Floats, amount: float, tick: Callable[[], None]) -> None:
    """Loud stretches turned down, both channels by the same; what is usual stays."""
    count = len(samples) // STEP
    power = np.array([np.square(samples[at * STEP : (at + 1) * STEP]).mean() for at in range(count)])
    level = 10 * np.log10(power + 1e-12)
    loud = level[level > level.max() - 40]  # not the pauses
    over = level - (np.median(loud) + ABOVE_DB)
    bent = np.where(over > KNEE_DB / 2, over, np.square(np.clip(over + KNEE_DB / 2, 0, None)) / (2 * KNEE_DB))
    gains = _smoothed(-amount * (1 - 1 / RATIO) * bent)
    middles = (np.arange(count) + 0.5) * STEP
    for start in range(0, len(samples), RATE):
        tick()
        stretch = samples[start : start + RATE]
        here = np.interp(np.arange(start, start + len(stretch)), middles, gains)
        stretch *= (10 ** (here / 20)).astype(np.float32)[:, None]


def _smoothed(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """In dB, falling as fast as an attack and rising as slowly as a release."""
    attack, release = (1 - np.exp(-STEP / RATE / seconds) for seconds in (ATTACK_S, RELEASE_S))
    smooth, now = np.empty_like(gains), 0.0
    for place, wanted in enumerate(gains):
        now += (wanted - now) * (attack if wanted < now else release)
        smooth[place] = now
    return smooth
