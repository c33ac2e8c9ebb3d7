"""Pictures of sound: louder is brighter, higher is further up, later is further right, and all of it fits."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines import spectrogram
from pipelines.enhance_bands import BANDS, SIZE, WIDTHS
from pipelines.sound_in import RATE
from pipelines.spectrogram import INKS, MOST_COLUMNS, ROWS


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:  # type: ignore[type-arg]
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)[:, None].astype(np.float32)


def test_higher_tones_are_further_up() -> None:
    rows = [int(spectrogram.levels(tone(hertz), 10).mean(axis=1).argmax()) for hertz in (100, 400, 1600, 6400, 15_000)]
    assert rows == sorted(rows) and len(set(rows)) == len(rows)


def test_sound_is_where_it_is_in_time() -> None:
    sound = np.concatenate([np.zeros((RATE, 1)), tone(440), np.zeros((RATE, 1))]).astype(np.float32)
    loud = spectrogram.levels(sound, 30).max(axis=0)
    assert (loud[11:19] > loud[:9].max() + 20).all() and (loud[11:19] > loud[21:].max() + 20).all()


@pytest.mark.parametrize("seconds", [0.5, 3.21, 60])
def test_columns_are_bounded_and_cover_all_of_it(seconds: float) -> None:
    sound = tone(1000, seconds)
    count = spectrogram.columns(len(sound))
    found = spectrogram.levels(sound, count)
    assert found.shape == (ROWS, count) and count <= MOST_COLUMNS
    assert found.max(axis=0).min() > found.max() - 6


def test_brightness_rises_with_loudness_and_evenly() -> None:
    light = INKS @ [0.299, 0.587, 0.114]
    steps = np.diff(light)
    assert (steps > 0).all() and steps.max() < 3 * np.median(steps)
    image = np.asarray(spectrogram.inked(np.linspace(0, 1, 50, dtype=np.float32)[None]).convert("L")).astype(int)
    assert (np.diff(image[0]) >= 0).all()


def test_a_mask_is_drawn_at_its_pitches() -> None:
    gains = np.zeros((100, BANDS), np.float32)
    gains[50:, -8:] = 1
    image = np.asarray(spectrogram.gains(gains, np.cumsum(WIDTHS) * RATE // SIZE, 20).convert("L")).astype(int)
    assert image.shape == (ROWS, 20)
    assert image[:10, 10:].min() > 200 > 30 > image[:, :10].max() and image[-80:, 10:].max() < 30
