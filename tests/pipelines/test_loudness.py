"""Loudness is what was asked for, and no peak passes the ceiling: not between the samples either."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import resample_poly

from pipelines import loudness
from pipelines.sound_in import RATE

Array = np.ndarray[Any, Any]


def made_at(sound: Array, target: float) -> tuple[Array, float, float]:
    made = sound.copy()
    return (made, *loudness.make(made, target))


def sounds() -> dict[str, Array]:
    random = np.random.default_rng(0)
    noise = random.normal(0, 0.05, (4 * RATE, 1))
    syllables = noise * np.square(np.sin(np.pi * 2 * np.arange(4 * RATE) / RATE))[:, None]
    clicks = 0.1 * noise
    clicks[:: RATE // 3] = 0.9
    tone = 0.3 * np.sin(2 * np.pi * 997 * np.arange(4 * RATE) / RATE)[:, None]
    between = 0.8 * np.sin(2 * np.pi * 12_000 * np.arange(4 * RATE) / RATE + np.pi / 4)[:, None]
    made = {"noise": noise, "syllables": syllables, "clicks": clicks, "tone": tone, "between": between}
    made["stereo"] = np.concatenate([syllables, 0.3 * tone], axis=1)
    return {name: sound.astype(np.float32) for name, sound in made.items()}


SOUNDS = sounds()


def true_peak(sound: Array) -> float:
    """In dB, looking twice as closely as the limiter does."""
    return loudness.decibels(float(np.abs(resample_poly(sound.astype(float), 8, 1, axis=0)).max()))


@pytest.mark.parametrize("target", [-16, -23])
@pytest.mark.parametrize("name", SOUNDS)
def test_it_is_as_loud_as_asked_for_and_no_peak_is_too_high(name: str, target: int) -> None:
    made, reached, peak = made_at(SOUNDS[name], target)
    assert made.shape == SOUNDS[name].shape and made.dtype == np.float32
    assert loudness.measured(made) == pytest.approx(target, abs=0.1)
    assert reached == pytest.approx(target, abs=0.1)
    assert true_peak(made) < -1 and peak < -1


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("seconds", [0.5, 2.34, 4])
def test_loudness_is_what_pyloudnorm_measures(name: str, seconds: float) -> None:
    """Which takes the standard's filters from a formula, not from its table: 0.05 LU apart at most."""
    sound = SOUNDS[name][: int(seconds * RATE)]
    sound = sound[: len(sound) // 4800 * 4800]  # it takes a part of a step at the end for a whole one
    theirs = pyloudnorm.Meter(RATE).integrated_loudness(sound.astype(float))
    assert loudness.measured(sound) == pytest.approx(theirs, abs=0.06)


def test_a_tone_of_known_loudness_is_measured_as_that() -> None:
    """BS.1770: 997 Hz at full scale in one channel is -3.01 LUFS."""
    tone = np.sin(2 * np.pi * 997 * np.arange(2 * RATE) / RATE)[:, None].astype(np.float32)
    assert loudness.measured(tone) == pytest.approx(-3.01, abs=0.01)


def test_what_needs_no_limiting_is_only_made_louder() -> None:
    made, _, _ = made_at(SOUNDS["noise"] / 10, -23)
    ratio = made / (SOUNDS["noise"] / 10)
    assert ratio.max() - ratio.min() < 1e-3 * ratio.max()


def test_without_a_target_it_stays_as_it_is_but_for_its_peaks() -> None:
    assert np.allclose(made_at(SOUNDS["noise"], 0)[0], SOUNDS["noise"])
    assert true_peak(made_at(3 * SOUNDS["tone"] + 0.2, 0)[0]) < -1


def test_what_cannot_be_so_loud_comes_as_near_as_it_can() -> None:
    click = np.zeros((2 * RATE, 1), np.float32)
    click[RATE] = 0.5
    made, reached, _ = made_at(click, -16)
    assert np.isfinite(made).all() and true_peak(made) < -1 and reached < -16.5


def test_silence_stays_silent() -> None:
    made, reached, _ = made_at(np.zeros((RATE, 2), np.float32), -16)
    assert not made.any() and reached == -np.inf


def test_peaks_are_found_in_the_window_where_they_are() -> None:
    sound = np.zeros((3 * RATE, 2), np.float32)
    places = [0, RATE - 1, RATE, 2 * RATE + 777, 3 * RATE - 1]
    for place in places:
        sound[place, place % 2] = 0.5
    found = loudness.peaks(sound)
    assert len(found) == 3 * RATE // loudness.WINDOW
    assert all(found[place // loudness.WINDOW] == pytest.approx(0.5, rel=0.02) for place in places)
    assert found[100] == 0
