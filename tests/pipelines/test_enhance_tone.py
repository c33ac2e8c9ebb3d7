"""Tone controls change what they are named for, by as much as they say; blocks joined are the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipelines import enhance_tone
from pipelines.enhance_tone import PRESETS, Tone
from pipelines.sound_in import RATE

Array = np.ndarray[Any, Any]


def shaped(sound: Array, tone: Tone) -> Array:
    made = sound.copy()
    enhance_tone.shape(made, tone, lambda: None)
    return made


def level(tone: Tone, hertz: float) -> float:
    """By how many dB a tone of so many Hz comes out louder."""
    sound = (0.1 * np.sin(2 * np.pi * hertz * np.arange(2 * RATE) / RATE))[:, None].astype(np.float32)
    made = shaped(sound, tone)
    power = [np.square(each[RATE:]).mean() for each in (made, sound)]
    return 10 * float(np.log10(power[0] / power[1]))


@pytest.mark.parametrize(
    ("tone", "there", "elsewhere"),
    [
        (Tone(bass=6), 40, 4_000),
        (Tone(bass=-9), 40, 4_000),
        (Tone(presence=5), 3_500, 100),
        (Tone(presence=-5), 3_500, 100),
        (Tone(treble=4), 18_000, 500),
        (Tone(treble=-8), 18_000, 500),
    ],
)
def test_a_control_does_what_it_says_where_it_says(tone: Tone, there: float, elsewhere: float) -> None:
    assert level(tone, there) == pytest.approx(tone.bass + tone.presence + tone.treble, abs=0.5)
    assert level(tone, elsewhere) == pytest.approx(0, abs=0.4)


def test_the_low_cut_cuts_below_and_nothing_above() -> None:
    assert level(Tone(low_cut=80), 80) == pytest.approx(-3, abs=0.3)
    assert level(Tone(low_cut=80), 20) < -20
    assert level(Tone(low_cut=80), 1_000) == pytest.approx(0, abs=0.1)


def test_nothing_asked_for_changes_nothing() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (RATE, 2)).astype(np.float32)
    assert np.array_equal(shaped(sound, PRESETS["none"]), sound)


def test_a_second_at_a_time_is_the_same_as_all_at_once() -> None:
    """The filters' state goes on from block to block: no click at any join."""
    from scipy.signal import sosfilt

    tone = Tone(low_cut=90, bass=3, presence=2, treble=-4)
    sound = np.random.default_rng(0).normal(0, 0.1, (3 * RATE + 777, 2)).astype(np.float32)
    whole = sosfilt(enhance_tone._sections(tone), sound, axis=0)
    assert np.abs(shaped(sound, tone) - whole).max() < 1e-6


def test_compression_brings_loud_and_quiet_together_and_keeps_stereo_in_place() -> None:
    time = np.arange(6 * RATE) / RATE
    carrier = np.sin(2 * np.pi * 300 * time) * np.where((time % 2) < 1, 0.5, 0.06)
    sound = np.stack([carrier, 0.5 * carrier], axis=1).astype(np.float32)

    def spread(made: Array) -> float:
        loud, quiet = (
            np.sqrt(np.square(made[int(at * RATE) : int((at + 0.4) * RATE), 0]).mean()) for at in (2.4, 3.5)
        )
        return 20 * float(np.log10(loud / quiet))

    before = spread(sound)
    half, full = (shaped(sound, Tone(compression=amount)) for amount in (0.5, 1.0))
    assert before > spread(half) + 2 > spread(full) + 4
    assert np.allclose(full[:, 1], 0.5 * full[:, 0], atol=1e-6)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_gentle(preset: Any) -> None:
    """No voice or instrument is changed by more than a few decibels, but for the rumble."""
    for hertz in (250, 1_000, 3_500, 10_000):
        without = enhance_tone.replace(PRESETS[preset], compression=0.0)
        assert abs(level(without, hertz)) < 4


def test_a_run_can_be_ended_at_every_second() -> None:
    ticks: list[None] = []
    sound = np.random.default_rng(0).normal(0, 0.1, (5 * RATE, 1)).astype(np.float32)
    enhance_tone.shape(sound, PRESETS["podcast"], lambda: ticks.append(None))
    assert len(ticks) >= 10
