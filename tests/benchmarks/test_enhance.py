"""The enhance benchmark measures what it says: SI-SDR by its definition, noises at the ratio they are named for."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from benchmarks import enhance_clips
from benchmarks.enhance import RATIOS, errors, file, report, si_sdr
from benchmarks.enhance_clips import LEVEL, RATE, Clip, hiss, hum, keys, traffic
from benchmarks.report import Watch
from pipelines import sound_in
from pipelines.events import Enhanced

COUNT = 3 * RATE


def speech() -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(5).normal(0, LEVEL, COUNT)


@pytest.mark.parametrize("ratio", [0, 5, 10])
def test_si_sdr_of_a_mixture_is_its_ratio_at_any_gain(ratio: float) -> None:
    clean, noise = speech(), np.random.default_rng(6).normal(0, LEVEL, COUNT)
    noisy = clean + noise * 10 ** (-ratio / 20)
    assert si_sdr(noisy, clean) == pytest.approx(ratio, abs=0.2)
    assert si_sdr(7 * noisy + 0.5, clean) == pytest.approx(si_sdr(noisy, clean))
    assert si_sdr(clean * 3, clean) > 100


@pytest.mark.parametrize("make", [hum, hiss, keys, traffic])
def test_noises_are_the_same_for_the_same_seed_and_never_silent_or_endless(make: object) -> None:
    assert callable(make)
    first, again, other = (make(COUNT, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.isfinite(first).all() and len(first) == COUNT
    assert np.square(first.reshape(3, -1)).mean(axis=1).min() > 0.1 * np.square(first).mean()


def test_clips_are_speech_with_noise_at_the_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enhance_clips, "_speaker", lambda: lambda voice, text: speech())
    made = enhance_clips.clips((0.0, 5.0))
    assert len(made) == len(enhance_clips.SPOKEN) * 5 * 2
    for clip in made:
        power = [np.square(each).mean() for each in (clip.clean, clip.noisy - clip.clean)]
        assert 10 * np.log10(power[0] / power[1]) == pytest.approx(clip.ratio)
    assert not set(enhance_clips.SPOKEN) & set(enhance_clips.BABBLE)


def test_a_clip_that_would_not_fit_a_file_is_turned_down_whole() -> None:
    loud = 9 * speech()
    assert si_sdr(sound_in.read(file(loud)).samples[:, 0].astype(float), loud) > 90


class Quiet:
    """An enhancer whose results are always as loud."""

    def run(self, request: Any, emit: Any) -> Enhanced:
        tone = 0.2 * np.sin(2 * np.pi * 997 * np.arange(COUNT) / RATE)
        samples = np.round(32768 * tone).astype(np.int16)
        return Enhanced(samples, RATE, samples, -17, -17, -14)


def test_the_report_holds_what_was_measured_and_its_last_line_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    clip = Clip("af_heart", "hum", 5.0, speech(), 2 * speech())
    measured = errors(Quiet(), clip)  # type: ignore[arg-type]
    report({("hum", ratio): [6.0, 8.0] for ratio in RATIOS}, [measured], [3.0, 5.0], Watch())
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["mean_gain_db"] == {"0": 7.0, "5": 7.0, "10": 7.0}
    assert found["loudness_error_lu"] == pytest.approx(6.0, abs=0.1)  # 997 Hz at -14 dB is -17 LUFS
    assert [goal["met"] for goal in found["goals"]] == [True, False, True]
    assert found["seconds_per_minute"]["median"] == 4
