"""How much nearer noisy speech comes to the clean, how exactly it is as loud as asked for, and how long that takes.

    python -m benchmarks.enhance [--runs 3]

Speech by our own voices, with noises made by rule (see benchmarks/enhance_clips.py), at 0, 5 and 10 dB. SI-SDR is the
ratio of what is the clean speech, at any gain, to all that is not; the gain in it is given as a mean over voices.
Each clip goes through the whole pipeline as a file, with its tone left as it is. Loudness is measured in the finished
16-bit sound, podcast preset, against both targets, and so is its true peak.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.enhance_clips import RATE, Clip, clips
from benchmarks.report import Goal, Sample, Watch, add_calm, finish, table
from pipelines import enhance, loudness
from pipelines.enhance import EnhancePipeline
from pipelines.enhance_catalog import DEEPFILTERNET
from pipelines.enhance_request import EnhanceRequest
from pipelines.events import Enhanced
from pipelines.weights import Store

RATIOS = (0.0, 5.0, 10.0)
GAIN_AT, GAIN_DB, ERROR_LU, PEAK_DB = 5.0, 6.0, 0.5, -1.0
TARGETS = (-16, -23)
TIMED_S = 60


def si_sdr(sound: NDArray[Any], clean: NDArray[Any]) -> float:
    """The ratio in dB of what in `sound` is `clean`, at whatever gain, to all that is not."""
    sound, clean = sound - sound.mean(), clean - clean.mean()
    wanted = clean * (sound @ clean) / (clean @ clean)
    return 10 * float(np.log10((wanted @ wanted) / np.square(sound - wanted).sum()))


def file(sound: NDArray[Any]) -> bytes:
    """As a FLAC file of 24 bits, turned down where it would not fit."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, sound / max(1.0, 1.05 * np.abs(sound).max()), RATE, "PCM_24", format="FLAC")
    return buffer.getvalue()


def enhanced(pipeline: EnhancePipeline, sound: NDArray[Any], **settings: Any) -> Enhanced:
    return pipeline.run(EnhanceRequest(audio=file(sound), **settings), lambda update: None)


def gain(pipeline: EnhancePipeline, clip: Clip) -> float:
    """By how much SI-SDR rises."""
    made = enhanced(pipeline, clip.noisy, preset="none", loudness=0)
    return si_sdr(made.samples.astype(float), clip.clean) - si_sdr(clip.noisy, clip.clean)


def errors(pipeline: EnhancePipeline, clip: Clip) -> tuple[list[float], list[float]]:
    """How far from each target the loudness is, by pyloudnorm, and the true peaks."""
    import pyloudnorm

    far, high = [], []
    for target in TARGETS:
        samples = enhanced(pipeline, clip.noisy, loudness=target).samples[:, None] / np.float32(32768)
        far.append(abs(float(pyloudnorm.Meter(RATE).integrated_loudness(samples)) - target))
        high.append(loudness.decibels(float(loudness.peaks(samples).max())))
    return far, high


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enhance", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="counted timings (%(default)s)")
    add_calm(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    watch = Watch(options.calm)
    pipeline = enhance.load(Store().fetch(DEEPFILTERNET, lambda update: None).path)
    made = clips(RATIOS)
    gains: dict[tuple[str, float], list[float]] = {}
    for clip in made:
        gains.setdefault((clip.noise, clip.ratio), []).append(gain(pipeline, clip))
    measured = [errors(pipeline, clip) for clip in made if clip.ratio == GAIN_AT]
    minute = np.resize(np.concatenate([clip.noisy for clip in made if clip.ratio == GAIN_AT]), TIMED_S * RATE)
    seconds = [watch.measure(lambda: timed(pipeline, minute)) for _ in range(options.runs)]
    report(gains, measured, seconds, watch)


def timed(pipeline: EnhancePipeline, sound: NDArray[Any]) -> float:
    """Seconds for all of it, from file to finished sound."""
    began = time.perf_counter()
    enhanced(pipeline, sound)
    return time.perf_counter() - began


def report(
    gains: dict[tuple[str, float], list[float]],
    measured: Sequence[tuple[list[float], list[float]]],
    seconds: Sequence[float],
    watch: Watch,
) -> None:
    noises = list(dict.fromkeys(noise for noise, _ in gains))
    means = {place: float(np.mean(values)) for place, values in gains.items()}
    over_all = {ratio: float(np.mean([means[noise, ratio] for noise in noises])) for ratio in RATIOS}
    rows = [(noise, *(f"{means[noise, ratio]:+.1f}" for ratio in RATIOS)) for noise in noises]
    rows.append(("mean", *(f"{over_all[ratio]:+.1f}" for ratio in RATIOS)))
    worst = max(error for far, _ in measured for error in far)
    peak = max(high for _, highs in measured for high in highs)
    took = Sample.of(seconds)
    print("SI-SDR gained, in dB\n")
    print(table(("noise", *(f"at {ratio:.0f} dB" for ratio in RATIOS)), rows))
    print(f"\nloudness off by {worst:.3f} LU at most, true peaks to {peak:.2f} dB")
    print(f"a minute of sound takes {took.text('s')}")
    goals = [
        Goal(f"SI-SDR gained at {GAIN_AT:.0f} dB", over_all[GAIN_AT], GAIN_DB, at_least=True),
        Goal("loudness error, LU", worst, ERROR_LU),
        Goal("true peak, dB", peak, PEAK_DB),
    ]
    numbers = {
        "si_sdr_gain_db": {f"{noise} at {ratio:.0f} dB": round(mean, 2) for (noise, ratio), mean in means.items()},
        "mean_gain_db": {f"{ratio:.0f}": round(mean, 2) for ratio, mean in over_all.items()},
        "loudness_error_lu": round(worst, 4),
        "true_peak_db": round(peak, 2),
        "seconds_per_minute": took,
    }
    finish("enhance", {"runs": len(seconds), **numbers}, goals, watch)


if __name__ == "__main__":
    main()
